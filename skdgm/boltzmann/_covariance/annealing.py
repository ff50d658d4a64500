r"""Annealed importance sampling between a normal distribution and a model.

Chains follow Hamiltonian trajectories, or Gibbs steps, of the potentials

.. math:: U_\beta(v) = (1 - \beta) \, U_0(v) + \beta \, F(v), \qquad
   U_0(v) = \tfrac12 \lvert v \rvert^2

Clamped entries are the same at all :math:`\beta`. The weights of rows with missing
entries then estimate the integral over these entries.
"""

from functools import lru_cache

import numpy as np

from skdgm.exceptions import LikelihoodWarning
from skdgm.partition import AnnealingPath, anneal, ladder
from skdgm.partition.bracket import AISOptions, Bracket
from skdgm.partition.estimate import agree, combined, complaint, interval, of_weights
from skdgm.samplers import State
from skdgm.utils.math import LOG_2PI, log_mean_exp
from skdgm.utils.threading.callers import warn

_START, _UP, _BURN, _DOWN, _ENDS = range(5)
# Default options, in which ``moves`` chooses the temperatures.
_BRIEF = AISOptions((100, 300, 1000), schedule=None, burn_in=600, max_se=0.1)
# Numbers of temperatures and chains for rows with missing entries.
_FEW_BETAS, _FEW_CHAINS = 30, 5


class MovesPath(AnnealingPath):
    """Path from a normal distribution to an energy, sampled by ``moves`` with a step
    ``size``. States are rows; ``clamp`` is as for :meth:`Moves.at`."""

    def __init__(self, moves, params, size, guide=None, clamp=None):
        self.moves, self.params, self.size, self.guide = moves, params, size, guide
        # A step needs two temperatures: its own, and the previous one.
        self._at = lru_cache(2)(lambda beta: moves.at(params, beta, size, guide, clamp))

    def log_p(self, state, beta):
        energy, params, _ = self._at(beta)
        return -energy.value(params, (state,))[0]

    def step(self, rng, state, beta):
        _, params, sampler = self._at(beta)
        return sampler.step(rng, params, State((state,)))[0].x[0]


def weights(rng, path, v, betas):
    """Log weights of chains from rows v along a path, (n_chains,)."""
    log_w = np.zeros(len(v))
    anneal(path, rng.folds(), v, betas, log_w)
    return log_w


def bracket(rng, path, chains, name, n_chains=100, effort=None):
    """Bracket of log Z by annealing in both directions along a :class:`MovesPath`, with
    ``n_chains`` chains each. Chains in the downward direction start from training
    chains after a burn-in. ValueError if ``effort.schedule`` is "adaptive"."""
    moves, params = path.moves, path.params
    effort = _BRIEF if effort is None else effort
    if effort.schedule == "adaptive":
        raise ValueError(
            f'schedule="adaptive" is not for {name}: take "linear", "quadratic" or '
            '"sigmoid".'
        )
    n, dtype = chains.shape[1], chains.dtype
    base = 0.5 * n * LOG_2PI + moves.log_base(params)
    rows = rng.rows(n_chains)
    start = rows.fold(_START).normal(n, dtype)
    samples = chains[np.arange(n_chains) % len(chains)]
    sampler, n_steps = (
        moves.sampler(path.size, path.guide),
        -(-effort.burn_in // moves.n_each),
    )
    state = sampler.step(rows.fold(_BURN), params, State((samples,)), n_steps)[0]
    schedule = getattr(ladder, effort.schedule) if effort.schedule else moves.betas
    for n_betas in effort.n_betas:
        betas = schedule(n_betas)
        up = weights(rows.fold(_UP, n_betas), path, start, betas)
        down = weights(rows.fold(_DOWN, n_betas), path, state.x[0], betas[::-1])
        up, down = of_weights(up, base), of_weights(down, base, sign=-1.0)
        log_Z, se = combined(up, down, effort.max_gap)
        if agree(up, down, effort.max_gap / 2) and se <= effort.max_se:
            break
    if not agree(up, down, effort.max_gap):
        text = complaint(up, down, n_betas, effort.max_gap)
        warn(f"{name}: {text}", LikelihoodWarning)
    generator = rng.fold(_ENDS).generator()
    ends = (
        *interval(up.log_w, generator, effort.confidence),
        *interval(down.log_w, generator, effort.confidence, sign=-1.0),
    )
    return Bracket(
        log_Z,
        se,
        lower=min(ends),
        upper=max(ends),
        ess=min(up.ess, down.ess),
        n_betas=n_betas,
        forward=up,
        reverse=down,
    )


def log_integral(rng, moves, params, v, size, guide):
    """Log of the integral of exp(-F) over the missing entries of rows, and its standard
    error, both of shape (n_rows,)."""
    v = np.repeat(v, _FEW_CHAINS, axis=0)
    rng, known = rng.each(_FEW_CHAINS), ~np.isnan(v)
    noise = rng.fold(_START).normal(v.shape[1], v.dtype)
    start, betas = np.where(known, v, noise), np.linspace(0, 1, _FEW_BETAS) ** 2
    # Log density of the known entries under a standard normal distribution.
    base = 0.5 * LOG_2PI * (~known).sum(axis=1)
    base -= 0.5 * np.square(np.where(known, v, 0), dtype=float).sum(axis=1)
    base += moves.log_base(params)
    path = MovesPath(moves, params, size, guide, (known,))
    log_w = weights(rng.fold(_UP), path, start, betas)
    return log_mean_exp((base + log_w).reshape(-1, _FEW_CHAINS), axis=1)
