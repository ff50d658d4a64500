r"""Poisson distribution of counts.

.. math:: p(x \mid \eta) = \frac{1}{x!} \exp(\eta x - A(\eta)), \quad x \in \{0, 1,
   2, \dots\}, \quad A(\eta) = e^\eta, \quad \mathbb{E}[x] = A'(\eta) = e^\eta

With visible counts and binary hidden units, each hidden unit j that is on multiplies
the rate of count i by :math:`e^{W_{ij}}`.
"""

from typing import NamedTuple

import numpy as np

from skdgm.distributions.columnwise import Columnwise
from skdgm.distributions.counts import draw_poisson, log_factorials

# Maximum mean, so that counts are exact in float64.
_MAX_MEAN = 1e15


def draw_counts(mean, rng):
    """Draw Poisson counts with given means, (n_rows, size), by a stream per row."""
    rate = np.clip(mean.astype(np.float64), np.finfo(np.float32).tiny, _MAX_MEAN)
    return draw_poisson(rate, rng.uniform(mean.shape[1])).astype(mean.dtype)


class _PoissonFields(NamedTuple):
    size: int
    gain: object = 1.0
    typical: object = 1.0


class Poisson(_PoissonFields, Columnwise):
    """A block of counts, whose parameters are one log rate each.

    ``gain`` is that of :class:`~skdgm.distributions.columnwise.Columnwise`. ``typical``
    is the typical mean of all units, or of each, which determines step sizes of
    gradient updates.
    """

    __slots__ = ()
    listable, exponential = True, True

    def natural(self, mean):
        """Log rates for given means."""
        with np.errstate(divide="ignore"):
            return np.maximum(np.log(mean), -700.0)

    def log_base(self, x):
        return -log_factorials(x)

    def log_partitions(self, eta):
        return np.exp(np.asarray(eta, np.float64))

    def mean(self, eta):
        return np.exp(eta)

    def mode(self, eta):
        return np.floor(np.exp(np.minimum(eta, np.log(_MAX_MEAN))))

    def variance(self, params):
        """Variance of each unit at a low rate, a quarter of the typical mean, since
        rates vary by factors; at least 1/16."""
        low = np.maximum(0.25 * np.asarray(self.typical), 0.0625)
        return np.full_like(params, low)

    @property
    def typical_variance(self):
        """Typical variance of all units, or of each: the typical mean, at least 1."""
        return np.maximum(self.typical, 1.0)

    def draw_each(self, eta, rng):
        return draw_counts(np.exp(eta), rng)

    def grid(self, high=None):
        high = 10.0 if high is None else high
        x = np.arange(2 * high + 10)
        return x, np.zeros(len(x))
