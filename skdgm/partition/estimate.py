r"""Estimates of log Z by importance sampling, and their reliability.

.. math:: \log \hat Z = \log \frac1n \sum_k w_k, \qquad
   \mathrm{ESS} = \frac{(\sum_k w_k)^2}{\sum_k w_k^2}
"""

from typing import NamedTuple

import numpy as np

from skdgm.utils.math import log_mean_exp

N_BOOTSTRAPS = 1000


class Estimate(NamedTuple):
    """An estimate of log Z.

    Parameters
    ----------
    log_Z : float
    se : float
        Its standard error, by the delta method.
    ess : float
        Effective sample size of the weights.
    log_w : ndarray of shape (n_chains,)
        Log Z by each chain: its log weight, of reverse annealing its negative, plus the
        base model's log Z.
    """

    log_Z: float
    se: float
    ess: float
    log_w: np.ndarray


def of_weights(log_w, log_Z_0, sign=1.0):
    """Estimate log Z from importance weights.

    Parameters
    ----------
    log_w : ndarray of shape (n_chains,)
        Logs of weights whose mean estimates Z / Z_0, or Z_0 / Z if ``sign`` is -1.
    log_Z_0 : float
        Log Z of the base model.
    sign : {1.0, -1.0}, default=1.0

    Returns
    -------
    estimate : Estimate
    """
    mean, se = log_mean_exp(log_w)
    ess = len(log_w) ** 2 / (np.exp(log_w - mean) ** 2).sum()
    log_Z = log_Z_0 + sign * mean
    return Estimate(float(log_Z), float(se), float(ess), log_Z_0 + sign * log_w)


def interval(log_w, rng, confidence, sign=1.0):
    """Bootstrap interval of log Z.

    Parameters
    ----------
    log_w : ndarray of shape (n_chains,)
        As an :class:`Estimate` has them.
    rng : numpy.random.Generator
    confidence : float
    sign : {1.0, -1.0}, default=1.0
        As for :func:`of_weights`.

    Returns
    -------
    low, high : float
    """
    highest = (sign * log_w).max()
    w = np.exp(sign * log_w - highest)
    drawn = rng.multinomial(len(w), np.full(len(w), 1 / len(w)), N_BOOTSTRAPS)
    log_Z = sign * (np.log(drawn @ w / len(w)) + highest)
    tail = (1.0 - confidence) / 2
    return tuple(np.quantile(log_Z, [tail, 1 - tail]).tolist())
