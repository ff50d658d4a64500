r"""Units with one natural parameter each, whose statistic is proportional to the value.

.. math:: p(x \mid \eta) = w(x) \, e^{\eta x - A(\eta)}, \qquad \mathbb{E}[x] =
   A'(\eta), \qquad \eta = g (\text{bias} + \text{input}), \qquad T(x) = g x

The constant g, the *gain*, is the inverse of the scale of values, so that biases and
weights are of the same order for units of any scale. A distribution defines :math:`\log
w`, A, its derivative and draws of a unit, from which all other methods of a block
follow.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from skdgm.distributions.roles import Unit

# Bounds of the bisection for natural parameters, and its number of steps.
_MAX_PARAMETER, _N_BISECTIONS = 2.0**12, 80


class Sized(NamedTuple):
    """Number of units of a block, and their gain: a number, or a tuple by unit."""

    size: int
    gain: object = 1.0


class Columnwise(Unit):
    """A block of independent units, whose parameters are one bias each.

    Subclasses are named tuples with the fields of :class:`Sized`.
    """

    __slots__ = ()
    n_states, numbers = np.inf, True
    size: int
    gain: Any
    _replace: Callable
    _asdict: Callable

    def curvature(self, params):
        """Sum of the inverse variances of statistics given the neighbors; gains make
        each variance about 1."""
        precisions = np.ravel(self.scale(params)) ** -2.0
        inverse = self.inverse_information(params)
        precisions = precisions if inverse is None else np.maximum(precisions, inverse)
        return np.maximum(1.0, precisions).sum(dtype=float)

    def field(self, params, received=0.0):
        """Natural parameters eta: gain times the sum of bias and received input."""
        return self._times_gain(params + received)

    def statistic(self, params, x):
        """Sufficient statistic of x: gain times x."""
        return self._times_gain(np.asarray(x))

    def param_grad(self, params, x, received):
        """Derivative of each row's log weight by the bias: the statistic."""
        return self.statistic(params, x)

    def _times_gain(self, x):
        if isinstance(self.gain, tuple):
            return x * np.array(self.gain, x.dtype)
        return x if self.gain == 1 else x * x.dtype.type(self.gain)

    def scale(self, params):
        """Standard deviation of the statistic without neighbors, (size, 1), or its
        maximum if a distribution has a maximum."""
        return self.statistic(params, np.sqrt(self.variance(params)))[:, None]

    def variance(self, params):
        """Variance of each unit: 1."""
        return np.ones_like(params)

    def inverse_information(self, params):
        """Inverse Fisher information of each bias at the typical variance of its unit,
        (size,), at least 1. It exceeds 1 where a gain is for values that vary more than
        the unit does given its neighbors. None if it is 1 for all units."""
        if self.typical_variance is None:
            return None
        inverse = 1 / (np.square(self.gain) * self.typical_variance)
        return (
            np.full_like(params, np.maximum(1.0, inverse))
            if np.any(inverse > 1)
            else None
        )

    @property
    def typical_variance(self):
        """Typical variance given the neighbors, by unit; None if gains match it."""
        return None

    def only(self, entries):
        fields = {
            name: tuple(np.array(values)[entries].tolist())
            for name, values in self._asdict().items()
            if isinstance(values, tuple)
        }
        return self._replace(**fields | {"size": len(entries)})

    @abstractmethod
    def log_base(self, x):
        """Log of the base measure w of each entry, in the shape of x, float64."""

    @abstractmethod
    def log_partitions(self, eta):
        """A(eta) of each unit, in the shape of eta, float64."""

    @abstractmethod
    def draw_each(self, eta, rng):
        """Draw a value of each unit, (n_rows, size), float64."""

    @abstractmethod
    def grid(self, high=None):
        r"""Nodes for sums or integrals over values and their log weights, each
        (n_values,). Unbounded values end at ``high``, the highest value of interest.

        .. math:: \int p(x) \, f(x) = \sum_i e^{\text{log\_weight}_i} p(x_i) f(x_i)
        """

    def init(self, moments=None, dtype=np.float64):
        """Biases for given means of the block without neighbors; by default zeros."""
        if moments is None:
            return np.zeros(self.size, dtype)
        eta = self.natural(np.asarray(moments, np.float64))
        return (eta / np.asarray(self.gain)).astype(dtype)

    def natural(self, mean):
        """Natural parameters for given means, by bisection, float64."""
        low = np.full(np.shape(mean), -_MAX_PARAMETER)
        high = -low
        for _ in range(_N_BISECTIONS):
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
        log_w = np.where(clamped, self.log_base(x), 0.0).sum(axis=1, keepdims=True)
        return x @ eta.T + log_w + ~clamped @ self.log_partitions(eta).T

    def sample(self, eta, rng):
        shape = len(rng.ids), self.size
        mean, eta = (np.broadcast_to(values, shape) for values in (self.mean(eta), eta))
        return self.draw_each(eta, rng).astype(mean.dtype), mean

    def entropy(self, params, mean):
        """Entropy of each unit, plus log w at the mean less the expectation of log w.
        The correction matches ``log_weight``, which uses log w at the mean."""
        mean = np.asarray(mean)
        eta = self.natural(mean.astype(np.float64))
        return self.log_partitions(eta) - eta * mean - self.log_base(mean)
