"""A few threads that help with what they are offered.

They sleep while there is nothing to do, but for some microseconds in which more
usually comes: threads that spin for longer take the cores from BLAS.
"""

import os
import threading
from functools import cache
from queue import SimpleQueue

import numpy as np
from numba.core.compiler_lock import global_compiler_lock

from skdgm._kernels.wait import wait
from skdgm.utils.interrupts import Held

# How often to look for a change, every 25 nanoseconds, before going to sleep; and how
# often more, while the thread that gave the signal lets go of the GIL: a thread that
# has to wait for the GIL sleeps, and takes 50 microseconds to wake.
_PATIENCE, _HELPER_DELAY, _CALLER_DELAY = 6000, 280, 160


def together(tasks, n_threads):
    """Have tasks done by so many threads, this one among them.

    Those who call at the same time share the helpers instead of fighting for cores.
    Ctrl-C has to wait until all tasks are done: helpers would work on.
    """
    with Held():
        n_helpers = min(n_threads, len(tasks)) - _callers.enter()
        try:
            if n_helpers > 0:
                _pool(n_threads - 1).offer(tasks, n_helpers)
            for task in tasks:
                task.work()
        finally:
            _callers.leave()
            for task in tasks:
                task.wait()


class Task:
    """A call that whoever comes first makes."""

    def __init__(self, function, *args):
        self.function, self.args, self.error = function, args, None
        self.taken, self.done = threading.Lock(), threading.Lock()
        self.done.acquire()
        self.signal = np.zeros(1, np.int64)

    def work(self):
        """Make the call, unless another thread does."""
        if self.taken.acquire(blocking=False):
            try:
                self.function(*self.args)
            except BaseException as error:
                self.error = error
            # A helper that is late keeps the task in its queue: not the arrays, too.
            del self.function, self.args
            self.signal[0] = 1
            self.done.release()

    def wait(self):
        """Wait for the call to end, if anyone makes it; raise what it raised."""
        if not self.taken.locked():
            return
        if self.done.locked():
            wait(self.signal, 0, _PATIENCE, _CALLER_DELAY)
        self.done.acquire()
        if self.error is not None:
            raise self.error


class _Pool:
    """The helpers."""

    def __init__(self, n_threads):
        self.offers, self.signal = SimpleQueue(), np.zeros(1, np.int64)
        for _ in range(n_threads):
            threading.Thread(target=self._serve, daemon=True).start()

    def offer(self, tasks, n_helpers):
        for _ in range(n_helpers):
            self.offers.put(tasks)
        self.signal[0] += 1

    def _serve(self):
        while True:
            seen = self.signal[0]
            if self.offers.empty():
                wait(self.signal, seen, _PATIENCE, _HELPER_DELAY)
            for task in reversed(self.offers.get()):
                task.work()


class _Callers:
    """How many threads have something done now."""

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
def _pool(n_threads):
    """The helpers of the process."""
    return _Pool(n_threads)


_callers = _Callers()


def _forked():
    """Forget callers and helpers, which were left behind in the parent process."""
    global _callers
    _callers = _Callers()
    _pool.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
    # A child would wait forever for a thread of its parent's that compiles.
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )
