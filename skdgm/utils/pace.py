"""Whether help helps.

Two cores are not always twice one: they may be two halves of a core, or be lent to
other processes for a while. So what a kind of work takes is measured as it goes, with
help and without, and one is done as long as it is the quicker of the two, with a look
at the other now and then. Results do not depend on it.
"""

import time

# Every so often the slower way is tried again; averages forget at this rate.
_TRY, _FORGET = 16, 0.3


class Pace:
    """The seconds that a multiply-add of some kind takes, alone and with help.

    Parameters
    ----------
    period : int
        How many calls to stay with a choice. Kernels that work on the same weights
        find these in the caches where those before have left them, so one has to
        choose for all of them, and to wait for what comes of it.
    """

    def __init__(self, period):
        self.period, self.seconds = period, [None, None]
        self.helped, self.n_periods = True, 0
        self.n_calls, self.spent, self.done = 0, 0.0, 0.0

    def begin(self):
        """Whether to have help this time."""
        return self.helped

    def end(self, start, work):
        """Learn what it took since ``start``."""
        self.n_calls += 1
        self.spent += time.perf_counter() - start
        self.done += float(work)
        if self.n_calls == self.period:
            self._learn(self.spent / self.done)
            self.helped = self._choose()
            self.n_calls, self.spent, self.done = 0, 0.0, 0.0

    def _learn(self, now):
        before = self.seconds[self.helped]
        change = 0.0 if before is None else _FORGET * (now - before)
        self.seconds[self.helped] = now if before is None else before + change

    def _choose(self):
        self.n_periods += 1
        alone, helped = self.seconds
        if alone is None:
            return False
        return (helped < alone) != (self.n_periods % _TRY == 0)
