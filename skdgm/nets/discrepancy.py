r"""Squared maximum mean discrepancy of two samples, with its gradient.

.. math:: \mathrm{MMD}^2 = \frac{1}{n^2} \sum_{i,j} k(x_i, x_j)
   - \frac{2}{nm} \sum_{i,j} k(x_i, y_j) + \frac{1}{m^2} \sum_{i,j} k(y_i, y_j), \qquad
   k(x, y) = \frac1S \sum_s e^{-\lVert x - y \rVert^2 / 2 \sigma_s^2}

for a mixture of Gaussian kernels [1]_ [2]_. It is never negative, and its expectation
for samples of one distribution is that of their diagonals, about 1 / n + 1 / m.

References
----------
.. [1] Gretton, Borgwardt, Rasch, Schölkopf and Smola (2012). A kernel two-sample test.
   Journal of Machine Learning Research.
.. [2] Li, Swersky and Zemel (2015). Generative moment matching networks. ICML.
"""

import numpy as np
from autograd.extend import defvjp

from skdgm.nets.tape import primitive
from skdgm.utils.products import matmul


def squared_distances(x, y):
    """Squared distances of rows, of shape (n_rows, n_others)."""
    own = np.einsum("ij,ij->i", x, x)[:, None]
    other = np.einsum("ij,ij->i", y, y)[None]
    return np.maximum(own + other - 2 * matmul(x, y.T), 0)


def bandwidths(x, factors):
    """Bandwidths: factors of the root of the median squared distance of distinct rows.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_inputs)
    factors : sequence of float

    Returns
    -------
    sigmas : ndarray, float64
    """
    gaps = squared_distances(x.astype(np.float64), x.astype(np.float64))
    gaps = gaps[np.triu_indices(len(x), 1)]
    middle = np.median(gaps) if len(gaps) else 0.0
    middle = middle if middle > 0 else gaps.mean() if len(gaps) else 0.0
    return np.asarray(factors, float) * np.sqrt(middle if middle > 0 else 1.0)


def _kernel(x, y, sigmas):
    """Kernel, and its derivative by the squared distance."""
    gaps, value, slope = squared_distances(x, y), 0.0, 0.0
    for sigma in sigmas:
        gamma = x.dtype.type(0.5 / sigma**2)
        part = np.exp(-gamma * gaps)
        value, slope = value + part, slope - gamma * part
    share = x.dtype.type(1 / len(sigmas))
    return value * share, slope * share


@primitive
def discrepancy(x, y, sigmas):
    """Squared maximum mean discrepancy.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_inputs)
    y : ndarray of shape (n_others, n_inputs)
        Without a gradient.
    sigmas : sequence of float
        Bandwidths.

    Returns
    -------
    mmd2 : ndarray of shape (1,)
    """
    means = [_kernel(*pair, sigmas)[0].mean() for pair in ((x, x), (x, y), (y, y))]
    return np.array([means[0] - 2 * means[1] + means[2]], x.dtype)


def _back(_, x, y, sigmas):
    def backward(grad):
        found = 0.0
        for other, weight in ((x, 2.0), (y, -2.0)):
            slope = _kernel(x, other, sigmas)[1]
            pull = slope.sum(axis=1)[:, None] * x - matmul(slope, other)
            found = found + x.dtype.type(2 * weight / slope.size) * pull
        return grad[0] * found

    return backward


defvjp(discrepancy, _back, None, None)
