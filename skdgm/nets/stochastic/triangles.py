r"""Normal latent variables with full covariance, given by a triangular factor.

.. math:: z = \mu + L \epsilon, \qquad L = \operatorname{diag}(e^{s / 2}) + N, \qquad
   \mathrm{KL}(q \,\|\, \mathcal{N}(0, 1)) = \tfrac12 \Bigl(\lVert \mu \rVert^2 +
   \lVert L \rVert^2 - \sum_i (s_i + 1)\Bigr)

Each row of statistics consists of the means, the log variances s, and the entries of
the strictly lower triangular N, row by row. It may have several consecutive rows of
draws.
"""

import numpy as np
from autograd.extend import defvjp
from scipy.linalg import solve_triangular

from skdgm.nets.tape import primitive


def n_below(n_units):
    """Number of entries below the diagonal."""
    return n_units * (n_units - 1) // 2


def _factor(stats, n_units):
    """Triangular factor of each row, (n_rows, n_units, n_units)."""
    factor = np.zeros((len(stats), n_units, n_units), stats.dtype)
    diagonal, (row, column) = np.arange(n_units), np.tril_indices(n_units, -1)
    factor[:, diagonal, diagonal] = np.exp(0.5 * stats[:, n_units : 2 * n_units])
    factor[:, row, column] = stats[:, 2 * n_units :]
    return factor


@primitive
def draw_full(stats, noise):
    """Draw normal variables, (n_rows * n_each, n_units), from standard normal noise."""
    n_units = noise.shape[1]
    parts = noise.reshape(len(stats), -1, n_units)
    z = stats[:, None, :n_units] + parts @ _factor(stats, n_units).swapaxes(1, 2)
    return z.reshape(noise.shape)


def _draw_back(_, stats, noise):
    def backward(grad):
        n_units, back = noise.shape[1], np.empty_like(stats)
        shape = len(stats), -1, n_units
        grad, parts = grad.reshape(shape), noise.reshape(shape)
        by_factor = grad.swapaxes(1, 2) @ parts
        diagonal, (row, column) = np.arange(n_units), np.tril_indices(n_units, -1)
        spread = 0.5 * np.exp(0.5 * stats[:, n_units : 2 * n_units])
        back[:, :n_units] = grad.sum(axis=1)
        back[:, n_units : 2 * n_units] = spread * by_factor[:, diagonal, diagonal]
        back[:, 2 * n_units :] = by_factor[:, row, column]
        return back

    return backward


defvjp(draw_full, _draw_back, None)


def noise_of_full(z, stats):
    """Noise for which :func:`draw_full` returns the values z."""
    n_units = z.shape[1]
    n_each, noise = len(z) // len(stats), np.empty_like(z)
    for number, factor in enumerate(_factor(stats, n_units)):
        rows = slice(number * n_each, (number + 1) * n_each)
        gap = (z[rows] - stats[number, :n_units]).T
        noise[rows] = solve_triangular(factor, gap, lower=True).T
    return noise


@primitive
def half_squares(x):
    """Half the sum of squares of each row, (n_rows,)."""
    return 0.5 * (x**2).sum(axis=1)


defvjp(half_squares, lambda _, x: lambda grad: grad[:, None] * x)
