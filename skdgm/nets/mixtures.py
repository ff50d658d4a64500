r"""Surprise at real numbers, given mixtures of normal or of Laplace densities.

.. math:: -\log \sum_k \alpha_k \, \mathcal{N}(x; \mu_k, \sigma_k), \qquad
   \partial / \partial \mu_k = -\pi_k \, \frac{x - \mu_k}{\sigma_k^2}, \quad
   \partial / \partial \log \sigma_k = \pi_k \Bigl(1 -
   \frac{(x - \mu_k)^2}{\sigma_k^2}\Bigr)

with :math:`\pi_k` the share of component k in the density at x [1]_. The slope of a
mean grows without bound as its deviation shrinks; multiplied by :math:`\sigma_k`, it
does not, and points the same way [2]_.

References
----------
.. [1] Bishop (1994). Mixture density networks. Aston University.
.. [2] Uria, Murray and Larochelle (2013). RNADE: the real-valued neural autoregressive
   density-estimator. NIPS.
"""

from typing import NamedTuple

import autograd.numpy  # noqa: F401  Which teaches autograd about arrays.
import numpy as np
from autograd.extend import defvjp, primitive
from scipy.special import log_softmax, softmax
from scipy.stats import laplace

from skdgm.utils.math import sigmoid, softplus

# What is far away from all that was learned would make of scales what no number holds.
_HIGHEST = float(np.log(1e4))
# What is left of log densities of scale 1 where they are highest.
_HEIGHTS = {"gaussian": -0.5 * float(np.log(2 * np.pi)), "laplace": -float(np.log(2))}


class Mixture(NamedTuple):
    """What kind of mixtures a net's outputs are the parameters of.

    Parameters
    ----------
    n_components : int
        For each column; first come the log weights of all of them among its outputs,
        then means, then log scales.
    shape : {"gaussian", "laplace"}
    floor : float
        No scale is less, and none is more than 10,000.
    rescaled : bool
        Whether slopes of means are multiplied by scales.
    """

    n_components: int
    shape: str = "gaussian"
    floor: float = 1e-6
    rescaled: bool = False

    def parts(self, out):
        """Log weights, means and log scales, with an axis for components."""
        logits, mean, raw = self._raw(out)
        return log_softmax(logits, axis=2), mean, self._log_scale(raw)

    def log_density(self, out, x):
        """Of each entry, of shape (n_rows, n_columns)."""
        log_weight, mean, s = self.parts(out)
        return _log_sum(log_weight + self._of_component(x[..., None] - mean, s))

    def draw(self, out, luck, number):
        """An entry for each row and column, given a uniform number and noise."""
        log_weight, mean, s = self.parts(out)
        below = np.cumsum(np.exp(log_weight), axis=2)[..., :-1]
        chosen = (below <= luck[..., None]).sum(axis=2)[..., None]
        mean, s = (np.take_along_axis(a, chosen, 2)[..., 0] for a in (mean, s))
        return mean + np.exp(s) * number

    def noise(self, rng, n_columns, dtype):
        """Numbers of the components' shape, with a stream for each row."""
        if self.shape == "gaussian":
            return rng.normal(n_columns, dtype)
        return laplace.ppf(rng.uniform(n_columns) + 2.0**-33).astype(dtype)

    def mean(self, out):
        """What is expected of each entry."""
        log_weight, mean, _ = self.parts(out)
        return (np.exp(log_weight) * mean).sum(axis=2)

    def mode(self, out):
        """The centre of the component that is highest there, of each entry."""
        log_weight, mean, s = self.parts(out)
        highest = (log_weight - s).argmax(axis=2)[..., None]
        return np.take_along_axis(mean, highest, 2)[..., 0]

    def slope(self, out, x):
        """Of the surprise at what is known, by the outputs."""
        logits, mean, raw = self._raw(out)
        known = ~np.isnan(x)[..., None]
        log_weight, s = log_softmax(logits, axis=2), self._log_scale(raw)
        gap = np.where(known, x[..., None] - mean, 0)
        share = softmax(log_weight + self._of_component(gap, s), axis=2) * known
        z = gap * np.exp(-s)
        pull, size = (np.sign(z), abs(z)) if self.shape == "laplace" else (z, z * z)
        by_mean = -share * pull * (1 if self.rescaled else np.exp(-s))
        by_scale = share * (1 - size)
        by_scale *= sigmoid(raw - raw.dtype.type(np.log(self.floor)))
        by_scale *= (s < _HIGHEST) | (by_scale > 0)  # It may still come down.
        by_logit = np.exp(log_weight) * known - share
        return np.stack([by_logit, by_mean, by_scale], axis=2).reshape(out.shape)

    def raw_scale(self, scale):
        """Outputs that stand for scales."""
        least = np.finfo(np.float32).tiny + 1e-6 * self.floor
        return np.log(np.maximum(scale - self.floor, least))

    def _raw(self, out):
        return np.moveaxis(out.reshape(len(out), -1, 3, self.n_components), 2, 0)

    def _log_scale(self, raw):
        log_floor = raw.dtype.type(np.log(self.floor))
        s = log_floor + softplus(raw - log_floor)
        return np.minimum(s, raw.dtype.type(_HIGHEST))

    def _of_component(self, gap, s):
        z = gap * np.exp(-s)
        fall = abs(z) if self.shape == "laplace" else z.dtype.type(0.5) * z * z
        return z.dtype.type(_HEIGHTS[self.shape]) - fall - s


def _log_sum(log_w):
    high = np.maximum(log_w.max(axis=2, keepdims=True), np.finfo(log_w.dtype).min)
    total = np.exp(log_w - high).sum(axis=2)
    return high[..., 0] + np.log(np.maximum(total, np.finfo(total.dtype).tiny))


@primitive
def mixture_loss(out, x, mixture):
    """Surprise at rows, of shape (n_rows,).

    Parameters
    ----------
    out : ndarray of shape (n_rows, n_columns * 3 * n_components)
    x : ndarray of shape (n_rows, n_columns)
        What is NaN does not count.
    mixture : Mixture
    """
    log_p = mixture.log_density(out, np.where(np.isnan(x), 0, x))
    return -np.where(np.isnan(x), 0, log_p).sum(axis=1)


defvjp(
    mixture_loss,
    lambda _, out, x, mixture: lambda slope: slope[:, None] * mixture.slope(out, x),
    argnums=[0],
)
