r"""How the learning rate and the number of Gibbs steps change during training.

With t the number of epochs done (a real number) of T:

=============  ==========================================
"constant"     :math:`\epsilon`
"invscaling"   :math:`\epsilon \, (1 + t)^{-\text{power}}`
"linear"       :math:`\epsilon \, (1 - t / T)`
=============  ==========================================

Without an end (T unknown) "linear" is constant.
"""

from math import inf
from numbers import Integral
from typing import NamedTuple

from skdgm.utils.counts import is_a


class Clock(NamedTuple):
    """Where training stands.

    Parameters
    ----------
    epoch : int
    n_epochs : int or None
        None where nobody knows the end.
    batch, n_batches : int
    """

    epoch: int
    n_epochs: int = None
    batch: int = 0
    n_batches: int = 1

    @property
    def epochs_done(self):
        """Epochs done, a real number."""
        return self.epoch + self.batch / self.n_batches


def learning_rate(initial, schedule, clock, power=0.5):
    """The learning rate now."""
    if schedule == "invscaling":
        return initial / (1.0 + clock.epochs_done) ** power
    if schedule == "linear" and clock.n_epochs is not None:
        return initial * (1.0 - clock.epochs_done / clock.n_epochs)
    return initial


def check_staircase(name, values, kind, low, high=inf):
    """Raise ValueError where :func:`staircase` would have nothing to go by: numbers of
    a kind, of at least ``low`` and below ``high``."""
    steps = values if isinstance(values, tuple) else (values,)
    if not steps or not all(is_a(kind, n) and low <= n < high for n in steps):
        what = "an int" if kind is Integral else "a number"
        limit = f" and below {high}" if high < inf else ""
        raise ValueError(
            f"{name} must be {what} of at least {low}{limit}, or a tuple of such, "
            f"which share the epochs evenly; got {values!r}."
        )


def staircase(values, clock):
    """One value throughout, or the one whose turn it is of several.

    Several values share the epochs evenly: (1, 3, 10) over 30 epochs holds each
    for 10. Of more values than epochs the last ones have one each; without an end it is
    the very last.
    """
    if not isinstance(values, tuple):
        return values
    if clock.n_epochs is None:
        return values[-1]
    turn = len(values) * clock.epoch // clock.n_epochs
    return values[max(turn, len(values) - clock.n_epochs + clock.epoch)]
