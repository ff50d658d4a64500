"""Kernels on all cores, with results that do not depend on the number of cores.

Kernels compute each row, or each row of weights, independently, so that their range may
be divided into any blocks.

The number of threads is the number of cores according to joblib, which respects CPU
affinity, limits of containers and LOKY_MAX_CPU_COUNT. It is at most NUMBA_NUM_THREADS,
if that was set before Numba was imported. Workers of joblib set this variable to their
share of the cores, or to ``inner_max_num_threads``.

Two cores are not always faster than one: they may be hardware threads of one core, or
busy with other processes. The time of each kind of work is therefore measured with and
without helper threads. The faster way is used, with occasional trials of the other.
Results do not depend on the choice.
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
from skdgm.utils.threading.threads import DeferredInterrupt

# Multiply-adds below which waking a thread costs more than it saves.
_WORTHWHILE = 2_000_000
# Waking a thread should take at most a third of its work. The square of the number of
# threads that share a call is therefore at most this number times the work.
_SHARED = 2.5e-6
# Calls of kernels, about twenty updates, between choices of one thread or several.
_PERIOD = 64
_limit = None
# Minimum multiply-adds of a thread between barriers; initial and maximum number of
# seconds until more threads are tried after threads had to wait.
_GRAIN, _PATIENCE, _LONGEST = 5e5, 0.5, 30.0
# Periods between trials of the slower way; rate of exponential moving averages.
_TRY, _FORGET = 32, 0.3


def n_threads():
    """Number of threads that kernels run on."""
    return _limit or _n_cores()


@contextmanager
def limit(n):
    """Context in which kernels of the whole process run on ``n`` threads."""
    global _limit
    before, _limit = _limit, n
    try:
        yield
    finally:
        _limit = before


def run(kernel, *args, n, work, step=1):
    """Call ``kernel(*args, start, stop)`` on blocks that cover range(n).

    ``work`` is the approximate total number of multiply-adds. Blocks begin at multiples
    of ``step``.
    """
    if _plan.calls is not None:
        _plan.calls.append((work, _tasks(kernel, args, n, _plan.n_blocks, step)))
    elif not worthwhile(work):
        kernel(*args, 0, n)
    else:
        with measured(kernel, work) as n_helped:
            together(_tasks(kernel, args, n, n_helped, step), n_helped)


def share(kernel, *args, n, work):
    """Call ``kernel(*args, counts)`` on several threads, which take its n pieces one by
    one (:mod:`skdgm._kernels.compiler.shares`). ``work`` is the approximate total
    number of multiply-adds.

    Anything in the kernel that can fail, such as allocation, must precede its first
    piece.
    """
    if worthwhile(work):
        with measured(kernel, work) as n_helped:
            pool.share(kernel, args, n, n_helped)
    else:
        kernel(*args, counts())


def worthwhile(work):
    """Return whether work, in multiply-adds, is enough for several threads."""
    return work >= _WORTHWHILE and n_threads() > 1


def shared(work):
    """Number of threads that share a call with the given work, in multiply-adds."""
    return min(n_threads(), max(2, int((_SHARED * work) ** 0.5)))


@contextmanager
def at_once(work):
    """Context in which calls of :func:`run` are deferred to its end and run together.

    The calls must not depend on each other's results, which are undefined until the
    end. ``work`` is the approximate number of multiply-adds of all calls.
    """
    small = work < _WORTHWHILE
    one_thread = nullcontext(1) if small or n_threads() == 1 else None
    # Ctrl-C must not leave the plan in place, as later calls would be deferred forever.
    with DeferredInterrupt(), one_thread or measured("at once", work) as n_helped:
        # Even one thread benefits from halves, whose calls share data in cache.
        _plan.calls, _plan.n_blocks = [], 1 if small else max(2, n_helped)
        try:
            yield
            calls = sorted(_plan.calls, key=lambda call: -call[0])
        finally:
            _plan.calls = None
        # Helpers start from the end, so that threads take the longest blocks first.
        even_tasks = [task for _, tasks in calls for task in tasks[::2]]
        odd_tasks = [task for _, tasks in calls for task in tasks[1::2]]
        together(even_tasks + odd_tasks[::-1], n_helped)


def n_efficient_threads(work):
    """Number of threads on which :func:`in_step` is efficient, for the given number of
    multiply-adds between barriers."""
    return int(max(1, min(n_threads(), _thread_limit.look(), work / _GRAIN)))


def in_step(kernel, *args, n_rounds, n_threads):
    """Call ``kernel(*args, gate, rank)`` on several threads, which meet at barriers.

    The kernel runs rounds from number ``gate[DONE]`` on, and ends each with
    :func:`~skdgm._kernels.compiler.barrier.go_on`. All threads wait for a thread whose
    core another process uses. If this takes long, the kernel ends early and continues
    with fewer threads. ``n_threads`` is the maximum number; results do not depend on
    the actual number.
    """
    done = 0
    while done < n_rounds:
        places = pool.in_step(kernel, args, done, n_threads)
        done = places[DONE]
        if done < n_rounds:
            n_threads = max(1, int(places[SIZE]) // 2)
            _thread_limit.shrink(n_threads)


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
    """Context that yields the number of threads for a kind of work, with about ``work``
    multiply-adds, and measures its time."""
    pace = _plan.pace or _paces[kind, math.frexp(work)[1]]
    helped, start = pace.begin(), time.perf_counter()
    yield shared(work) if helped else 1
    pace.end(start, work)


class Pace:
    """Time per multiply-add of one kind of work, with one thread and with helpers.

    ``period`` is the number of calls between choices. Kernels that use the same weights
    find them in the caches of the cores that used them last. A choice must therefore
    hold for all of these kernels for a while before its effect can be measured.
    """

    def __init__(self, period):
        self.period, self.seconds = period, [None, None]
        self.helped, self.n_periods = True, 0
        self.n_calls, self.spent, self.done = 0, 0.0, 0.0

    def begin(self):
        """Return whether the next call should use helper threads."""
        return self.helped

    def end(self, start, work):
        """Record a call that began at ``start``, a value of ``time.perf_counter()``,
        and choose again at the end of a period."""
        self.n_calls += 1
        self.spent += time.perf_counter() - start
        self.done += float(work)
        # Other threads may change these attributes at any point, so each is read once.
        if self.n_calls >= self.period:
            spent, done = self.spent, self.done
            self.n_calls, self.spent, self.done = 0, 0.0, 0.0
            if done:
                self._learn(spent / done)
                self.helped = self._choose()

    def _learn(self, now):
        if self.n_periods == 0:  # Kernels may have been compiled meanwhile.
            return
        average = self.seconds[self.helped]
        change = 0.0 if average is None else _FORGET * (now - average)
        self.seconds[self.helped] = now if average is None else average + change

    def _choose(self):
        self.n_periods += 1
        alone, helped = self.seconds
        if alone is None or helped is None:
            return helped is None
        # The slower way is tried less often if it costs more.
        extra_cost = max(alone, helped) / max(1e-30, min(alone, helped)) - 1
        is_trial = self.n_periods % int(_TRY * min(max(1.0, extra_cost), 20.0)) == 0
        return (helped < alone) != is_trial


class _ThreadLimit:
    """Maximum number of threads that do not have to wait for each other for long.

    More threads are tried from time to time, less often if trials fail.
    """

    def __init__(self):
        self.most, self.since, self.patience = np.inf, 0.0, _PATIENCE

    def shrink(self, n):
        """Record that more than n threads had to wait."""
        now = time.monotonic()
        has_failed = now - self.since < 2 * self.patience
        self.patience = min(2 * self.patience, _LONGEST) if has_failed else _PATIENCE
        self.most, self.since = n, now

    def look(self):
        """Return the current maximum."""
        if self.most < np.inf and time.monotonic() - self.since > self.patience:
            self.most, self.since = 2 * self.most, time.monotonic()
            if self.most > n_threads():
                self.most = np.inf
        return self.most


class _Plan(threading.local):
    """Deferred calls of each thread, their number of blocks, and the current pace."""

    calls, n_blocks, pace = None, 1, None

    def __init__(self):
        self.learning = Pace(_PERIOD)


_plan, _paces, _thread_limit = _Plan(), defaultdict(lambda: Pace(1)), _ThreadLimit()


@cache
def _n_cores():
    if numba.config.DISABLE_JIT:
        return 1
    return max(1, min(joblib.cpu_count(), numba.config.NUMBA_NUM_THREADS))
