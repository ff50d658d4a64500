r"""Units of one natural parameter each, whose statistic is the value itself.

.. math:: p(x \mid \eta) = w(x) \, e^{\eta x - A(\eta)}, \qquad \mathbb{E}[x] =
   A'(\eta), \qquad \eta = g (\text{bias} + \text{input}), \qquad T(x) = g x

with a constant g, the *gain*: the inverse of the size of values, by which biases and
weights are of the same order for units of any scale. All that an energy asks of a block
of such units follows from :math:`\log w`, A, its derivative and draws, which a
distribution gives for each unit.
"""

from abc import abstractmethod
from typing import NamedTuple

import numpy as np

from skdgm.distributions.roles import Unit

# Natural parameters are sought within these limits, in so many halvings.
_FAR, _HALVINGS = 2.0**12, 80


class Sized(NamedTuple):
    """Number of units of a block, and their gain: of all, or a tuple."""

    size: int
    gain: object = 1.0


class Columnwise(Unit):
    """A block of independent units, whose parameters are one bias each.

    Subclasses are named tuples with the fields of :class:`Sized`.
    """

    __slots__ = ()
    n_states, numbers = np.inf, True

    def curvature(self, own):
        """Sum of precisions of statistics given the neighbours: gains make variances
        about 1."""
        found = np.ravel(self.scale(own)) ** -2.0
        longer = self.inverse_information(own)
        found = found if longer is None else np.maximum(found, longer)
        return np.maximum(1.0, found).sum(dtype=float)

    def field(self, own, received=0.0):
        """Natural parameters eta: gain times bias + input from the neighbours."""
        return self._times_gain(own + received)

    def statistic(self, own, x):
        """Sufficient statistic of x: gain times x."""
        return self._times_gain(np.asarray(x))

    def param_grad(self, own, x, received):
        """Derivative of each row's log weight by the bias: the statistic."""
        return self.statistic(own, x)

    def _times_gain(self, x):
        if isinstance(self.gain, tuple):
            return x * np.array(self.gain, x.dtype)
        return x if self.gain == 1 else x * x.dtype.type(self.gain)

    def scale(self, own):
        """Standard deviation of the statistic, (size, 1): without neighbours, unless a
        distribution has one at most."""
        return self.statistic(own, np.sqrt(self.variance(own)))[:, None]

    def variance(self, own):
        """Variance of each unit: 1."""
        return np.ones_like(own)

    def inverse_information(self, own):
        """Inverse Fisher information of each bias at the typical variance of its unit,
        (size,), above 1 where a gain fits values that vary more than the unit does
        given its neighbours; None where no gain does."""
        if self.typical_variance is None:
            return None
        found = 1 / (np.square(self.gain) * self.typical_variance)
        return np.full_like(own, np.maximum(1.0, found)) if np.any(found > 1) else None

    @property
    def typical_variance(self):
        """Variance of all units, or of each, given their neighbours; None where gains
        fit it."""
        return None

    def only(self, entries):
        """Block of some of the units, given by their indices."""
        parts = {
            name: tuple(np.array(part)[entries].tolist())
            for name, part in self._asdict().items()
            if isinstance(part, tuple)
        }
        return self._replace(**parts | {"size": len(entries)})

    @abstractmethod
    def log_base(self, x):
        """Log of the base measure w of each entry, in the shape of x, float64."""

    @abstractmethod
    def log_partitions(self, eta):
        """A(eta) of each unit, in the shape of eta, float64."""

    @abstractmethod
    def mean(self, eta):
        """Mean of each unit, with the shape and dtype of ``eta``."""

    @abstractmethod
    def draw_each(self, eta, rng):
        """Draw a value of each unit: (n_rows, size), float64."""

    @abstractmethod
    def grid(self, high=None):
        r"""Values over which probabilities are summed, or densities integrated, and
        their log weights, each (n_values,): of infinitely many up to a highest value of
        interest.

        .. math:: \int p(x) \, f(x) = \sum_i e^{\text{log\_weight}_i} p(x_i) f(x_i)
        """

    def init(self, moments=None, dtype=np.float64):
        """Biases with which the block without neighbours has the given means; zeros
        without means."""
        if moments is None:
            return np.zeros(self.size, dtype)
        eta = self.natural(np.asarray(moments, np.float64))
        return (eta / np.asarray(self.gain)).astype(dtype)

    def natural(self, mean):
        """Natural parameters of given means, by bisection, in float64."""
        low = np.full(np.shape(mean), -_FAR)
        high = -low
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            above = self.mean(middle) > mean
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return 0.5 * (low + high)

    def log_weight(self, eta, x):
        x = np.asarray(x)
        return (x * eta).sum(axis=-1, dtype=np.float64) + self.log_base(x).sum(axis=-1)

    def log_partition(self, eta):
        return self.log_partitions(eta).sum(axis=-1)

    def log_evidence(self, eta, x, clamped):
        x, eta = np.where(clamped, x, 0.0), np.atleast_2d(np.asarray(eta, np.float64))
        own = np.where(clamped, self.log_base(x), 0.0).sum(axis=1, keepdims=True)
        return x @ eta.T + own + ~clamped @ self.log_partitions(eta).T

    def sample(self, eta, rng):
        shape = len(rng.ids), self.size
        mean, eta = (np.broadcast_to(part, shape) for part in (self.mean(eta), eta))
        return self.draw_each(eta, rng).astype(mean.dtype), mean

    def entropy(self, own, mean):
        """Entropy of each unit, with the expectation of log w less its value at the
        mean, as ``log_weight`` of a mean takes the latter."""
        mean = np.asarray(mean)
        eta = self.natural(mean.astype(np.float64))
        return self.log_partitions(eta) - eta * mean - self.log_base(mean)
