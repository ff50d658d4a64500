"""Hooks for the beginning and the end of an epoch, and for the compilation of kernels.

Kernels are compiled once, which takes seconds, and cached on disk, next to their
sources or in ``NUMBA_CACHE_DIR``. Compilation is reported to the logger "skdgm" at
level INFO, and to the objects registered with :func:`tell`.
"""

import logging
import math
import sys
import time
from typing import Any
from weakref import WeakSet

import numpy as np
from numba.core import event

from skdgm.utils.progress import ProgressTable
from skdgm.utils.tree import copy

MESSAGE = (
    "Compiling kernels for data of this type: some seconds, up to half a minute, at "
    "the first use only."
)
# Compilations less than this many seconds apart are reported as one.
_PAUSE = 10.0
# Least factor of the learning rate after epochs that diverged.
_MIN_PACE = 1 / 8


class Hook:
    """Base class of hooks, whose methods do nothing by default."""

    def begin(self, epoch):
        """Respond to the beginning of an epoch, given its number."""

    def end(self, report: Any) -> bool:
        """Respond to the Report of an epoch; return True to stop training."""
        return False

    def finish(self):
        """Respond to the end of training, after the last epoch."""


class EarlyStopping(Hook):
    """Early stopping, which keeps ``best``, a copy of the state with the lowest
    validation loss. Training stops after ``patience`` epochs, from epoch ``since``,
    without an improvement of more than ``tol`` nats per row. ``pace`` is a factor of
    the learning rate."""

    def __init__(self, patience, tol, since=0):
        self.patience, self.tol, self.since = patience, tol, since
        self.best: Any = None
        self.lowest, self.best_epoch = np.inf, None
        self.mark, self.waited, self.pace = np.inf, 0, 1.0

    def undoes(self, epochs):
        """Return whether to continue from the best state, if it is that of an epoch,
        after an epoch that diverged; halve ``pace`` if so."""
        has_best = self.best is not None and self.best_epoch >= epochs.start
        if not has_best or self.pace <= _MIN_PACE:
            return False
        self.pace /= 2
        return True

    def begin_with(self, state, epoch, validation):
        """Keep the state before ``epoch``, the first epoch, as the best so far."""
        if validation < self.lowest:
            self.best, self.lowest = copy(state), validation
            self.best_epoch = epoch - 1

    def end(self, report):
        """Compare the epoch with the best, unless its loss is above the limit; return
        True if patience is exhausted."""
        if report.epoch < self.since or not report.within_limit:
            return False
        if report.validation < self.lowest:
            self.best, self.lowest = copy(report.state), report.validation
            self.best_epoch = report.epoch
        if report.validation < self.mark - self.tol:
            self.mark, self.waited = report.validation, 0
        else:
            self.waited += 1
        return self.waited >= self.patience


class Verbose(Hook):
    """Hook that prints a table of epochs: minus the loss, which is called ``quantity``,
    and the same of held-out rows."""

    def __init__(self, name, quantity, n_epochs):
        self.name, self.quantity = name, quantity
        self.table = ProgressTable(name, "epoch", n_epochs)
        tell(self)

    def compiling(self, message):
        """Print to stderr that kernels are being compiled."""
        print(f"[{self.name}] {message}", file=sys.stderr)

    def begin(self, epoch):
        """Note the time of the first epoch."""
        self.table.begin(epoch)

    def end(self, report):
        """Print an epoch, unless another was printed less than a second ago."""
        losses = {self.quantity: report.loss, "held out": report.validation}
        cells = {k: f"{0.0 - v:.2f}" for k, v in losses.items() if v is not None}
        self.table.add(report.epoch + 1, cells)
        return False

    def finish(self):
        """Print the last epoch."""
        self.table.finish()


class _Listener(event.Listener):
    """Listener to Numba's compilations; loading a kernel triggers no event."""

    def __init__(self):
        self.last, self.others, self.informed = -math.inf, WeakSet(), WeakSet()

    def on_start(self, event):
        if not _is_ours(event):
            return
        if time.monotonic() - self.last > _PAUSE:
            logging.getLogger("skdgm").info(MESSAGE)
            self.informed.clear()
        for other in self.others - self.informed:
            other.compiling(MESSAGE)
            self.informed.add(other)
        self.last = time.monotonic()

    def on_end(self, event):
        if _is_ours(event):
            self.last = time.monotonic()


def _is_ours(event):
    return event.data["dispatcher"].py_func.__module__.startswith("skdgm.")


_listener = _Listener()
event.register("numba:compile", _listener)


def tell(other):
    """Register an object whose ``compiling(message)`` is called when kernels are
    compiled. Only a weak reference is kept."""
    _listener.others.add(other)
