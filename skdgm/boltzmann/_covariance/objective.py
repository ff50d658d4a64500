r"""Likelihood of rows under an energy of covariances, by persistent trajectories.

.. math:: \frac{\partial \log p(v)}{\partial \theta} = -\frac{\partial F(v)}{\partial
   \theta} + \mathbb{E}_\text{model}\left[\frac{\partial F}{\partial\theta}\right]
"""

from typing import NamedTuple

import numpy as np

from skdgm.distributions import Normal
from skdgm.energies.covariance import CovarianceParams
from skdgm.exceptions import DivergenceError
from skdgm.optim import adam, learning_rate
from skdgm.samplers import HMC, State
from skdgm.training import DensityWatch, Objective
from skdgm.utils.math import softplus
from skdgm.utils.random import INIT, PROBE, stream
from skdgm.utils.tree import tree_map

# Acceptance that the size of steps adapts to, by so much of the difference;
# trajectories before the first update; least size.
_TARGET, _GAIN, _WARM, _LEAST = 0.9, 0.05, 60, 1e-5
# Trajectories of missing entries of a batch.
_FILLING = 3
_CHAINS, _MISSING = range(2)
# Initial deviation of weights; biases of mean units and of covariance units.
_SMALL, _OFF, _ON = 0.1, -2.0, 2.0
# Values and reach of the grid by which a column is integrated, and rows at a time.
_GRID, _REACH, _ROWS = 401, 8.0, 16


class CovarianceState(NamedTuple):
    """Parameters, optimiser state, chains of shape (n_chains, n_visible), and the log
    of the size of their leapfrog steps, of shape (1,)."""

    params: CovarianceParams
    optimiser: tuple = ()
    chains: np.ndarray = ()
    log_size: np.ndarray = ()


class CovarianceObjective(Objective):
    """Log-likelihood of rows by an energy of covariances."""

    quantity = "pseudo-likelihood"

    def __init__(self, energy, independent, sizes, *given):
        super().__init__(*given)
        self.energy, self.independent, self.sizes = energy, independent, sizes

    def start(self):
        """Initial state: small random weights."""
        n, dtype = self.rows.shape[1], self.rows.dtype
        n_mean, n_factors, n_covariance = self.sizes
        rng = stream(self.seed, INIT).generator()
        pooling = np.zeros((n_factors, n_covariance))
        pooling[
            np.arange(n_factors), np.arange(n_factors) * n_covariance // n_factors
        ] = 1
        if n_factors != n_covariance:
            pooling += 0.01 * rng.random(pooling.shape)
        params = CovarianceParams(
            Normal(np.zeros(n), np.zeros(n)),
            _SMALL * rng.normal(size=(n, n_mean)),
            np.full(n_mean, _OFF),
            _SMALL * rng.normal(size=(n, n_factors)),
            pooling,
            np.full(n_covariance, _ON),
        )
        return self.resume(CovarianceState(tree_map(lambda a: a.astype(dtype), params)))

    def resume(self, state):
        """State with an optimiser, and as many chains as are asked for."""
        if not state.optimiser:
            state = state._replace(optimiser=adam.init(state.params))
        if len(state.chains) != self.options.n_chains:
            rng = stream(self.seed, INIT, 1).rows(self.options.n_chains)
            v = rng.normal(self.rows.shape[1], self.rows.dtype)
            sampler = HMC(self.energy, n_leapfrog=self.options.n_leapfrog)
            sampler, found = sampler.adapted(rng, state.params, State((v,)), _WARM)
            log_size = np.array([np.log(sampler.step_size)])
            state = state._replace(chains=found.x[0], log_size=log_size)
        return state

    def step(self, state, batch, clock):
        """State after an update from a batch; it changes in place."""
        options, rng, params = self.options, self.stream(clock), state.params
        size = float(np.exp(state.log_size[0]))
        how = {"step_size": size, "n_leapfrog": options.n_leapfrog}
        v = self.rows.take(batch)
        if np.isnan(v).any():
            known = ~np.isnan(v)
            sampler = HMC(self.energy, clamp=(known,), **how)
            given = rng.fold(_MISSING).rows(len(v)), params
            start = State((np.nan_to_num(v),))
            v = sampler.step(*given, start, _FILLING)[0].x[0]
        rows, chains = rng.fold(_CHAINS).rows(len(state.chains)), State((state.chains,))
        try:
            chains, info = HMC(self.energy, **how).step(rows, params, chains)
            rate = info.acceptance.mean()
        except DivergenceError:
            if size < _LEAST:
                raise
            # Shorter steps follow what has become steep.
            chains, rate = chains, _TARGET - np.log(2) / _GAIN
        state.log_size[0] += _GAIN * (rate - _TARGET)
        grad = tree_map(
            np.subtract,
            self.energy.gradient(params, v),
            self.energy.gradient(params, chains.x[0]),
        )
        if self.sizes[1] == self.sizes[2]:
            grad = grad._replace(P=np.zeros_like(grad.P))
        before = params.P.sum(axis=0)
        how = options.learning_rate, options.schedule, clock, options.power_t
        adam.step(
            params,
            state.optimiser,
            grad,
            rate=learning_rate(*how),
            momentum=options.momentum,
        )
        self._constrain(params, before)
        return state._replace(chains=chains.x[0])

    def _constrain(self, params, total):
        """Limit precisions, norms and pooling, in place."""
        limit = -np.log(self.options.min_variance)
        np.minimum(
            params.visible.log_precision, limit, out=params.visible.log_precision
        )
        P = np.maximum(params.P, 0, out=params.P)
        now = P.sum(axis=0)
        P *= np.divide(total, now, out=np.ones_like(now), where=now > 0)
        for weights in (params.W, params.C):
            norm = np.sqrt(np.square(weights).sum(axis=0))
            weights *= self.options.max_norm / np.maximum(norm, self.options.max_norm)

    def watch(self, table, held_out, state):
        """Pseudo-likelihood of a column of each row."""
        return CovarianceWatch(self, table, held_out, state)


