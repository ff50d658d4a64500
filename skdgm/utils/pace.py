"""Choice between one thread and several, by measured speed.

Two cores are not always twice as fast as one: they may be hardware threads of the same
core, or be busy with other processes. The time that a kind of work takes is therefore
measured as it runs, with helper threads and without, and the faster way is used, with
an occasional trial of the other. Results do not depend on the choice.
"""

import time

# Periods between trials of the slower way; rate of the exponential moving averages.
_TRY, _FORGET = 16, 0.3


class Pace:
    """Time per multiply-add of one kind of work, with one thread and with helpers.

    Parameters
    ----------
    period : int
        Number of calls between choices. Kernels that work on the same weights find
        them in the caches of the cores that used them last, so a choice has to hold for
        all of these kernels, and for a while, before its effect can be measured.
    """

    def __init__(self, period):
        self.period, self.seconds = period, [None, None]
        self.helped, self.n_periods = True, 0
        self.n_calls, self.spent, self.done = 0, 0.0, 0.0

    def begin(self):
        """Return whether to use helper threads for the next call."""
        return self.helped

    def end(self, start, work):
        """Record a call, and choose anew at the end of a period.

        Parameters
        ----------
        start : float
            Value of ``time.perf_counter()`` when the call began.
        work : float
            Multiply-adds of the call.
        """
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
