"""Deferral of Ctrl-C to points where it is safe, and the limit of BLAS to one thread.

Python raises KeyboardInterrupt in the main thread between almost any two instructions,
even between acquiring a lock and the ``try`` that releases it. Code that must not be
interrupted runs within :class:`DeferredInterrupt`.

OpenBLAS divides products, and thus rounds them, differently for different numbers of
threads. Between one and two threads, 151 of 432 products of typical sizes differed. The
limit applies to the whole process. A counter ensures that the last of several fitting
threads restores the former limit. A forked process has only the forking thread, and
counts only the contexts of this thread.
"""

import os
import signal
import threading
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

try:  # Without conversion to enumerations, in a twentieth of the time.
    from _signal import getsignal as _handler
    from _signal import signal as _handle
except ImportError:
    _handler, _handle = signal.getsignal, signal.signal


class DeferredInterrupt:
    """Context manager that defers Ctrl-C to its end; a second Ctrl-C is raised at once.

    It has an effect only in the main thread, the only thread that Ctrl-C interrupts,
    and only if Python handles SIGINT. Contexts may be nested; the outermost context
    defers. If ``firm``, any number of Ctrl-C is deferred, also within another context,
    which is for very short contexts.
    """

    def __init__(self, firm=False):
        self.firm, self.before, self.came = firm, None, None

    def __enter__(self):
        if threading.get_ident() == threading.main_thread().ident:
            handler = _handler(signal.SIGINT)
            held = getattr(handler, "__func__", 0) is DeferredInterrupt.note
            if callable(handler) and (self.firm or not held):
                # Once this call has returned, a first Ctrl-C only sets a flag.
                self.before = _handle(signal.SIGINT, self.note)
        return self

    def __exit__(self, *error):
        if self.before is None:
            return
        _handle(signal.SIGINT, self.before)
        handler, self.before = self.before, None
        if self.came is not None:
            (frame,), self.came = self.came, None
            handler(signal.SIGINT, frame)

    def lifted(self):
        """Return a context within this context in which Ctrl-C is not deferred."""
        return _Lifted(self)

    def note(self, number, frame):
        """Handle Ctrl-C by setting a flag."""
        if self.came is not None and not self.firm:
            self.before(number, frame)
        self.came = (frame,)


class _Lifted:
    """Context manager that suspends a :class:`DeferredInterrupt`."""

    def __init__(self, held):
        self.held = held

    def __enter__(self):
        self.held.__exit__()

    def __exit__(self, *error):
        self.held.__enter__()


class _Count(threading.local):
    """Number of open contexts of each thread."""

    n = 0


_lock = threading.Lock()
_inside, _own = 0, _Count()
# Libraries that the limit has changed, with their former numbers of threads.
_limited = []


class one_blas_thread(DeferredInterrupt):
    """Context in which all BLAS libraries of the process use one thread.

    NumPy does not warn of invalid values within the context, because OpenBLAS can raise
    this flag in products of finite numbers when it reads beyond their end. Code that
    must detect NaN checks explicitly. ``brief`` promises that the context lasts at most
    some milliseconds: Ctrl-C is then deferred to its end, instead of twice, at its
    beginning and its end.
    """

    def __init__(self, brief=False):
        super().__init__(firm=True)
        self.brief, self.inside = brief, False

    def __enter__(self):
        if _own.n:  # An enclosing context sets the limit.
            return
        super().__enter__()
        self.flags = np.errstate(invalid="ignore")
        self.flags.__enter__()
        _enter()
        self.inside = True
        if self.before is not None and not self.brief:
            _handle(signal.SIGINT, self._raise)
            if self.came is not None:
                self.__exit__()

    def __exit__(self, *error):
        if self.inside:
            if self.before is not None and not self.brief:
                handler = _handle(signal.SIGINT, self.note)
                # A callback may have set another handler.
                if getattr(handler, "__self__", None) is not self:
                    self.before = handler
            self.inside = False
            _leave()
            self.flags.__exit__(*error)
            super().__exit__()

    def _raise(self, number, frame):
        """Raise Ctrl-C where it does no harm: not within ``__enter__`` or ``__exit__``,
        where Python also checks for signals."""
        former_handler, codes, caller = self.before, set(), frame
        while caller is not None:
            codes.add(caller.f_code)
            caller = caller.f_back
        if one_blas_thread.__exit__.__code__ in codes:
            self.note(number, frame)
            return
        if one_blas_thread.__enter__.__code__ in codes:
            self.__exit__()
        former_handler(number, frame)


def _enter():
    global _inside
    with _lock:
        if _inside == 0:
            _limit()
        _inside += 1
        _own.n += 1


def _leave():
    global _inside
    with _lock:
        _inside -= 1
        _own.n -= 1
        if _inside == 0:
            _lift()


def _limit():
    """Set BLAS to one thread, where it has more."""
    for library in _blas():
        n_threads = library.num_threads
        if n_threads not in (1, None):
            _limited.append((library, n_threads))
            _set(library, 1)


def _lift():
    """Restore the number of threads of BLAS."""
    while _limited:
        library, n_threads = _limited.pop()
        _set(library, n_threads)


@cache
def _controller():
    """Controller of the loaded libraries, cached because the search is slow."""
    return ThreadpoolController()


@cache
def _blas():
    """Controllers of the loaded BLAS libraries."""
    libraries = _controller().lib_controllers
    return [library for library in libraries if library.user_api == "blas"]


def _set(library, n_threads):
    """Set a library's number of threads from any thread; threadpoolctl reserves this to
    the first thread that does so."""
    release = getattr(library, "clear_controlling_thread", lambda force: None)
    release(force=True)
    library.set_num_threads(n_threads)
    release(force=True)


def _forked():
    """Count only the contexts of the forking thread, the only thread that exists."""
    global _inside
    _inside = _own.n
    if _inside == 0:
        _lift()
    _lock.release()


if hasattr(os, "register_at_fork"):
    # Hold the lock during a fork, so that it is consistent in parent and child.
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_forked
    )
