"""Whether help helps.

Two cores are not always twice one: they may be two halves of a core, or be lent to
other processes for a while. So what a kind of work takes is measured as it goes, with
help and without, and one is done as long as it is the quicker of the two, with a look
at the other now and then. Results do not depend on it.
"""

import time

# Every so often the slower way is tried again; averages forget at this rate.
_TRY, _FORGET = 32, 0.2


class Pace:
    """The seconds that a multiply-add of some kind takes, alone and with help."""

    def __init__(self):
        self.seconds, self.n_calls = [None, None], 0

    def begin(self):
        """Whether to have help this time."""
        self.n_calls += 1
        alone, helped = self.seconds
        if helped is None or alone is None:
            return helped is None
        return bool(helped < alone) != (self.n_calls % _TRY == 0)

    def end(self, helped, start, work):
        """Learn what it took since ``start``."""
        now = float((time.perf_counter() - start) / work)
        before = self.seconds[helped]
        change = 0.0 if before is None else _FORGET * (now - before)
        self.seconds[helped] = now if before is None else before + change
