r"""Mixtures of normal or Laplace densities, for real columns given a net's outputs.

.. math:: -\log \sum_k \alpha_k \, \mathcal{N}(x; \mu_k, \sigma_k), \qquad
   \partial / \partial \mu_k = -\pi_k \, \frac{x - \mu_k}{\sigma_k^2}, \quad
   \partial / \partial \log \sigma_k = \pi_k \Bigl(1 -
   \frac{(x - \mu_k)^2}{\sigma_k^2}\Bigr)

where :math:`\pi_k` is the posterior probability of component k given x [1]_. The
gradient with respect to a mean is unbounded as the scale decreases; multiplied by
:math:`\sigma_k` it is bounded and has the same sign [2]_.

References
----------
.. [1] Bishop (1994). Mixture density networks. Aston University.
.. [2] Uria, Murray and Larochelle (2013). RNADE: the real-valued neural autoregressive
   density-estimator. NIPS.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_softmax
from scipy.stats import laplace

from skdgm._kernels.nets import mixtures as kernels
from skdgm.distributions.roles import Output, repeated
from skdgm.utils.math import floored
from skdgm.utils.threading.parallel import run

# Log of the maximum scale, as scales would overflow for rows far from training rows.
_HIGHEST = float(np.log(1e4))
# Initial means of components are between minus this and this.
_SPREAD = 1.5
_SHAPES = {"gaussian": kernels.GAUSSIAN, "laplace": kernels.LAPLACE}
# Cost of a component, in multiply-adds.
_WORK = 60


class Mixture(NamedTuple):
    """Mixtures of "gaussian" or "laplace" densities, parametrized by a net's outputs.

    Outputs ``out`` have shape (n_rows, n_columns * 3 * n_components). Those of a column
    are the log weights of its ``n_components``, then means, then log scales. Scales are
    between ``floor`` and 10,000. If ``rescaled``, gradients with respect to means are
    multiplied by scales.
    """

    n_components: int
    shape: str = "gaussian"
    floor: float = 1e-6
    rescaled: bool = False

    def parts(self, out):
        """Log weights, means and log scales: (n_rows, n_columns, n_components)."""
        logits, mean, raw = self._raw(out)
        return log_softmax(logits, axis=2), mean, self._log_scale(raw)

    def log_density(self, out, x):
        """Log density of each entry, (n_rows, n_columns), in nats."""
        log_p = np.empty(x.shape, out.dtype)
        height = out.dtype.type(kernels.HEIGHTS[_SHAPES[self.shape]])
        self._run(kernels.log_densities, out, x, height, log_p)
        return log_p

    def draw(self, out, uniform, number):
        """Draw an entry per row and column from uniform numbers and :meth:`noise`."""
        log_weight, mean, s = self.parts(out)
        cumulative = np.cumsum(np.exp(log_weight), axis=2)[..., :-1]
        chosen = (cumulative <= uniform[..., None]).sum(axis=2)[..., None]
        mean, s = (np.take_along_axis(a, chosen, 2)[..., 0] for a in (mean, s))
        return mean + np.exp(s) * number

    def noise(self, rng, n_columns, dtype):
        """Draws of scale 1 with the components' shape, by a stream for each row."""
        if self.shape == "gaussian":
            return rng.normal(n_columns, dtype)
        return laplace.ppf(rng.uniform(n_columns) + 2.0**-33).astype(dtype)

    def mean(self, out):
        """Expectation of each entry, of shape (n_rows, n_columns)."""
        log_weight, mean, _ = self.parts(out)
        return (np.exp(log_weight) * mean).sum(axis=2)

    def mean_grad(self, out, grad):
        """Gradient by ``out`` from the gradient by :meth:`mean`."""
        log_weight, mean, s = self.parts(out)
        weight, grad = np.exp(log_weight), grad[..., None]
        gap = mean - (weight * mean).sum(axis=2, keepdims=True)
        gradients = grad * weight * gap, grad * weight, np.zeros_like(s)
        return self.pulled(out, gradients)

    def pulled(self, out, gradients):
        """Gradient by ``out`` from the gradients by logits, means and log scales."""
        by_logits, by_mean, by_log_scale = gradients
        raw = self._raw(out)[2]
        slope = floored(raw, self.floor) < _HIGHEST
        if self.floor:
            slope = slope * expit(raw - np.log(self.floor))
        parts = by_logits, by_mean, by_log_scale * slope
        return np.stack(parts, axis=2).reshape(out.shape).astype(out.dtype, copy=False)

    def mode(self, out):
        """Mean of the component with the highest peak, for each entry."""
        log_weight, mean, s = self.parts(out)
        best = (log_weight - s).argmax(axis=2)[..., None]
        return np.take_along_axis(mean, best, 2)[..., 0]

    def grad(self, out, x):
        """Gradient by ``out`` of the negative log-likelihood of known entries."""
        grad = np.empty(out.shape, out.dtype)
        self._run(kernels.gradients, out, x, self.rescaled, grad)
        return grad

    def raw_scale(self, scale):
        """Outputs of the net, before the floor is added, that give the scales."""
        minimum = np.finfo(np.float32).tiny + 1e-6 * self.floor
        return np.log(np.maximum(scale - self.floor, minimum))

    def _raw(self, out):
        return np.moveaxis(out.reshape(len(out), -1, 3, self.n_components), 2, 0)

    def _log_scale(self, raw):
        return np.minimum(floored(raw, self.floor), raw.dtype.type(_HIGHEST))

    def _run(self, kernel, out, x, option, found):
        laplace, dtype = _SHAPES[self.shape] == kernels.LAPLACE, out.dtype.type
        options = kernels.MixtureOptions(
            self.n_components, laplace, dtype(self.floor), dtype(np.exp(_HIGHEST))
        )
        out, x = np.ascontiguousarray(out), np.ascontiguousarray(x, dtype)
        work = _WORK * out.size // 3
        run(kernel, out, x, options, option, found, n=len(x), work=work)


