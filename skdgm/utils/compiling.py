"""Word of kernels that are being compiled, which takes seconds, and happens once.

What was compiled is kept on disk, beside the kernels or in ``NUMBA_CACHE_DIR``. The
logger "skdgm" hears of it, at the level INFO, and so does whoever asked to.
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
# Compilations with no longer pauses, in seconds, are one.
_PAUSE = 10.0


class _Listener(event.Listener):
    """Hears of what Numba compiles, not of what it finds on disk."""

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
    """Have ``other.compiling(message)`` called, as long as there is such an object."""
    _listener.others.add(other)
