r"""Schedules of the learning rate, the number of Gibbs steps and other options.

The learning rate after t of T epochs (a real number) is

=============  ==========================================
"constant"     :math:`\epsilon`
"invscaling"   :math:`\epsilon \, (1 + t)^{-\text{power}}`
"linear"       :math:`\epsilon \, (1 - t / T)`
"cooldown"     :math:`\epsilon \, \min(1, 5 (1 - t / T))`
=============  ==========================================

The last two are constant if T is unknown. "cooldown" [1]_ makes as much progress as a
constant rate, and ends with as little noise as a decreasing rate.

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

# Share of the epochs in which "cooldown" decreases the rate.
_COOLDOWN = 0.2


class Clock(NamedTuple):
    """Position in training: number of completed epochs, total number of epochs (None if
    unknown), number of the batch in its epoch, number of batches of an epoch, and a
    factor of the learning rate."""

    epoch: int
    n_epochs: int | None = None
    batch: int = 0
    n_batches: int = 1
    pace: float = 1.0

    @property
    def epochs_done(self):
        """Number of completed epochs, a real number: batches count as fractions."""
        return self.epoch + self.batch / self.n_batches


def learning_rate(initial, schedule, clock, power=0.5):
    """Learning rate at a position in training, by the table of
    :mod:`skdgm.optim.schedules`; ``power`` is the exponent of "invscaling"."""
    factor = 1.0
    if schedule == "invscaling":
        # NumPy's power is infinite where Python's raises OverflowError.
        with np.errstate(over="ignore"):
            factor = 1.0 / np.power(1.0 + clock.epochs_done, power)
    elif schedule in ("linear", "cooldown") and clock.n_epochs is not None:
        factor = 1.0 - clock.epochs_done / clock.n_epochs
        if schedule == "cooldown":
            factor = np.minimum(1.0, factor / _COOLDOWN)
    factor = factor * clock.pace
    # A NumPy number would turn float32 arrays into float64.
    return initial * (factor if np.ndim(factor) else float(factor))


def check_piecewise(name, values, kind, low, high=inf):
    """Raise ValueError unless the values of a piecewise-constant schedule are valid: a
    number or a nonempty tuple of the given kind, at least ``low`` and below
    ``high``."""
    steps = values if isinstance(values, tuple) else (values,)
    if not steps or not all(is_a(kind, n) and low <= n < high for n in steps):
        what = "an int" if kind is Integral else "a number"
        limit = f" and below {high}" if high < inf else ""
        raise ValueError(
            f"{name} must be {what} of at least {low}{limit}, or a tuple of such, "
            f"which share the epochs evenly; got {values!r}."
        )


def piecewise(values, clock):
    """Current value of a piecewise-constant schedule; a single number is constant.
    Several values share the epochs evenly: (1, 3, 10) over 30 epochs uses each for 10.
    With more values than epochs, the last values get one epoch each. The last value is
    used throughout if the number of epochs is unknown."""
    if not isinstance(values, tuple):
        return values
    if clock.n_epochs is None:
        return values[-1]
    turn = len(values) * clock.epoch // clock.n_epochs
    return values[max(turn, len(values) - clock.n_epochs + clock.epoch)]
