r"""Log Z by chains at several temperatures.

For neighbours :math:`p_k \propto e^{-E_0 + \beta_k D}` with :math:`n` samples each,
the ratio of their Z solves

.. math:: \sum_{x \sim p_{k+1}} \sigma\left(-\log\frac{Z_k}{Z_{k+1}} + (\beta_k -
   \beta_{k+1}) D(x)\right) = \sum_{x \sim p_k} \sigma\left(\log\frac{Z_k}{Z_{k+1}} -
   (\beta_k - \beta_{k+1}) D(x)\right),

the bridge between the two with the least variance for independent samples [1]_ [2]_.

References
----------
.. [1] Bennett (1976). Efficient estimation of free energy differences from Monte Carlo
   data. Journal of Computational Physics.
.. [2] Meng and Wong (1996). Simulating ratios of normalizing constants via a simple
   identity. Statistica Sinica.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from skdgm.partition.estimate import Estimate


def log_partition(drive, rungs, log_Z_0):
    """Log Z at the lowest of several temperatures.

    Parameters
    ----------
    drive : ndarray of shape (n_steps, n_levels, n_chains)
        D of the replicas, the lowest temperature first.
    rungs : Ladder
        The temperatures; see :mod:`skdgm.samplers.tempering`.
    log_Z_0 : float
        Of the base model, at the last of the temperatures.

    Returns
    -------
    estimate : Estimate
        Chains are assumed independent, but not the steps of one; ``log_w`` is log Z by
        each chain, in a first approximation.
    """
    total, influence = log_Z_0, 0.0
    for level, step in enumerate(-np.diff(rungs.betas)):
        ratio, moved = _between(step * drive[:, level], step * drive[:, level + 1])
        total, influence = total + ratio, influence + moved
    n_chains = len(influence)
    se = influence.std() / np.sqrt(max(1, n_chains - 1))
    return Estimate(float(total), float(se), float(n_chains), total + influence)


def _between(cold, hot):
    """Log of the ratio of two Z, and the influence of each chain on it."""

    def excess(ratio):
        return (expit(hot - ratio) - expit(ratio - cold)).mean()

    low = min(cold.min(), hot.min()) - 1.0
    high = max(cold.max(), hot.max()) + 1.0
    ratio = brentq(excess, low, high, xtol=1e-10)
    up, down = expit(hot - ratio), expit(ratio - cold)
    derivative = (up * (1 - up) + down * (1 - down)).mean()
    return ratio, (up - down).mean(axis=0) / derivative
