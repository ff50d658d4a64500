"""Tables of progress, which verbose estimators print."""

import time
from typing import Any

# Minimum time between printed lines, in seconds.
_LINE_PAUSE = 1.0
# Minimum width of a printed number.
_WIDTH = 9


class ProgressTable:
    """Printed table with a line for each step of a long computation: the number of
    units done of ``total``, further columns, the time since the start, and the expected
    time left.

    The first and the last step are printed, and at most one step a second between them.
    Each line starts with ``name``. ``units`` is the header of the first column.
    """

    def __init__(self, name, units, total):
        self.name, self.units, self.total = name, units, total
        self.started: Any = None
        self.first: Any = None
        self.unprinted: Any = None

    def begin(self, done=0):
        """Note the time of the start, at which ``done`` units are done."""
        if self.started is None:
            self.started, self.begun = time.perf_counter(), done

    def add(self, done, cells):
        """Print a step, unless another was printed less than a second ago; ``cells`` is
        a dict of texts by column."""
        now = time.perf_counter()
        self.unprinted = done, cells, now
        if self.first is None:
            self.first, self.after_first = done, now
            self.names = [self.units, *cells, "time", "left"]
            self._print(self.names)
        if done == self.first or now - self.printed >= _LINE_PAUSE:
            self._print_step()

    def finish(self):
        """Print the last step."""
        if self.unprinted is not None:
            self._print_step()

    def _print_step(self):
        done, cells, now = self.unprinted
        # The first step may compile kernels, and does not count if there are others.
        later = done > self.first
        n_done = done - (self.first if later else self.begun)
        since = now - (self.after_first if later else self.started)
        left = since / max(1, n_done) * max(0, self.total - done)
        times = duration(now - self.started), duration(left)
        self._print([f"{done}/{self.total}", *cells.values(), *times])
        self.printed, self.unprinted = now, None

    def _print(self, cells):
        widths = [max(_WIDTH, len(name)) for name in self.names]
        widths[0] = max(widths[0], 2 * len(str(self.total)) + 1)
        cells = (f"{cell:>{width}}" for cell, width in zip(cells, widths))
        print(f"[{self.name}] {'  '.join(cells)}")


def duration(seconds):
    """Short text of a number of seconds."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{seconds:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m"
