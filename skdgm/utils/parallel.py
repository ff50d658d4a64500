"""Work on all cores, with the same result on any number of them.

Kernels compute each row (or each row of weights) without looking at the others, so
their range may be cut into any blocks. BLAS rounds differently for blocks of other
sizes, so its blocks are of a fixed size.

Set NUMBA_NUM_THREADS to have fewer threads than cores; joblib's worker processes do
so themselves.
"""

import threading
from contextlib import contextmanager
from functools import cache
from itertools import pairwise

import joblib
import numba
import numpy as np

from skdgm.utils.pool import Task, together

# Work, in multiply-adds, below which waking a thread costs more than it saves.
_WORTHWHILE = 2_000_000
# Rows of a block of a BLAS product: few enough to share, enough to be efficient.
_BLAS_ROWS = 128
_limit = None


def n_threads():
    """How many threads work."""
    return _limit or _n_cores()


@contextmanager
def limit(n):
    """Context in which so many threads work (in the whole process)."""
    global _limit
    before, _limit = _limit, n
    try:
        yield
    finally:
        _limit = before


def run(kernel, *args, n, work):
    """Call ``kernel(*args, start, stop)`` on blocks that cover range(n).

    Parameters
    ----------
    n : int
    work : float
        Multiply-adds in all, roughly.
    """
    n_blocks = min(n, int(work / _WORTHWHILE) + 1, n_threads())
    if n_blocks < 2 and _plan.calls is None:
        kernel(*args, 0, n)
        return
    edges = [n * i // n_blocks for i in range(n_blocks + 1)]
    tasks = [Task(kernel, *args, *edge) for edge in pairwise(edges)]
    if _plan.calls is None:
        together(tasks, n_threads())
    else:
        _plan.calls.append((work, tasks))


@contextmanager
def at_once(independent=True):
    """Context in which calls of :func:`run` are put off to its end, and made together.

    They must not need one another's results, nor may anyone look at these before:
    without such independence the context does nothing.
    """
    if not independent:
        yield
        return
    _plan.calls = []
    try:
        yield
        # Threads begin at both ends: each finds the longest blocks first.
        calls = [tasks for _, tasks in sorted(_plan.calls, key=lambda call: -call[0])]
        work = sum(work for work, _ in _plan.calls)
    finally:
        _plan.calls = None
    first = [task for tasks in calls for task in tasks[::2]]
    last = [task for tasks in calls for task in tasks[1::2]]
    together(first + last[::-1], n_threads() if work > _WORTHWHILE else 1)


class _Plan(threading.local):
    """What a thread puts off."""

    calls = None


def matmul(A, B):
    """The product of two arrays, by BLAS."""
    out = np.empty((len(A), B.shape[1]), np.result_type(A, B))
    edges = [*range(0, len(A), _BLAS_ROWS), len(A)]
    tasks = [Task(_product, A, B, out, *edge) for edge in pairwise(edges)]
    together(tasks, n_threads())
    return out


def _product(A, B, out, start, stop):
    with np.errstate(all="ignore"):  # Which threads do not inherit.
        np.matmul(A[start:stop], B, out=out[start:stop])


_plan = _Plan()


@cache
def _n_cores():
    if numba.config.DISABLE_JIT:
        return 1
    return max(1, min(joblib.cpu_count(), numba.config.NUMBA_NUM_THREADS))
