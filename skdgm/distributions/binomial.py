r"""Binomial distribution of counts up to n.

.. math:: p(x \mid \eta) = \binom{n}{x} \exp(\eta x - A(\eta)), \quad x \in \{0, \dots,
   n\}, \quad A(\eta) = n \log(1 + e^\eta), \quad \mathbb{E}[x] = n \sigma(\eta)

A binomial unit is the sum of n binary units that share a bias and their weights.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logit, xlog1py, xlogy

from skdgm.distributions.columnwise import Columnwise
from skdgm.distributions.counts import draw_binomial, log_factorials
from skdgm.utils.math import sigmoid, softplus


class _BinomialFields(NamedTuple):
    size: int
    n: object = 1
    gain: object = 1.0
    typical: object = None


class Binomial(_BinomialFields, Columnwise):
    """A block of counts up to ``n``, a number or one for each unit, whose parameters
    are log odds. ``gain`` is that of
    :class:`~skdgm.distributions.columnwise.Columnwise`; ``typical`` is the typical mean
    of all units, or of each, by default n / 2."""

    __slots__ = ()
    listable, scaled = True, True

    @property
    def exponential(self):
        """True if means far below n grow exponentially with fields."""
        return bool((self.typical_variance < self._n / 16).any())

    @property
    def ends(self):
        return 0.0, self._n * np.asarray(self.gain)

    @property
    def _n(self):
        return np.broadcast_to(np.asarray(self.n, np.float64), self.size)

    def natural(self, mean):
        """Log odds for given means."""
        return logit(np.asarray(mean) / self._n).clip(-700, 700)

    def log_base(self, x):
        x, n = np.asarray(x, np.float64), self._n
        return log_factorials(n) - log_factorials(x) - log_factorials(n - x)

    def log_partitions(self, eta):
        return self._n * softplus(np.asarray(eta, np.float64))

    def mean(self, eta):
        return sigmoid(eta) * self._n.astype(eta.dtype)

    def mode(self, eta):
        return np.minimum(np.floor(sigmoid(eta) * (self._n + 1)), self._n)

    def variance(self, params):
        """Maximum variance of each unit, n / 4."""
        return (0.25 * self._n).astype(params.dtype)

    @property
    def typical_variance(self):
        """Variance of each unit at its typical mean, at least min(1, n / 4)."""
        high = 0.25 * self._n
        if self.typical is None:
            return high
        mean = np.asarray(self.typical).clip(0, self._n)
        return np.clip(mean * (1 - mean / self._n), np.minimum(high, 1.0), high)

    def draw_each(self, eta, rng):
        p, uniform = sigmoid(np.asarray(eta, np.float64)), rng.uniform(self.size)
        return draw_binomial(np.broadcast_to(p, uniform.shape), self._n, uniform)

    def draw(self, mean, rng):
        """Draw counts with given means."""
        return self.draw_each(logit(mean / self._n), rng).astype(mean.dtype)

    def log_prob(self, mean, x):
        """Log probability of each row of x given its row of means, float64."""
        p, x = np.asarray(mean, np.float64) / self._n, np.asarray(x, np.float64)
        kernel = xlogy(x, p) + xlog1py(self._n - x, -p)
        return (kernel + self.log_base(x)).sum(axis=1)

    def grid(self, high=None):
        x = np.arange(self._n.max(initial=0) + 1)
        return x, np.zeros(len(x))

    @property
    def n_states(self):
        """Number of joint states of the block."""
        return int(np.prod([int(n) + 1 for n in self._n], dtype=object))

    def states(self, codes):
        """Joint states by number, (n_codes, size): digits in mixed radix n + 1."""
        x = np.empty((len(codes), self.size))
        for j, n in enumerate(self._n.astype(int)):
            codes, x[:, j] = np.divmod(codes, n + 1)
        return x
