r"""Schedules of inverse temperatures, and log Z from chains at several temperatures.

For a given number of temperatures, annealed importance sampling has the minimum error
if each step adds the same variance to the log weights, that is, if temperatures are
equidistant in thermodynamic length [1]_ [2]_

.. math:: \Lambda(\beta) = \int_0^\beta \operatorname{sd}_{\beta'} \left[
   \frac{\mathrm{d}}{\mathrm{d}\beta'} \log p^*_{\beta'}(x)\right] \mathrm{d}\beta',

so that the effective sample size decreases by the same factor in each step.

References
----------
.. [1] Gelman and Meng (1998). Simulating normalizing constants: from importance
   sampling to bridge sampling to path sampling. Statistical Science.
.. [2] Grosse, Maddison and Salakhutdinov (2013). Annealing between distributions by
   averaging moments. NeurIPS.
.. [3] Bennett (1976). Efficient estimation of free energy differences from Monte Carlo
   data. Journal of Computational Physics.
.. [4] Meng and Wong (1996). Simulating ratios of normalizing constants via a simple
   identity. Statistica Sinica.
"""

from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from skdgm.partition import ais
from skdgm.partition.estimate import Estimate
from skdgm.utils import addresses

_PILOT, _N_PILOT = addresses.PILOT, 200
# The argument of the sigmoid is between minus and plus this value.
_REACH = 4.0
# Share of temperatures that does not depend on the pilot run, whose few chains may
# have missed much of a part of the path.
_BLIND = 0.1


def linear(n_betas):
    """Equidistant inverse temperatures from 0 to 1, (n_betas,)."""
    return np.linspace(0.0, 1.0, n_betas)


def quadratic(n_betas):
    """Inverse temperatures from 0 to 1 that are denser near 1, (n_betas,)."""
    return 1.0 - (1.0 - linear(n_betas)) ** 2


def sigmoid(n_betas):
    """Inverse temperatures from 0 to 1 that are denser near both ends, (n_betas,)."""
    t = 1.0 / (1.0 + np.exp(-_REACH * (2.0 * linear(n_betas) - 1.0)))
    return (t - t[0]) / (t[-1] - t[0])


def equidistant(betas, increments, n_betas):
    """Inverse temperatures, (n_betas,), equidistant in thermodynamic length, from the
    inverse temperatures of a pilot run and the increments of its log weights; see
    :func:`pilot`."""
    length = np.concatenate([[0.0], np.cumsum(increments.std(axis=1))])
    if not length[-1] > 0:
        return quadratic(n_betas)
    default = 1.0 - (1.0 - betas) ** 0.5
    cumulative = (1.0 - _BLIND) * length / length[-1] + _BLIND * default
    return np.interp(linear(n_betas), cumulative, betas)


def adaptive(rng, energy, params, base, n_chains, n_betas):
    """Inverse temperatures that are densest where weights vary most in a pilot run,
    which has separate random numbers."""
    betas, increments = pilot(rng, energy, params, base, n_chains)
    return equidistant(betas, increments, n_betas)


def unit_lengths(betas, increments, min_betas, max_betas):
    """Inverse temperatures a unit of thermodynamic length apart; their number is
    clipped to be from ``min_betas`` to ``max_betas``."""
    n_betas = 1 + np.ceil(increments.std(axis=1).sum())
    n_betas = int(
        np.clip(np.nan_to_num(n_betas, posinf=max_betas), min_betas, max_betas)
    )
    return equidistant(betas, increments, n_betas)


def pilot(rng, energy, params, base, n_chains, n_betas=_N_PILOT):
    """Inverse temperatures of a pilot run, (n_steps + 1,), and the increments of its
    log weights, (n_steps, n_chains); arguments as for
    :func:`~skdgm.partition.ais.forward`."""
    betas, trace = quadratic(n_betas), []
    chains = rng.fold(_PILOT).rows(n_chains)
    ais.upwards(chains, energy, params, base, betas, trace)
    return betas, np.diff(trace, axis=0, prepend=0.0)


def bridge(drive, rungs, log_Z_0):
    r"""Log Z from chains at several temperatures.

    For neighboring models :math:`p_k \propto e^{-E_0 + \beta_k D}` the ratio of their
    Z solves

    .. math:: \sum_{x \sim p_{k+1}} \sigma\left(-\log\frac{Z_k}{Z_{k+1}} + (\beta_k -
       \beta_{k+1}) D(x)\right) = \sum_{x \sim p_k} \sigma\left(\log\frac{Z_k}{Z_{k+1}}
       - (\beta_k - \beta_{k+1}) D(x)\right),

    which is the bridge estimator with minimum variance for independent samples [3]_
    [4]_. ``drive`` has D of the replicas, the lowest temperature first, (n_steps,
    n_levels, n_chains). Chains, but not the steps of a chain, are assumed independent.
    ``log_w`` of the estimate is log Z by each chain, to first order. If neighboring
    temperatures have no states in common, the standard error is NaN, and the estimate
    is consistent with no other.
    """
    total = log_Z_0
    influence: Any = 0.0
    for level, step in enumerate(-np.diff(rungs.betas)):
        ratio, part = _between(step * drive[:, level], step * drive[:, level + 1])
        total, influence = total + ratio, influence + part
    n_chains = len(influence)
    se = influence.std() / np.sqrt(max(1, n_chains - 1))
    return Estimate(float(total), float(se), float(n_chains), total + influence)


def _between(cold, hot):
    """Log of the ratio of two Z, and the influence of each chain on it, which is NaN if
    the two have no states in common."""

    def excess(ratio):
        return (expit(hot - ratio) - expit(ratio - cold)).mean()

    low = min(cold.min(), hot.min()) - 1.0
    high = max(cold.max(), hot.max()) + 1.0
    ratio = brentq(excess, low, high, xtol=1e-10)
    up, down = expit(hot - ratio), expit(ratio - cold)
    derivative = (up * (1 - up) + down * (1 - down)).mean()
    with np.errstate(invalid="ignore"):
        return ratio, (up - down).mean(axis=0) / derivative
