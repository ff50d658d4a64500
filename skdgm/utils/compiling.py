"""Notification that kernels are being compiled, which takes seconds and happens once.

Compiled kernels are cached on disk, beside their sources or in ``NUMBA_CACHE_DIR``.
A compilation is reported to the logger "skdgm", at level INFO, and to the objects
registered by :func:`tell`.
"""

import logging
import math
import time
from weakref import WeakSet

from numba.core import event

MESSAGE = (
    "Compiling kernels for data of this type: some seconds, up to half a minute, at "
    "the first use only."
)
# Compilations less than this many seconds apart are reported as one.
_PAUSE = 10.0


class _Listener(event.Listener):
    """Listener to Numba's compilations; kernels loaded from disk trigger no event."""

    def __init__(self):
        self.last, self.others, self.told = -math.inf, WeakSet(), WeakSet()

    def on_start(self, event):
        if not _is_ours(event):
            return
        if time.monotonic() - self.last > _PAUSE:
            logging.getLogger("skdgm").info(MESSAGE)
            self.told.clear()
        for other in self.others - self.told:
            other.compiling(MESSAGE)
            self.told.add(other)
        self.last = time.monotonic()

    def on_end(self, event):
        if _is_ours(event):
            self.last = time.monotonic()


def _is_ours(event):
    return event.data["dispatcher"].py_func.__module__.startswith("skdgm.")


_listener = _Listener()
event.register("numba:compile", _listener)


def tell(other):
    """Register an object whose ``compiling(message)`` is called when kernels compile.

    Only a weak reference is kept.
    """
    _listener.others.add(other)
