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

import itertools
from typing import NamedTuple

import numpy as np

from skdgm.energies import EVEN, ODD, Path
from skdgm.partition.annealing import anneal
from skdgm.samplers import binary, gibbs
from skdgm.utils.math import log_mean_exp

_START, _UP, _DOWN = range(3)
# Temperatures that a kernel takes before Ctrl-C is heard.
_CHUNK = 20


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


def betas(n_betas):
    """Inverse temperatures from 0 to 1, closer to one another near 1."""
    t = np.linspace(0.0, 1.0, n_betas)
    return (1.0 - (1.0 - t) ** 2).tolist()


def forward(rng, energy, params, base, n_chains=100, n_betas=1000):
    """Estimate log Z on the way from the base model to the model.

    Parameters
    ----------
    rng : Stream
    base : pair
        What :meth:`~skdgm.energies.LayeredEnergy.base` returns.

    Returns
    -------
    estimate : Estimate
    """
    units, log_Z_base = base
    start = gibbs.init(rng.fold(_START).rows(n_chains), energy, units)
    rows = rng.fold(_UP).rows(n_chains)
    log_w = _anneal(rows, energy, params, units, start, betas(n_betas))
    mean, se, ess = _summary(log_w)
    return Estimate(log_Z_base + mean, se, ess, log_w)


def reverse(rng, energy, params, base, start, n_betas=1000):
    """Estimate log Z on the way from the model's own samples to the base model.

    Parameters
    ----------
    rng, base
        As for :func:`forward`.
    start : gibbs.State
        Samples of the model, one for each chain.

    Returns
    -------
    estimate : Estimate
    """
    units, log_Z_base = base
    rows = rng.fold(_DOWN).rows(len(start.x[0]))
    log_w = _anneal(rows, energy, params, units, start, betas(n_betas)[::-1])
    mean, se, ess = _summary(log_w)
    return Estimate(log_Z_base - mean, se, ess, log_w)


def _anneal(rng, energy, params, base, state, betas):
    log_w = np.zeros(len(rng.ids))
    if binary.serves(energy, params, state.x, (ODD, EVEN)):
        for first in range(0, len(betas) - 1, _CHUNK):
            part = betas[first : first + _CHUNK + 1]
            rngs = [rng.fold(first + number) for number in range(len(part) - 1)]
            x = anneal(rngs, energy, params, base, part, state.x, log_w)
            state = gibbs.State(x)
        return log_w
    for number, (beta, following) in enumerate(itertools.pairwise(betas)):
        here, there = Path(base, beta), Path(base, following)
        received = {
            block: energy.received(params, state.x, block)
            for block in energy.colours[ODD]
        }
        log_w += energy.log_marginal(params, state.x, received=received, path=there)
        log_w -= energy.log_marginal(params, state.x, received=received, path=here)
        state, _ = gibbs.step(
            rng.fold(number),
            energy,
            params,
            state,
            colours=(ODD, EVEN),
            path=there,
            received=received,
        )
    return log_w


def _summary(log_w):
    """Log of the mean weight, its standard error, the effective sample size."""
    mean, se = log_mean_exp(log_w)
    ess = len(log_w) ** 2 / (np.exp(log_w - mean) ** 2).sum()
    return float(mean), float(se), float(ess)
