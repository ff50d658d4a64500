r"""Annealed importance sampling of log Z, from both sides.

Between a base model without couplings (beta = 0), whose :math:`Z_0` is known, and the
model (beta = 1) lie models :math:`p_\beta \propto p^*_\beta`. A chain that moves
through them has the weight

.. math:: \log w = \sum_k \log p^*_{\beta_k}(x_{k-1}) - \log p^*_{\beta_{k-1}}(x_{k-1}),
   \qquad \mathbb{E}[w] = Z_1 / Z_0 .

Here x is the state of the even layers, the odd ones being summed out [1]_ [2]_.
By Jensen's inequality the log of an average of few weights tends to be too low. Run
backwards, from samples of the model itself down to the base, the same average
estimates :math:`Z_0 / Z_1`, so that log Z tends to be too high [3]_.

References
----------
.. [1] Neal (2001). Annealed importance sampling. Statistics and Computing.
.. [2] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
   networks. ICML.
.. [3] Burda, Grosse and Salakhutdinov (2015). Accurate and conservative estimates
   of MRF log-likelihood using reverse annealing. AISTATS.
"""

from typing import NamedTuple

import numpy as np

from skdgm.partition.annealing import anneal
from skdgm.samplers import gibbs
from skdgm.utils.math import log_mean_exp

_START, _UP, _DOWN = range(3)


class Estimate(NamedTuple):
    """An importance-sampling estimate.

    Parameters
    ----------
    log_Z : float
    se : float
        Its standard error, by the delta method.
    ess : float
        Effective sample size of the weights.
    log_w : ndarray of shape (n_chains,)
    """

    log_Z: float
    se: float
    ess: float
    log_w: np.ndarray


def forward(rng, energy, params, base, n_chains, betas):
    """Estimate log Z on the way from the base model to the model.

    Parameters
    ----------
    rng : Stream
    base : pair
        What :meth:`~skdgm.energies.LayeredEnergy.base` returns.
    n_chains : int
    betas : array-like
        Inverse temperatures from 0 to 1; see :mod:`skdgm.partition.ladder`.

    Returns
    -------
    estimate : Estimate
    """
    log_w = upwards(rng, energy, params, base, n_chains, betas)
    mean, se, ess = _summary(log_w)
    return Estimate(base[1] + mean, se, ess, log_w)


def reverse(rng, energy, params, base, start, betas):
    """Estimate log Z on the way from the model's own samples to the base model.

    Parameters
    ----------
    rng, base, betas
        As for :func:`forward`.
    start : gibbs.State
        Samples of the model, one for each chain.

    Returns
    -------
    estimate : Estimate
    """
    log_w = _downwards(rng, energy, params, base, start, betas)
    mean, se, ess = _summary(log_w)
    return Estimate(base[1] - mean, se, ess, log_w)


def conservative(rng, energy, params, base, start, betas):
    r"""Log probabilities of given states, on average too low.

    .. math:: \log \hat p(x) = \log p^*(x) - \log Z_0 + \log w

    where w is the weight of a chain that starts there and goes down to the base model.
    The mean of w is the probability with which chains that come up from the base
    model, and have no weights, end at x [3]_.

    Parameters
    ----------
    rng, base, betas
        As for :func:`forward`.
    start : gibbs.State
        States, those of the odd layers not looked at.

    Returns
    -------
    log_p : ndarray
        Of the even layers, for each chain.
    """
    log_w = _downwards(rng, energy, params, base, start, betas)
    return energy.log_marginal(params, start.x) - base[1] + log_w


def upwards(rng, energy, params, base, n_chains, betas, trace=None):
    """Log weights of chains that come up from the base model, and in ``trace`` what
    they were after each step."""
    start = gibbs.init(rng.fold(_START).rows(n_chains), energy, base[0])
    rows, betas = rng.fold(_UP).rows(n_chains), np.asarray(betas).tolist()
    return anneal(rows, energy, params, base[0], start, betas, trace)


def _downwards(rng, energy, params, base, start, betas):
    rows, betas = rng.fold(_DOWN).rows(len(start.x[0])), np.asarray(betas).tolist()
    return anneal(rows, energy, params, base[0], start, betas[::-1])


def _summary(log_w):
    """Log of the mean weight, its standard error, the effective sample size."""
    mean, se = log_mean_exp(log_w)
    ess = len(log_w) ** 2 / (np.exp(log_w - mean) ** 2).sum()
    return float(mean), float(se), float(ess)
