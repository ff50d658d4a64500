"""Pieces of work that threads take one by one, whoever comes first.

A thread that comes late, as it waited for the interpreter, then delays nobody: the
others have made what it would have.
"""

import numpy as np

from skdgm._kernels.compiler.barrier import add, give_way
from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.compiler.spin_wait import load, pause

# Places of counts, each on a cache line of its own: pieces that have been taken, pieces
# that are made, how many threads there are.
_TAKEN, _MADE, SIZE, _LENGTH = range(0, 64, 16)
# Polls before a thread gives its core away.
_PATIENCE = 1000


def counts(n_threads=1):
    """Counts of pieces of which none is taken, (48,), int64."""
    places = np.zeros(_LENGTH, np.int64)
    places[SIZE] = n_threads
    return places


@kernel
def take(counts, n):
    """The number of a piece of n that is now this thread's; n if none is left. Pieces
    that threads take at a time lie apart: neighbours may have cache lines in common.
    """
    size = counts[SIZE]
    if size > 1:
        number = add(counts, _TAKEN, 1)
    else:
        number = counts[_TAKEN]
        counts[_TAKEN] += 1
    if number >= n:
        return n
    each, more = n // size, n % size
    turn, part = number // size, number % size
    if turn == each:
        return part * each + part + each
    return part * each + min(part, more) + turn


@kernel
def made(counts):
    """Note that a piece is made."""
    if counts[SIZE] > 1:
        add(counts, _MADE, 1)


@kernel
def finish(counts, n):
    """Wait until n pieces are made; what other threads wrote is seen after."""
    n_polls = 0
    while load(counts, _MADE) < n:
        n_polls += 1
        if n_polls < _PATIENCE:
            pause()
        else:
            give_way()
