r"""Annealed importance sampling of a log Z for each row's conditions.

.. math:: \log \hat Z(x) = \log Z_0 + \log \frac1m \sum_{k=1}^m w_k

from the model without couplings, and conditions, up to that given x, and back.
"""

import numpy as np
from scipy.special import logsumexp

from skdgm.partition import ais
from skdgm.samplers import Gibbs, State

# Chains of a row from either side, temperatures, and steps from the upper ends of
# chains to what stands for samples of the model.
_CHAINS, _BETAS, _STEPS = 10, 200, 50
_START, _UP, _ON, _DOWN = range(4)


def log_Z_bracket(rng, energy, params, z):
    """Upper and lower estimates of log Z given each row of conditions, without the
    weight of these: (2, n_rows), in this order.

    Parameters
    ----------
    rng : Stream
        With a row for each row of conditions.
    energy : Energy
        Whose last block are the conditions.
    params : Params
    z : ndarray of shape (n_rows, n_conditions)
    """
    rng, clamp = rng.each(_CHAINS), (None,) * (len(energy.units) - 1) + (True,)
    given = np.repeat(z, _CHAINS, axis=0)
    base, betas = params.units, np.linspace(0.0, 1.0, _BETAS)
    start = Gibbs(energy).init(rng.fold(_START), base).x
    start = State((*start[:-1], given))
    blocks = zip(energy.units[:-1], base)
    log_Z = sum(float(unit.log_partition(unit.field(own))) for unit, own in blocks)
    model = energy, params, base
    up, state = ais.anneal_clamped(rng.fold(_UP), *model, start, betas, clamp)
    sampler = Gibbs(energy, colours=energy.backwards, clamp=clamp)
    state, _ = sampler.step(rng.fold(_ON), params, state, _STEPS)
    down, _ = ais.anneal_clamped(rng.fold(_DOWN), *model, state, betas[::-1], clamp)
    low, high = (_mean(log_w) for log_w in (up, down))
    return log_Z + np.stack([np.maximum(low, -high), np.minimum(low, -high)])


def _mean(log_w):
    """Log of the mean weight of each row's chains."""
    return logsumexp(log_w.reshape(-1, _CHAINS), axis=1) - np.log(_CHAINS)
