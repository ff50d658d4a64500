r"""Mixtures of normal or Laplace densities: log densities of entries, and gradients.

With :math:`z_k = (x - \mu_k) / \sigma_k`, logits :math:`l_k` of the weights, and the
log density d of scale 1,

.. math:: \log p(x) = \log \sum_k e^{l_k + d(z_k)} / \sigma_k - \log \sum_k e^{l_k},
   \qquad \sigma_k = \min(\text{floor} + e^{s_k}, \text{most})

Outputs of a column are the logits of all components, then the means, then the s. Loops
run over all columns of a row, so that they are long enough for vectorization.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import inner, kernel

GAUSSIAN, LAPLACE = range(2)
# Log densities of scale 1 at their modes.
HEIGHTS = -0.5 * float(np.log(2 * np.pi)), -float(np.log(2))


class MixtureOptions(NamedTuple):
    """Number of components; Laplace or normal densities; floor and largest scale, in
    the dtype of the outputs."""

    n_components: int
    laplace: bool
    floor: float
    most: float


@inner()
def _weigh(out, x, r, options, workspace, sums):
    """Compute the components of a row. ``workspace`` gets weights and densities, each
    up to a factor, exp(s), scales and standardized gaps; ``sums`` gets the sums of
    weights and of densities, and the log of the factor of densities."""
    n, laplace, floor, most = options
    one, n_columns = out.dtype.type(1), x.shape[1]
    half, size = one / (one + one), x.shape[1] * n
    for t in range(n_columns):
        first, high = 3 * n * t, out[r, 3 * n * t]
        for k in range(1, n):
            high = max(high, out[r, first + k])
        for k in range(n):
            workspace[0, t * n + k] = out[r, first + k] - high
            workspace[2, t * n + k] = out[r, first + 2 * n + k]
            workspace[4, t * n + k] = x[r, t] - out[r, first + n + k]
    for i in range(size):
        workspace[2, i] = exp(workspace[2, i])
        sigma = floor + workspace[2, i]
        workspace[3, i] = sigma if sigma < most else most
        z = workspace[4, i] / workspace[3, i]
        workspace[4, i] = z
        fall = abs(z) if laplace else half * z * z
        workspace[1, i] = workspace[0, i] - fall
        workspace[0, i] = exp(workspace[0, i])
    for t in range(n_columns):
        top = workspace[1, t * n]
        for k in range(1, n):
            top = max(top, workspace[1, t * n + k])
        # If all densities are zero, the logarithm is the smallest finite number.
        top = max(top, -np.finfo(out.dtype).max)
        for k in range(n):
            workspace[1, t * n + k] -= top
        sums[2, t] = top
    for i in range(size):
        workspace[1, i] = exp(workspace[1, i]) / workspace[3, i]
    for t in range(n_columns):
        weights, densities = 0 * one, 0 * one
        for k in range(n):
            weights += workspace[0, t * n + k]
            densities += workspace[1, t * n + k]
        sums[0, t], sums[1, t] = weights, densities


@kernel
def log_densities(out, x, options, height, found, start, stop):
    """Write the log density of each entry of rows to ``found``; ``height`` is that of
    scale 1 at the mode."""
    work = np.empty((5, x.shape[1] * options.n_components), out.dtype)
    sums = np.empty((3, x.shape[1]), out.dtype)
    for r in range(start, stop):
        _weigh(out, x, r, options, work, sums)
        for t in range(x.shape[1]):
            found[r, t] = sums[2, t] + (height + np.log(sums[1, t] / sums[0, t]))


@kernel
def gradients(out, x, options, rescaled, grad, start, stop):
    """Write the gradients of minus the log densities by the outputs to ``grad``, zero
    for entries that are NaN."""
    n, laplace, floor, most = options
    work, one = np.empty((5, x.shape[1] * n), out.dtype), out.dtype.type(1)
    sums = np.empty((3, x.shape[1]), out.dtype)
    for r in range(start, stop):
        _weigh(out, x, r, options, work, sums)
        for t in range(x.shape[1]):
            per_weight, per_density = one / sums[0, t], one / sums[1, t]
            for i in range(t * n, t * n + n):
                work[0, i] *= per_weight
                work[1, i] *= per_density
        for i in range(work.shape[1]):
            share, z, sigma = work[1, i], work[4, i], work[3, i]
            by_gap, size = z, z * z
            if laplace:
                size = abs(z)
                by_gap = one if z > 0 else (-one if z < 0 else 0 * one)
            by_scale = share * (one - size) * (work[2, i] / (floor + work[2, i]))
            # At the largest scale, only decreases are possible.
            is_fixed = sigma >= most and not by_scale > 0
            work[0, i] -= share
            work[1, i] = -share * by_gap if rescaled else -share * by_gap / sigma
            work[2, i] = 0 * one if is_fixed else by_scale
        for t in range(x.shape[1]):
            first, known = 3 * n * t, x[r, t] == x[r, t]
            for kind in range(3):
                for k in range(n):
                    value = work[kind, t * n + k]
                    grad[r, first + kind * n + k] = value if known else 0 * one
