r"""Estimates of log Z by importance sampling, and how far they may be trusted.

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
        Log Z by each chain: log weights, the base model's log Z being added; of
        reverse annealing with the sign that they have in log Z.
    """

    log_Z: float
    se: float
    ess: float
    log_w: np.ndarray


def of_weights(log_w, log_Z_0, sign=1.0):
    """The estimate of weights whose mean is Z / Z_0, or with ``sign=-1`` Z_0 / Z."""
    mean, se = log_mean_exp(log_w)
    ess = len(log_w) ** 2 / (np.exp(log_w - mean) ** 2).sum()
    log_Z = log_Z_0 + sign * mean
    return Estimate(float(log_Z), float(se), float(ess), log_Z_0 + sign * log_w)


def interval(log_w, rng, confidence, sign=1.0):
    """Where log Z is by an estimate's weights drawn anew with replacement.

    Parameters
    ----------
    log_w : ndarray
        As an :class:`Estimate` has them.
    rng : Generator
    confidence : float
    sign : {1.0, -1.0}
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
