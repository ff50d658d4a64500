"""Kernels on all cores, with the same result on any number of them.

Kernels compute each row (or each row of weights) independently of the others, so their
range may be divided into any blocks.

The number of threads is the number of cores that joblib counts (which respects the CPU
affinity, limits of containers and LOKY_MAX_CPU_COUNT), but at most NUMBA_NUM_THREADS
if that was set before Numba was imported. In joblib's worker processes that variable is
set to their share of the cores, or to ``inner_max_num_threads``.

Two cores are not always twice as fast as one: they may be hardware threads of the same
core, or be busy with other processes. The time that a kind of work takes is therefore
measured as it runs, with helper threads and without, and the faster way is used, with
an occasional trial of the other. Results do not depend on the choice.
"""

import math
import threading
import time
from collections import defaultdict
from contextlib import contextmanager, nullcontext
from functools import cache
from itertools import pairwise

import joblib
import numba
import numpy as np

from skdgm._kernels.compiler.barrier import DONE, SIZE
from skdgm._kernels.compiler.shares import counts
from skdgm.utils.threading import pool
from skdgm.utils.threading.pool import Task, together
from skdgm.utils.threading.threads import Held

# Work, in multiply-adds, below which waking a thread costs more than it saves.
_WORTHWHILE = 2_000_000
# Threads that share a call pay where each of them wakes another in a third of the time
# that it works: their number squared is at most this times the work.
_SHARED = 2.5e-6
# Calls of kernels, about twenty updates, between choices of one thread or several.
_PERIOD = 64
_limit = None
# Multiply-adds of each thread in a round of phases between barriers; seconds until more
# threads are tried after some have waited for long, at first and at most.
_GRAIN, _PATIENCE, _LONGEST = 5e5, 0.5, 30.0
# Periods between trials of the slower way; rate of the exponential moving averages.
_TRY, _FORGET = 32, 0.3


def n_threads():
    """Number of threads that kernels run on."""
    return _limit or _n_cores()


@contextmanager
def limit(n):
    """Context in which kernels of the whole process run on ``n`` threads.

    Parameters
    ----------
    n : int
    """
    global _limit
    before, _limit = _limit, n
    try:
        yield
    finally:
        _limit = before


def run(kernel, *args, n, work, step=1):
    """Call ``kernel(*args, start, stop)`` on blocks that cover range(n).

    Parameters
    ----------
    kernel : callable
    *args : tuple
        Arguments of the kernel before ``start`` and ``stop``.
    n : int
        Length of the kernel's range.
    work : float
        Approximate number of multiply-adds in total.
    step : int, default=1
        Blocks begin at multiples of this.
    """
    if _plan.calls is not None:
        _plan.calls.append((work, _tasks(kernel, args, n, _plan.n_blocks, step)))
    elif not worthwhile(work):
        kernel(*args, 0, n)
    else:
        with measured(kernel, work) as n_helped:
            together(_tasks(kernel, args, n, n_helped, step), n_helped)


def share(kernel, *args, n, work):
    """Call ``kernel(*args, counts)``, whose n pieces threads take one by one
    (:mod:`skdgm._kernels.compiler.shares`), until all are made.

    Parameters
    ----------
    kernel : callable
        All that may fail, such as to have memory, comes before it takes a piece.
    *args : tuple
    n : int
    work : float
        Approximate number of multiply-adds in total.
    """
    if worthwhile(work):
        with measured(kernel, work) as n_helped:
            pool.share(kernel, args, n, n_helped)
    else:
        kernel(*args, counts())


def worthwhile(work):
    """Return whether several threads may share work, in multiply-adds."""
    return work >= _WORTHWHILE and n_threads() > 1


def shared(work):
    """Number of threads to share work, in multiply-adds, that one call does."""
    return min(n_threads(), max(2, int((_SHARED * work) ** 0.5)))


@contextmanager
def at_once(work):
    """Context in which calls of :func:`run` are deferred to its end and run together.

    The calls must not depend on each other's results, which are undefined until then.

    Parameters
    ----------
    work : float
        Approximate number of multiply-adds of all calls.
    """
    small = work < _WORTHWHILE
    alone = nullcontext(1) if small or n_threads() == 1 else None
    # If a Ctrl-C left the plan in place, later calls would be deferred for ever.
    with Held(), alone or measured("at once", work) as n_helped:
        # Halves are better on one thread too: data shared by their calls stay in cache.
        _plan.calls, _plan.n_blocks = [], 1 if small else max(2, n_helped)
        try:
            yield
            calls = sorted(_plan.calls, key=lambda call: -call[0])
        finally:
            _plan.calls = None
        # Helpers start from the end: each thread finds the longest blocks first.
        first = [task for _, tasks in calls for task in tasks[::2]]
        last = [task for _, tasks in calls for task in tasks[1::2]]
        together(first + last[::-1], n_helped)


def crew(work):
    """Number of threads on which :func:`in_step` pays.

    Parameters
    ----------
    work : float
        Multiply-adds of a round of all phases between barriers.
    """
    return int(max(1, min(n_threads(), _crowd.look(), work / _GRAIN)))


