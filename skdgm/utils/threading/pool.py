"""Pool of helper threads.

Idle helpers spin for some microseconds, in which more work usually arrives, and then
sleep. Threads that spin longer would take cores from BLAS.
"""

import os
import threading
from contextlib import suppress
from functools import cache, partial
from queue import SimpleQueue
from typing import Any

import numpy as np
from numba.core.compiler_lock import global_compiler_lock

from skdgm._kernels.compiler.barrier import DONE, OPEN, gate
from skdgm._kernels.compiler.shares import counts, finish
from skdgm._kernels.compiler.spin_wait import wait
from skdgm.utils.threading.threads import DeferredInterrupt

# Number of polls for a signal, 25 to 65 nanoseconds apart, before a thread sleeps; and
# of polls after the signal, while its sender releases the GIL. A thread that waits for
# the GIL is put to sleep and takes 50 microseconds to wake.
_PATIENCE, _HELPER_DELAY, _CALLER_DELAY = 2000, 280, 160


def together(tasks, n_threads):
    """Run tasks on several threads, including the calling thread, and wait for all.

    Concurrent callers share the helpers instead of competing for cores. Ctrl-C is
    deferred until all tasks are done, since helpers would continue in any case. The
    error of the first failed task, in order, is raised.
    """
    with DeferredInterrupt():
        n_helpers = min(n_threads, len(tasks)) - _callers.enter()
        try:
            if n_helpers > 0:
                _pool().having(n_helpers).offer(tasks, n_helpers)
            for task in tasks:
                task.work()
        finally:
            _callers.leave()
            for task in tasks:
                task.wait()
    for task in tasks:
        if task.error is not None:
            raise task.error


def share(kernel, args, n, n_threads):
    """Call ``kernel(*args, counts)`` on several threads, which take its n pieces in
    turn."""
    with DeferredInterrupt():
        n_helpers = min(n_threads, n) - _callers.enter()
        places = counts(1 + max(0, n_helpers))
        call = _Call(partial(kernel, *args, places))
        try:
            if n_helpers > 0:
                _pool().having(n_helpers).offer([call], n_helpers)
            kernel(*args, places)
            if n_helpers > 0:
                finish(places, n)
        finally:
            _callers.leave()
            call.function = None


def in_step(kernel, args, done, n_threads):
    """Call ``kernel(*args, gate, rank)`` on several threads at once.

    The calls may wait for each other at barriers, so that each needs a separate thread.
    There are at most ``n_threads`` threads, including the calling thread, and fewer if
    other callers have reserved helpers. ``done`` is the number of completed rounds.
    Returns the :func:`~skdgm._kernels.compiler.barrier.gate`; the error of the thread
    that failed first is raised.
    """
    with DeferredInterrupt():
        wanted, pool, n, tasks = n_threads // _callers.enter() - 1, None, 0, []
        try:
            if wanted > 0:
                pool = _pool().having(wanted)
                n = pool.reserve(wanted)
            places = gate(n + 1)
            places[DONE] = done
            tasks = [Task(_step, kernel, args, places, i) for i in range(n + 1)]
            for task in tasks[1:]:
                pool.offer([task], 1)
            tasks[0].work()
        except BaseException:  # A second Ctrl-C before all threads have begun.
            if tasks:
                places[OPEN] = 1
            tasks[1:] = [task for task in tasks[1:] if not task.withdraw()]
            raise
        finally:
            _callers.leave()
            try:
                for task in tasks[1:]:
                    task.join()
            finally:
                if n:
                    pool.reserve(-n)
    for task in tasks:
        if task.error is not None:
            raise task.error
    return places


def _step(kernel, args, places, rank):
    try:
        kernel(*args, places, rank)
    except BaseException:
        if places[OPEN] == 0:  # Otherwise another thread has failed first.
            places[OPEN] = 1
            raise


class Task:
    """Call ``function(*args)``, made once by the first thread that takes the task."""

    def __init__(self, function, *args):
        self.function, self.error = partial(function, *args), None
        self.taken, self.done = threading.Lock(), threading.Lock()
        self.done.acquire()
        self.signal = np.zeros(1, np.int64)

    def work(self):
        """Make the call, unless another thread has taken it."""
        if self.taken.acquire(blocking=False):
            try:
                self.function()
            except BaseException as error:
                self.error = error
            # A late helper may keep the task in its queue: release the arrays.
            del self.function
            self.signal[0] = 1
            self.done.release()

    def withdraw(self):
        """Prevent the call; return False if a thread has already taken it."""
        return self.taken.acquire(blocking=False)

    def wait(self):
        """Wait for the end of the call, if a thread has taken it."""
        if self.taken.locked():
            self.join()

    def join(self):
        """Wait until the call is taken and ends."""
        if self.done.locked():
            wait(self.signal, 0, _PATIENCE, _CALLER_DELAY)
        self.done.acquire()


class _Call:
    """A call that helpers may join until it ends, when its arrays are released."""

    def __init__(self, function):
        self.function: Any = function

    def work(self):
        function = self.function
        if function is not None:
            # Without memory it takes no piece, and other threads take them all.
            with suppress(MemoryError):
                function()


class _Pool:
    """Helper threads, and the queue of tasks offered to them."""

    def __init__(self):
        self.offers, self.signal = SimpleQueue(), np.zeros(1, np.int64)
        self.lock, self.n, self.free = threading.Lock(), 0, 0

    def having(self, n):
        """Return the pool with at least n helpers."""
        if self.n < n:
            with self.lock:
                for _ in range(n - self.n):
                    threading.Thread(target=self._serve, daemon=True).start()
                    self.n, self.free = self.n + 1, self.free + 1
        return self

    def offer(self, tasks, n_helpers):
        for _ in range(n_helpers):
            self.offers.put(tasks)
        self.signal[0] += 1

    def reserve(self, n):
        """Reserve up to n free helpers, or release -n helpers; return their number."""
        with self.lock:
            n = min(n, self.free)
            self.free -= n
        return n

    def _serve(self):
        while True:
            seen = self.signal[0]
            if self.offers.empty():
                wait(self.signal, seen, _PATIENCE, _HELPER_DELAY)
            for task in reversed(self.offers.get()):
                task.work()


class _Callers:
    """Counter of the threads that are currently running tasks."""

    def __init__(self):
        self.lock, self.n = threading.Lock(), 0

    def enter(self):
        with self.lock:
            self.n += 1
            return self.n

    def leave(self):
        with self.lock:
            self.n -= 1


@cache
def _pool():
    """Pool of the process, created when first needed."""
    return _Pool()


_callers = _Callers()


def _forked():
    """Reset callers and helpers, whose threads do not exist in a forked process."""
    global _callers
    _callers = _Callers()
    _pool.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
    # Otherwise a child could wait forever for a compiling thread of its parent.
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )
