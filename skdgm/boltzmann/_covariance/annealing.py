r"""Annealed importance sampling between a normal distribution and a model.

Over Hamiltonian trajectories,

.. math:: U_\beta(v) = (1 - \beta) \, U_0(v) + \beta \, F(v), \qquad
   U_0(v) = \tfrac12 \lvert v \rvert^2

Entries that are clamped are the same at all :math:`\beta`: then weights estimate the
integral over all others, of rows with missing entries.
"""

import numpy as np

from skdgm.exceptions import LikelihoodWarning
from skdgm.partition.estimate import MAX_GAP, agree, combined, complaint, of_weights
from skdgm.samplers import State
from skdgm.utils.math import log_mean_exp
from skdgm.utils.threading.callers import warn

_LOG_2PI = np.log(2 * np.pi)
_START, _UP, _BURN, _DOWN = range(4)
# Numbers of temperatures, of which the next is tried while both sides disagree; chains,
# and trajectories of those that go down before they do; largest standard error.
_N_BETAS, _N_CHAINS, _BURN_IN, _MAX_SE = (100, 300, 1000), 100, 30, 0.1
# Of rows with missing entries.
_FEW_BETAS, _FEW_CHAINS = 30, 5


def anneal(rng, moves, params, v, betas, size, clamp=None):
    """Log weights of chains through inverse temperatures, (n_chains,), by steps of a
    ``size``."""
    log_w = np.zeros(len(v))
    energy, given, _ = moves.at(params, betas[0], size)
    for number, beta in enumerate(betas[1:]):
        log_w += energy.value(given, (v,))[0]
        energy, given, sampler = moves.at(params, beta, size, clamp)
        log_w -= energy.value(given, (v,))[0]
        v = sampler.step(rng.fold(number), given, State((v,)))[0].x[0]
    return log_w


def log_partition(rng, moves, params, chains, size, name):
    """Log Z and its standard error, from both sides."""
    n, dtype = chains.shape[1], chains.dtype
    base = 0.5 * n * _LOG_2PI + moves.log_base(params)
    rows = rng.rows(_N_CHAINS)
    start = rows.fold(_START).normal(n, dtype)
    samples = chains[np.arange(_N_CHAINS) % len(chains)]
    sampler = moves.sampler(size)
    state = sampler.step(rows.fold(_BURN), params, State((samples,)), _BURN_IN)[0]
    for n_betas in _N_BETAS:
        betas = np.linspace(0, 1, n_betas) ** 2
        up = anneal(rows.fold(_UP, n_betas), moves, params, start, betas, size)
        own = rows.fold(_DOWN, n_betas)
        down = anneal(own, moves, params, state.x[0], betas[::-1], size)
        up, down = of_weights(up, base), of_weights(down, base, sign=-1.0)
        log_Z, se = combined(up, down)
        if agree(up, down, MAX_GAP / 2) and se <= _MAX_SE:
            break
    if not agree(up, down):
        warn(f"{name}: {complaint(up, down, n_betas, MAX_GAP)}", LikelihoodWarning)
    return log_Z, se


def log_integral(rng, moves, params, v, size):
    """Log of the integral of exp(-F) over the missing entries of rows, (n_rows,)."""
    v = np.repeat(v, _FEW_CHAINS, axis=0)
    rng, known = rng.each(_FEW_CHAINS), ~np.isnan(v)
    noise = rng.fold(_START).normal(v.shape[1], v.dtype)
    start, betas = np.where(known, v, noise), np.linspace(0, 1, _FEW_BETAS) ** 2
    # Of what is known, the standard normal distribution has a density, too.
    base = 0.5 * _LOG_2PI * (~known).sum(axis=1)
    base -= 0.5 * np.square(np.where(known, v, 0), dtype=float).sum(axis=1)
    base += moves.log_base(params)
    log_w = anneal(rng.fold(_UP), moves, params, start, betas, size, (known,))
    return log_mean_exp((base + log_w).reshape(-1, _FEW_CHAINS), axis=1)[0]
