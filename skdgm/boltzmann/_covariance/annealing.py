r"""Annealed importance sampling over Hamiltonian trajectories.

.. math:: U_\beta(v) = (1 - \beta) \, U_0(v) + \beta \, F(v), \qquad
   U_0(v) = \tfrac12 \lvert v \rvert^2

Entries that are clamped are the same at all :math:`\beta`: then weights estimate the
integral over all others, of rows with missing entries.
"""

from itertools import pairwise

import numpy as np

from skdgm.energies import Potential
from skdgm.exceptions import LikelihoodWarning
from skdgm.partition.estimate import MAX_GAP, agree, combined, complaint, of_weights
from skdgm.samplers import HMC, State
from skdgm.utils.math import log_mean_exp
from skdgm.utils.threading.callers import warn

_LOG_2PI = np.log(2 * np.pi)
_START, _UP, _BURN, _DOWN = range(4)
# Numbers of temperatures, of which the next is tried while both sides disagree; chains,
# and trajectories of those that go down before they do; largest standard error.
_N_BETAS, _N_CHAINS, _BURN_IN, _MAX_SE = (100, 300, 1000), 100, 30, 0.1
# Of rows with missing entries.
_FEW_BETAS, _FEW_CHAINS = 30, 5


class Between(Potential):
    """Potential between a standard normal distribution and a model."""

    def __init__(self, energy, beta):
        self.inner, self.beta, self.units = energy, beta, energy.units

    def value(self, params, x):
        """As :meth:`Potential.value`."""
        found, slope = self.inner.value(params, x)
        beta = slope.dtype.type(self.beta)
        own = 0.5 * np.square(x[0], dtype=float).sum(axis=1)
        value = (1 - self.beta) * own + self.beta * found
        return value, (1 - beta) * x[0] + beta * slope


def anneal(rng, energy, params, v, betas, how, clamp=None):
    """Log weights of chains through inverse temperatures, (n_chains,); ``how`` are
    options of trajectories."""
    log_w = np.zeros(len(v))
    for number, (here, there) in enumerate(pairwise(betas)):
        free, _ = energy.value(params, (v,))
        own = 0.5 * np.square(v, dtype=float).sum(axis=1)
        log_w += (there - here) * (own - free)
        sampler = HMC(Between(energy, there), clamp=clamp, **how)
        state, _ = sampler.step(rng.fold(number), params, State((v,)))
        v = state.x[0]
    return log_w


def log_partition(rng, energy, params, chains, how, name):
    """Log Z and its standard error, from both sides."""
    n, dtype = chains.shape[1], chains.dtype
    base = 0.5 * n * _LOG_2PI
    rows = rng.rows(_N_CHAINS)
    start = rows.fold(_START).normal(n, dtype)
    samples = chains[np.arange(_N_CHAINS) % len(chains)]
    sampler = HMC(energy, **how)
    state = sampler.step(rows.fold(_BURN), params, State((samples,)), _BURN_IN)[0]
    for n_betas in _N_BETAS:
        betas = np.linspace(0, 1, n_betas) ** 2
        up = anneal(rows.fold(_UP, n_betas), energy, params, start, betas, how)
        own = rows.fold(_DOWN, n_betas)
        down = anneal(own, energy, params, state.x[0], betas[::-1], how)
        up, down = of_weights(up, base), of_weights(down, base, sign=-1.0)
        log_Z, se = combined(up, down)
        if agree(up, down, MAX_GAP / 2) and se <= _MAX_SE:
            break
    if not agree(up, down):
        warn(f"{name}: {complaint(up, down, n_betas, MAX_GAP)}", LikelihoodWarning)
    return log_Z, se


def log_integral(rng, energy, params, v, how):
    """Log of the integral of exp(-F) over the missing entries of rows, (n_rows,)."""
    v = np.repeat(v, _FEW_CHAINS, axis=0)
    rng, known = rng.each(_FEW_CHAINS), ~np.isnan(v)
    noise = rng.fold(_START).normal(v.shape[1], v.dtype)
    start, betas = np.where(known, v, noise), np.linspace(0, 1, _FEW_BETAS) ** 2
    # Of what is known, the standard normal distribution has a density, too.
    base = 0.5 * _LOG_2PI * (~known).sum(axis=1)
    base -= 0.5 * np.square(np.where(known, v, 0), dtype=float).sum(axis=1)
    log_w = anneal(rng.fold(_UP), energy, params, start, betas, how, (known,))
    return log_mean_exp((base + log_w).reshape(-1, _FEW_CHAINS), axis=1)[0]
