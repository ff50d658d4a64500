r"""Squared maximum mean discrepancy of two samples, with its gradient.

.. math:: \mathrm{MMD}^2 = \frac{1}{n^2} \sum_{i,j} k(x_i, x_j)
   - \frac{2}{nm} \sum_{i,j} k(x_i, y_j) + \frac{1}{m^2} \sum_{i,j} k(y_i, y_j), \qquad
   k(x, y) = \frac1S \sum_s e^{-\lVert x - y \rVert^2 / 2 \sigma_s^2}

for a mixture of Gaussian kernels [1]_ [2]_. The discrepancy is nonnegative. For two
samples of the same distribution, its expectation comes from the terms with i = j of the
first and the last sum, about 1 / n + 1 / m.

References
----------
.. [1] Gretton, Borgwardt, Rasch, Schölkopf and Smola (2012). A kernel two-sample test.
   Journal of Machine Learning Research.
.. [2] Li, Swersky and Zemel (2015). Generative moment matching networks. ICML.
"""

import numpy as np
from autograd.extend import defvjp

from skdgm._kernels.nets.similarity import similarities
from skdgm.nets.tape import primitive
from skdgm.utils.products import matmul
from skdgm.utils.threading.parallel import run

# Bandwidths of a mixture of kernels, in units of the median distance of rows.
FACTORS = 0.125, 0.25, 0.5, 1.0, 2.0
# Cost of an exponential, in multiply-adds.
_EXP_WORK = 10


def squared_distances(x, y):
    """Squared distances between rows of x and y, (n_rows, n_others)."""
    squares = np.einsum("ij,ij->i", x, x)[:, None]
    other_squares = np.einsum("ij,ij->i", y, y)[None]
    return np.maximum(squares + other_squares - 2 * matmul(x, y.T), 0)


def bandwidths(x, factors):
    """Bandwidths of kernels, float64: multiples of the median distance between rows of
    x. The median is over pairs of rows of x, (n_rows, n_inputs)."""
    gaps = squared_distances(x.astype(np.float64), x.astype(np.float64))
    gaps = gaps[np.triu_indices(len(x), 1)]
    middle = np.median(gaps) if len(gaps) else 0.0
    middle = middle if middle > 0 else gaps.mean() if len(gaps) else 0.0
    return np.asarray(factors, float) * np.sqrt(middle if middle > 0 else 1.0)


def _kernels(x, y, sigmas):
    """Mean of the kernels of all pairs, and their derivatives by squared distances."""
    pairs, sums = matmul(x, y.T), np.empty(len(x))
    of_x, of_y = (np.einsum("ij,ij->i", rows, rows) for rows in (x, y))
    gammas = (0.5 / np.square(np.asarray(sigmas, float))).astype(x.dtype)
    work = _EXP_WORK * pairs.size * len(gammas)
    run(similarities, pairs, of_x, of_y, gammas, sums, n=len(x), work=work)
    return sums.sum() / pairs.size, pairs


def discrepancy_and_slope(x, y, sigmas):
    """Squared maximum mean discrepancy of samples x, (n_rows, n_inputs), and y, and its
    gradient by x; ``sigmas`` are bandwidths."""
    (mean_xx, slope_xx), (mean_xy, slope_xy), (mean_yy, _) = (
        _kernels(a, b, sigmas) for a, b in ((x, x), (x, y), (y, y))
    )
    slope = _pull(x, x, slope_xx, 4.0) + _pull(x, y, slope_xy, -4.0)
    return max(mean_xx - 2 * mean_xy + mean_yy, 0.0), slope


def _pull(x, y, slope, weight):
    """Gradient of the mean kernel by x, given derivatives by squared distances."""
    scale = x.dtype.type(weight / slope.size)
    return scale * (slope.sum(axis=1)[:, None] * x - matmul(slope, y))


@primitive
def discrepancy(x, y, sigmas):
    """Squared maximum mean discrepancy, (1,), differentiable by x only."""
    means = [_kernels(a, b, sigmas)[0] for a, b in ((x, x), (x, y), (y, y))]
    return np.array([means[0] - 2 * means[1] + means[2]], x.dtype)


def _back(_, x, y, sigmas):
    return lambda grad: grad[0] * discrepancy_and_slope(x, y, sigmas)[1]


defvjp(discrepancy, _back, None, None)
