r"""Distributions of real columns, which are standardised, given a net's outputs.

.. math:: \mathcal{N}(x; \mu, e^s), \qquad \sum_k \alpha_k \, p(x; \mu_k, \sigma_k)

with one component for decoders, with several for autoregressive nets.
"""

import numpy as np

from skdgm.distributions.gaussian import LOG_2PI
from skdgm.distributions.output import Output, repeated
from skdgm.utils.math import sigmoid, softplus

# The initial means of a mixture's components span minus this to this.
_SPREAD = 1.5


class NormalOutput(Output):
    """Standardised columns, given their means and possibly their log variances.

    Parameters
    ----------
    sizes : ndarray of ones, of shape (n_columns,)
    variance : {"feature", "sample"} or float, default="feature"
        Learned for each column, ``own``; outputs, after all means; or fixed.
    floor : float, default=0.01
        Added to learned variances; 0 for none.
    """

    kind = "gaussian"

    def __init__(self, sizes, variance="feature", floor=0.01):
        super().__init__(sizes)
        self.variance, self.floor = variance, floor
        self.n_outputs = sizes * (2 if variance == "sample" else 1)

    def start(self, share):
        return np.zeros(self.n_outputs.sum())

    def own(self, dtype):
        """Initial log variances, zeros, where columns have them as parameters."""
        return np.zeros(len(self.n_inputs), dtype) if self.variance == "feature" else ()

    def log_p(self, out, v, own=()):
        v, (mean, s) = repeated(v, out), self.parts(out, own)
        found = (v - mean) ** 2 * np.exp(-s) + s
        found += mean.dtype.type(LOG_2PI)
        return -0.5 * np.where(np.isnan(v), 0, found)

    def nll_grad(self, out, v, weight, own=()):
        v, (mean, s) = repeated(v, out), self.parts(out, own)
        known, gap, weight = ~np.isnan(v), mean - v, weight[:, None]
        by_mean = weight * np.where(known, gap * np.exp(-s), 0)
        if self.variance not in ("feature", "sample"):
            return by_mean, ()
        by_s = weight * np.where(known, 0.5 * (1 - gap**2 * np.exp(-s)), 0)
        if self.variance == "feature":
            return by_mean, self._floored_grad(own, by_s.sum(axis=0))
        by_raw = self._floored_grad(out[:, mean.shape[1] :], by_s)
        return np.concatenate([by_mean, by_raw], axis=1, dtype=out.dtype), ()

    def expected(self, out):
        return out[:, : len(self.n_inputs)]

    def mode(self, out):
        return self.expected(out)

    def draw(self, out, rng, own=()):
        mean, s = self.parts(out, own)
        return mean + np.exp(0.5 * s) * rng.normal(mean.shape[1], mean.dtype.type)

    def parts(self, out, own=()):
        """Means and log variances: learned ones are log(floor + e^raw)."""
        n = len(self.n_inputs)
        if self.variance == "sample":
            return out[:, :n], self._floored(out[:, n:])
        if self.variance == "feature":
            return out, self._floored(own)
        return out, np.full(n, np.log(self.variance), out.dtype)

    def _floored(self, raw):
        if not self.floor:
            return raw
        limit = raw.dtype.type(np.log(self.floor))
        return limit + softplus(raw - limit)

    def _floored_grad(self, raw, grad):
        return grad * sigmoid(raw - np.log(self.floor)) if self.floor else grad


class MixtureOutput(Output):
    """Standardised columns, given the parts of a mixture for each.

    Parameters
    ----------
    sizes : ndarray of ones, of shape (n_columns,)
    mixture : Mixture
        Form of the densities.
    """

    kind = "gaussian"

    def __init__(self, sizes, mixture):
        super().__init__(sizes)
        self.mixture, self.n_outputs = mixture, 3 * mixture.n_components * sizes

    def start(self, share):
        """Initial outputs: components around 0, with scales of 1."""
        n = self.mixture.n_components
        means = np.linspace(-_SPREAD, _SPREAD, n) if n > 1 else np.zeros(1)
        own = np.concatenate([np.zeros(n), means, np.zeros(n)])
        return np.tile(own, len(self.n_inputs))

    def nll_grad(self, out, v, weight, own=()):
        return weight[:, None] * self.mixture.grad(out, repeated(v, out)), ()

    def log_p(self, out, v, own=()):
        v = repeated(v, out)
        missing = np.isnan(v)
        log_p = self.mixture.log_density(out, np.where(missing, 0, v))
        return np.where(missing, 0, log_p)

    def expected(self, out):
        return self.mixture.mean(out)

    def mode(self, out):
        """Centre of the component with the highest peak, for each entry."""
        return self.mixture.mode(out)

    def draw(self, out, rng, own=()):
        n, real = len(self.n_inputs), out.dtype.type
        uniform, other = rng.fold(0).uniform(n, real), rng.fold(1)
        return self.mixture.draw(out, uniform, self.mixture.noise(other, n, real))