def in_step(kernel, *args, n_rounds, n_threads):
    """Call ``kernel(*args, gate, rank)`` on several threads at once, which meet at
    barriers (:mod:`skdgm._kernels.compiler.barrier`).

    A thread that another process keeps from its core is waited for by all. Where that
    takes long the kernel ends early, and goes on with fewer threads.

    Parameters
    ----------
    kernel : callable
        It makes the rounds from number ``gate[DONE]`` on, and ends each with
        :func:`~skdgm._kernels.compiler.barrier.go_on`.
    *args : tuple
    n_rounds : int
    n_threads : int
        At most so many, fewer where other callers have them. Results do not depend on
        how many there are.
    """
    done = 0
    while done < n_rounds:
        places = pool.in_step(kernel, args, done, n_threads)
        done = places[DONE]
        if done < n_rounds:
            n_threads = max(1, int(places[SIZE]) // 2)
            _crowd.shrink(n_threads)


def _tasks(kernel, args, n, n_blocks, step):
    """Divide the range of a kernel into tasks."""
    n_steps = -(-n // step)
    edges = [min(n, step * (n_steps * i // n_blocks)) for i in range(n_blocks + 1)]
    return [Task(kernel, *args, *edge) for edge in pairwise(edges) if edge[0] < edge[1]]


@contextmanager
def learning():
    """Context of updates of weights, which share one :class:`Pace` per thread."""
    _plan.pace = _plan.learning
    try:
        yield
    finally:
        _plan.pace = None


@contextmanager
def measured(kind, work):
    """Context that yields the number of threads to use for a kind of work, of about so
    many multiply-adds, and measures how long it takes."""
    pace = _plan.pace or _paces[kind, math.frexp(work)[1]]
    helped, start = pace.begin(), time.perf_counter()
    yield shared(work) if helped else 1
    pace.end(start, work)


class Pace:
    """Time per multiply-add of one kind of work, with one thread and with helpers.

    Parameters
    ----------
    period : int
        Number of calls between choices. Kernels that work on the same weights find
        them in the caches of the cores that used them last, so a choice has to hold for
        all of these kernels, and for a while, before its effect can be measured.
    """

    def __init__(self, period):
        self.period, self.seconds = period, [None, None]
        self.helped, self.n_periods = True, 0
        self.n_calls, self.spent, self.done = 0, 0.0, 0.0

    def begin(self):
        """Return whether to use helper threads for the next call."""
        return self.helped

    def end(self, start, work):
        """Record a call, and choose anew at the end of a period.

        Parameters
        ----------
        start : float
            Value of ``time.perf_counter()`` when the call began.
        work : float
            Multiply-adds of the call.
        """
        self.n_calls += 1
        self.spent += time.perf_counter() - start
        self.done += float(work)
        # Other threads may do the same at any point: count on nothing twice.
        if self.n_calls >= self.period:
            spent, done = self.spent, self.done
            self.n_calls, self.spent, self.done = 0, 0.0, 0.0
            if done:
                self._learn(spent / done)
                self.helped = self._choose()

    def _learn(self, now):
        if self.n_periods == 0:  # Kernels may have been compiled meanwhile.
            return
        before = self.seconds[self.helped]
        change = 0.0 if before is None else _FORGET * (now - before)
        self.seconds[self.helped] = now if before is None else before + change

    def _choose(self):
        self.n_periods += 1
        alone, helped = self.seconds
        if alone is None or helped is None:
            return helped is None
        # The dearer the slower way, the less often is it tried.
        dear = max(alone, helped) / max(1e-30, min(alone, helped)) - 1
        tries = self.n_periods % int(_TRY * min(max(1.0, dear), 20.0)) == 0
        return (helped < alone) != tries


class _Crowd:
    """Largest number of threads that need not wait for each other for long.

    Now and then more are tried, less often where that was in vain.
    """

    def __init__(self):
        self.most, self.since, self.patience = np.inf, 0.0, _PATIENCE

    def shrink(self, n):
        """Note that more than n were too many."""
        now = time.monotonic()
        in_vain = now - self.since < 2 * self.patience
        self.patience = min(2 * self.patience, _LONGEST) if in_vain else _PATIENCE
        self.most, self.since = n, now

    def look(self):
        """Return the number."""
        if self.most < np.inf and time.monotonic() - self.since > self.patience:
            self.most, self.since = 2 * self.most, time.monotonic()
            if self.most > n_threads():
                self.most = np.inf
        return self.most


class _Plan(threading.local):
    """Deferred calls of each thread, their number of blocks, and the pace in use."""

    calls, n_blocks, pace = None, 1, None

    def __init__(self):
        self.learning = Pace(_PERIOD)


_plan, _paces, _crowd = _Plan(), defaultdict(lambda: Pace(1)), _Crowd()


@cache
def _n_cores():
    if numba.config.DISABLE_JIT:
        return 1
    return max(1, min(joblib.cpu_count(), numba.config.NUMBA_NUM_THREADS))
