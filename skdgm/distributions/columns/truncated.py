r"""Normal distribution truncated at 0, for columns of amounts.

.. math:: p(x \mid \theta, \lambda) = \exp(\theta x - \tfrac12 \lambda x^2 - A), \quad
   x \ge 0, \quad A = \frac{\theta^2}{2 \lambda} - \frac12 \log\frac{\lambda}{2\pi} +
   \log \Phi(\theta / \sqrt\lambda)

The parameters are those of a normal unit, a location b and :math:`\log \lambda`, with
:math:`\theta = \lambda (b + \text{input})`. For :math:`\theta` far below 0 the
distribution is exponential with rate :math:`-\theta`.
"""

import numpy as np

from skdgm.distributions.gaussian import Gaussian, Normal
from skdgm.distributions.normal_units import Rectified


class Truncated(Gaussian):
    """A block of real units of at least 0, with the parameters of :class:`Gaussian`."""

    __slots__ = ()

    def init(self, moments=None, dtype=np.float64):
        """Parameters for given means of the block without neighbors, and given
        variances before truncation; locations of 0 and variances of 1 by default."""
        if moments is None:
            return super().init(None, dtype)
        mean, variance = (np.asarray(values, np.float64) for values in moments)
        deviation = np.sqrt(np.broadcast_to(variance, self.size))
        location = self._unit.natural(mean / deviation) * deviation
        return Normal(location.astype(dtype), super().init((0, variance), dtype)[1])

    @property
    def _unit(self):
        return Rectified(self.size)

    def log_weight(self, eta, x):
        outside = (np.asarray(x) < 0).any(axis=-1)
        return np.where(outside, -np.inf, super().log_weight(eta, x))

    def log_partitions(self, eta):
        precision = np.asarray(eta.precision, np.float64)
        standard = self._unit.log_partitions(eta.theta / np.sqrt(precision))
        return standard - 0.5 * np.log(precision)

    def mean(self, eta):
        root_precision = np.sqrt(eta.precision)
        return self._unit.mean(eta.theta / root_precision) / root_precision

    def sample(self, eta, rng):
        mean, root_precision = self.mean(eta), np.sqrt(eta.precision)
        shape = len(rng.ids), self.size
        standard = np.broadcast_to(eta.theta / root_precision, shape)
        x = self._unit.draw_each(standard, rng).astype(mean.dtype) / root_precision
        return x, np.broadcast_to(mean, shape)

    def entropy(self, params, mean):
        """Entropy of each unit in nats, less the difference between the expected energy
        and the energy of the mean."""
        mean = np.asarray(mean)
        root_precision = np.exp(0.5 * params.log_precision)
        return (
            self._unit.entropy(None, mean * root_precision) - 0.5 * params.log_precision
        )
