r"""Schedules of the learning rate, the number of Gibbs steps and other options.

With t the number of epochs done (a real number) of T, the learning rate is

=============  ==========================================
"constant"     :math:`\epsilon`
"invscaling"   :math:`\epsilon \, (1 + t)^{-\text{power}}`
"linear"       :math:`\epsilon \, (1 - t / T)`
"cooldown"     :math:`\epsilon \, \min(1, 5 (1 - t / T))`
=============  ==========================================

The last two are constant if T is unknown. "cooldown" [1]_ learns as far as a constant
rate does, and as quietly in the end as one that falls all the time.

References
----------
.. [1] Hägele, Bakouch, Kosson, Ben Allal, Von Werra and Jaggi (2024). Scaling laws and
   compute-optimal training beyond fixed training durations. NeurIPS.
"""

from math import inf
from numbers import Integral
from typing import NamedTuple

import numpy as np

from skdgm.utils.counts import is_a

# Share of the epochs in which the rate falls, with "cooldown".
_COOLDOWN = 0.2


class Clock(NamedTuple):
    """Position in training: complete epochs of how many (None if unknown), and the
    batch within the epoch of how many."""

    epoch: int
    n_epochs: int | None = None
    batch: int = 0
    n_batches: int = 1

    @property
    def epochs_done(self):
        """Number of epochs done, a real number: batches count as fractions."""
        return self.epoch + self.batch / self.n_batches


def learning_rate(initial, schedule, clock, power=0.5):
    """Learning rate at a time, as the table of :mod:`skdgm.optim.schedules` says;
    ``power`` is the exponent of "invscaling"."""
    factor = 1.0
    if schedule == "invscaling":
        # NumPy's power is infinite where Python's raises OverflowError.
        with np.errstate(over="ignore"):
            factor = 1.0 / np.power(1.0 + clock.epochs_done, power)
    elif schedule in ("linear", "cooldown") and clock.n_epochs is not None:
        factor = 1.0 - clock.epochs_done / clock.n_epochs
        if schedule == "cooldown":
            factor = np.minimum(1.0, factor / _COOLDOWN)
    # A number of NumPy's would make float64 of what it is multiplied by.
    return initial * (factor if np.ndim(factor) else float(factor))


def check_piecewise(name, values, kind, low, high=inf):
    """Raise ValueError unless values of a piecewise-constant schedule, a number or a
    tuple that is not empty, are of a kind, at least ``low`` and below ``high``."""
    steps = values if isinstance(values, tuple) else (values,)
    if not steps or not all(is_a(kind, n) and low <= n < high for n in steps):
        what = "an int" if kind is Integral else "a number"
        limit = f" and below {high}" if high < inf else ""
        raise ValueError(
            f"{name} must be {what} of at least {low}{limit}, or a tuple of such, "
            f"which share the epochs evenly; got {values!r}."
        )


def piecewise(values, clock):
    """Value of a piecewise-constant schedule at a time; a single number is constant.

    Several values share the epochs evenly: (1, 3, 10) over 30 epochs uses each for 10.
    With more values than epochs, the last values get one epoch each; if the number of
    epochs is unknown, the last value is used throughout.
    """
    if not isinstance(values, tuple):
        return values
    if clock.n_epochs is None:
        return values[-1]
    turn = len(values) * clock.epoch // clock.n_epochs
    return values[max(turn, len(values) - clock.n_epochs + clock.epoch)]
