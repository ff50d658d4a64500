r"""Log densities of normal variables inside nets, row by row.

.. math:: \log p(z) = -\tfrac12 \sum_i (z_i - \mu_i)^2 e^{-s_i} + s_i + \log 2 \pi

with log variances s. A standard normal prior has means and log variances of zero.
"""

import autograd.numpy  # noqa: F401  Registers NumPy arrays with autograd.
import numpy as np
from autograd.extend import defvjp, primitive

from skdgm.nets.latents import halves, log_var_constant


@primitive
def log_prior(z):
    """Standard normal log density of each row, in nats.

    Parameters
    ----------
    z : ndarray of shape (n_rows, n_units)

    Returns
    -------
    log_p : ndarray of shape (n_rows,)
    """
    return -0.5 * ((z**2).sum(axis=1) + log_var_constant(z))


defvjp(log_prior, lambda _, z: lambda grad: -grad[:, None] * z)


@primitive
def log_normal(z, stats):
    """Normal log density of each row, in nats.

    Parameters
    ----------
    z : ndarray of shape (n_rows, n_units)
    stats : ndarray of shape (n_rows, 2 * n_units)
        Means, then log variances, of each row.

    Returns
    -------
    log_p : ndarray of shape (n_rows,)
    """
    mean, log_var = halves(stats)
    squares = (z - mean) ** 2 * np.exp(-log_var) + log_var
    return -0.5 * (squares.sum(axis=1) + log_var_constant(z))


def _of_value(_, z, stats):
    mean, log_var = halves(stats)
    return lambda grad: -grad[:, None] * (z - mean) * np.exp(-log_var)


def _of_stats(_, z, stats):
    mean, log_var = halves(stats)
    scaled = (z - mean) * np.exp(-log_var)
    own = np.concatenate([scaled, 0.5 * ((z - mean) * scaled - 1)], axis=1)
    return lambda grad: grad[:, None] * own


defvjp(log_normal, _of_value, _of_stats)
