"""Pieces of work that threads take one by one.

A thread that starts late, because it waited for the interpreter, delays nobody: other
threads have done its work.
"""

import numpy as np

from skdgm._kernels.compiler.barrier import add, give_way
from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.compiler.spin_wait import load, pause

# Entries of counts, each on its own cache line: number of taken pieces, number of
# completed pieces, number of threads.
_TAKEN, _MADE, SIZE, _LENGTH = range(0, 64, 16)
# Number of polls before a thread yields its core.
_PATIENCE = 1000


def counts(n_threads=1):
    """Counts of a task of which no piece has been taken, (48,), int64."""
    places = np.zeros(_LENGTH, np.int64)
    places[SIZE] = n_threads
    return places


@kernel
def take(counts, n):
    """Number of the next piece, of n, for this thread, or n if none is left. Pieces
    that threads take at the same time are far apart, since neighbors may share cache
    lines."""
    size = counts[SIZE]
    if size > 1:
        number = add(counts, _TAKEN, 1)
    else:
        number = counts[_TAKEN]
        counts[_TAKEN] += 1
    if number >= n:
        return n
    n_each, remainder = n // size, n % size
    turn, thread = number // size, number % size
    if turn == n_each:
        return thread * n_each + thread + n_each
    return thread * n_each + min(thread, remainder) + turn


@kernel
def made(counts):
    """Count a completed piece."""
    if counts[SIZE] > 1:
        add(counts, _MADE, 1)


@kernel
def finish(counts, n):
    """Wait until n pieces are completed; what other threads wrote is visible
    afterwards."""
    n_polls = 0
    while load(counts, _MADE) < n:
        n_polls += 1
        if n_polls < _PATIENCE:
            pause()
        else:
            give_way()