class CovarianceWatch(DensityWatch):
    """Log-likelihood of a column of each row given all others, times their number."""

    def __init__(self, objective, table, held_out, state):
        self.objective = objective
        self.rng = stream(objective.seed, PROBE)
        independent = objective.independent
        super().__init__(table, held_out, self.rng, independent, state)

    def _losses(self, state, index, part):
        rng = self.rng.rows(np.arange(part.start, part.stop, dtype=np.uint64))
        v = self.rows.take(index)
        n = v.shape[1]
        # Of columns that are seen.
        order = np.where(np.isnan(v), 2, rng.uniform(n))
        column = order.argmin(axis=1)
        seen = (~np.isnan(v)).sum(axis=1)
        found = [
            log_conditional(
                state.params, np.nan_to_num(v[a : a + _ROWS]), column[a : a + _ROWS]
            )
            for a in range(0, len(v), _ROWS)
        ]
        return -np.where(seen, seen * np.concatenate(found), 0)


def log_conditional(params, v, column):
    """Log density of a column of each row given all others, (n_rows,), by sums over a
    grid."""
    visible, W, c, C, P, d = tree_map(lambda part: part.astype(float), params)
    v, rows = v.astype(float), np.arange(len(v))
    own, reach = v[rows, column], np.maximum(_REACH, np.abs(v[rows, column]) + 1)
    grid = reach[:, None] * np.linspace(-1, 1, _GRID)
    # The value itself is the last of the grid's.
    moved = np.column_stack([grid - own[:, None], np.zeros(len(v))])
    means = (v @ W + c)[:, None] + moved[..., None] * W.T[:, column].T[:, None]
    along = (v @ C)[:, None] + moved[..., None] * C.T[:, column].T[:, None]
    narrow = d - 0.5 * np.square(along) @ P
    precision, center = np.exp(visible.log_precision[column]), visible.mean[column]
    gap = own[:, None] + moved - center[:, None]
    log_p = softplus(means).sum(axis=-1) + softplus(narrow).sum(axis=-1)
    log_p -= 0.5 * precision[:, None] * gap**2
    top = log_p.max(axis=1, keepdims=True)
    total = np.exp(log_p[:, :-1] - top).sum(axis=1) * (grid[:, 1] - grid[:, 0])
    return log_p[:, -1] - top[:, 0] - np.log(total)