def standard_mixture(n_components, shape, min_variance, rescaled=True):
    """Mixture densities for standardized columns, with scales of at least the square
    root of ``min_variance``; see :class:`Mixture`."""
    return Mixture(n_components, shape, float(np.sqrt(min_variance)), rescaled)


class MixtureOutput(Output):
    """Standardized columns, given the parameters of a :class:`Mixture` for each."""

    kind = "gaussian"

    def __init__(self, sizes, mixture):
        super().__init__(sizes)
        self.mixture, self.n_outputs = mixture, 3 * mixture.n_components * sizes

    def start(self, share):
        """Initial outputs: components around 0 with scales of 1."""
        n = self.mixture.n_components
        means = np.linspace(-_SPREAD, _SPREAD, n) if n > 1 else np.zeros(1)
        column_outputs = np.concatenate([np.zeros(n), means, np.zeros(n)])
        return np.tile(column_outputs, len(self.n_inputs))

    def nll_grad(self, out, v, weight, dispersion=()):
        return weight[:, None] * self.mixture.grad(out, repeated(v, out)), ()

    def log_p(self, out, v, dispersion=()):
        v = repeated(v, out)
        missing = np.isnan(v)
        log_p = self.mixture.log_density(out, np.where(missing, 0, v))
        return np.where(missing, 0, log_p)

    def expected(self, out):
        return self.mixture.mean(out)

    def expected_grad(self, out, grad):
        return self.mixture.mean_grad(out, grad)

    def mode(self, out):
        """Mean of the component with the highest peak, for each entry."""
        return self.mixture.mode(out)

    def draw(self, out, rng, dispersion=()):
        n, dtype = len(self.n_inputs), out.dtype.type
        uniform, other = rng.fold(0).uniform(n, dtype), rng.fold(1)
        return self.mixture.draw(out, uniform, self.mixture.noise(other, n, dtype))
