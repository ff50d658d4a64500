"""Counts: log factorials, and draws by inverting the distribution function.

What is common, small numbers, is done by kernels; SciPy does the rest.
"""

import numpy as np
from scipy.special import bdtr, bdtrik, gammaln, pdtr, pdtrik

from skdgm._kernels import counts as kernels
from skdgm.utils.parallel import run

# Logs of the factorials of 0, 1, 2, …; others are computed one by one.
_TABLE = gammaln(np.arange(1.0, 257.0))
# Counts up to this n, and of rates up to this, are summed up from 0 on.
_MOST = 500.0
# Multiply-adds that an entry is worth.
_WORK = 20


def log_factorials(x):
    """log Γ(x + 1), in float64 and the shape of x.

    Parameters
    ----------
    x : array_like
        Counts, or fractions between them.

    Returns
    -------
    found : ndarray
    """
    x = np.asarray(x, np.float64)
    out, work = np.empty(x.size), _WORK * x.size
    run(kernels.log_factorials, x.ravel(), _TABLE, out, n=x.size, work=work)
    return out.reshape(x.shape)


def draw_binomial(p, n, uniform):
    """Numbers of bits that are on, of n bits each.

    Parameters
    ----------
    p : ndarray of shape (n_rows, size), float64
        Probability of each bit.
    n : ndarray of shape (size,), float64
    uniform : ndarray of shape (n_rows, size), float64
        Numbers in [0, 1), with which counts rise.

    Returns
    -------
    x : ndarray of shape (n_rows, size), float64
    """
    if n.max(initial=0) > _MOST:
        p = np.clip(p, 1e-300, 1 - 1e-16)
        x = np.ceil(bdtrik(uniform, n, p)).clip(0, n)
        return np.where(x > 0, x - (bdtr(x - 1, n.astype(int), p) >= uniform), x)
    x, work = np.empty(uniform.shape), _WORK * uniform.size
    run(kernels.draw_binomial, p, n, uniform, x, n=len(x), work=work)
    return x


def draw_poisson(rate, uniform):
    """Poisson counts of given rates.

    Parameters
    ----------
    rate, uniform : ndarray of shape (n_rows, size), float64
        Counts rise with uniform numbers in [0, 1).

    Returns
    -------
    x : ndarray of shape (n_rows, size), float64
    """
    if rate.max(initial=0.0) > _MOST:
        x = np.ceil(pdtrik(uniform, rate)).clip(0)
        # Rounding: the count below may do already.
        return (x - (pdtr(x - 1, rate) >= uniform)).clip(0)
    x, work = np.empty(rate.shape), _WORK * rate.size
    run(kernels.draw_poisson, rate, uniform, x, n=len(x), work=work)
    return x
