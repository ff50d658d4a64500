"""Work on all cores, with the same result on any number of them.

Kernels compute each row (or each row of weights) without looking at the others, so
their range may be cut into any blocks.

There are as many threads as joblib counts cores (which looks at affinity, at limits of
containers and at LOKY_MAX_CPU_COUNT), or NUMBA_NUM_THREADS of them, if that was set
before Numba was imported. In joblib's worker processes it is set to their share of the
cores, or to ``inner_max_num_threads``.
"""

import threading
import time
from collections import defaultdict
from contextlib import contextmanager, nullcontext
from functools import cache
from itertools import pairwise

import joblib
import numba

from skdgm.utils.interrupts import Held
from skdgm.utils.pace import Pace
from skdgm.utils.pool import Task, together

# Work, in multiply-adds, below which waking a thread costs more than it saves.
_WORTHWHILE = 2_000_000
# Calls of kernels, some twenty updates, for which learning has help or has not.
_PERIOD = 64
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
    if _plan.calls is not None:
        _plan.calls.append((work, _tasks(kernel, args, n, _plan.n_blocks)))
    elif work < _WORTHWHILE or n_threads() == 1:
        kernel(*args, 0, n)
    else:
        with _measured(kernel, work) as n_helped:
            together(_tasks(kernel, args, n, n_helped), n_helped)


@contextmanager
def at_once(work):
    """Context in which calls of :func:`run` are put off to its end, and made together.

    They must not need one another's results, nor may anyone look at these before.
    ``work`` is that of them all.
    """
    small = work < _WORTHWHILE
    alone = nullcontext(1) if small or n_threads() == 1 else None
    # Were the plan to stay after a Ctrl-C, what is run later would only be planned.
    with Held(), alone or _measured("at once", work) as n_helped:
        # Alone, too, halves are better: what their calls share stays near.
        _plan.calls, _plan.n_blocks = [], 1 if small else max(2, n_helped)
        try:
            yield
            calls = sorted(_plan.calls, key=lambda call: -call[0])
        finally:
            _plan.calls = None
        # Threads begin at both ends: each finds the longest blocks first.
        first = [task for _, tasks in calls for task in tasks[::2]]
        last = [task for _, tasks in calls for task in tasks[1::2]]
        together(first + last[::-1], n_helped)


def _tasks(kernel, args, n, n_blocks):
    """A kernel's work in blocks."""
    edges = [n * i // n_blocks for i in range(n_blocks + 1)]
    return [Task(kernel, *args, *edge) for edge in pairwise(edges) if edge[0] < edge[1]]


@contextmanager
def learning():
    """Context in which what is run changes weights: see :class:`Pace`."""
    _plan.pace = _plan.learning
    try:
        yield
    finally:
        _plan.pace = None


@contextmanager
def _measured(kind, work):
    """Context that yields the number of threads to have, and times what they do."""
    pace = _plan.pace or _paces[kind]
    helped, start = pace.begin(), time.perf_counter()
    yield n_threads() if helped else 1
    pace.end(start, work)


class _Plan(threading.local):
    """What a thread puts off, in how many blocks; and whether it learns."""

    calls, n_blocks, pace = None, 1, None

    def __init__(self):
        self.learning = Pace(_PERIOD)


_plan, _paces = _Plan(), defaultdict(lambda: Pace(1))


@cache
def _n_cores():
    if numba.config.DISABLE_JIT:
        return 1
    return max(1, min(joblib.cpu_count(), numba.config.NUMBA_NUM_THREADS))
