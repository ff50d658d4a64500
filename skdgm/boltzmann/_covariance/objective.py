r"""Likelihood of rows under a covariance energy, by persistent chains.

.. math:: \frac{\partial \log p(v)}{\partial \theta} = -\frac{\partial F(v)}{\partial
   \theta} + \mathbb{E}_\text{model}\left[\frac{\partial F}{\partial\theta}\right]
"""

from typing import Any, NamedTuple

import numpy as np

from skdgm.exceptions import DivergenceError
from skdgm.optim import adam, learning_rate
from skdgm.samplers import State
from skdgm.training import DensityWatch, Objective
from skdgm.utils.math import log_sum_exp
from skdgm.utils.random import INIT, PROBE, stream
from skdgm.utils.tree import tree_map

# Gain of the adaptation of the step size; steps of chains before the first update;
# minimum step size.
_GAIN, _WARM, _MIN_STEP = 0.05, 60, 1e-5
_CHAINS, _MISSING = range(2)
# Points and half-width of the grid over which a column is integrated; distance of the
# first points in it; difference of two log integrals from which more points are needed;
# and number of points processed at a time.
_GRID, _REACH, _STRIDE, _ROUGH, _POINTS = 801, 8.0, 16, 1e-4, 1600


class CovarianceState(NamedTuple):
    """Parameters, optimizer state, chains of shape (n_chains, n_visible), and the log
    step size of the chains, of shape (1,)."""

    params: tuple
    optimizer: tuple = ()
    chains: Any = ()
    log_size: Any = ()


class CovarianceObjective(Objective):
    """Log-likelihood of rows under a covariance energy. ``moves`` has the samplers of
    the energy, ``independent_loss`` is the loss of independent columns in nats, and
    ``sizes`` has the arguments of the energy's ``initial``."""

    quantity = "pseudo-likelihood"

    def __init__(self, run, *, moves, independent_loss, sizes):
        super().__init__(run)
        self.moves, self.energy = moves, moves.energy
        self.independent_loss, self.sizes = independent_loss, sizes

    def start(self):
        rng, dtype = stream(self.seed, INIT).generator(), self.rows.dtype
        params = self.energy.initial(rng, **self.sizes)
        return self.resume(CovarianceState(tree_map(lambda a: a.astype(dtype), params)))

    def resume(self, state):
        if not state.optimizer:
            state = state._replace(optimizer=adam.init(state.params))
        if len(state.chains) != self.options.n_chains:
            rng = stream(self.seed, INIT, 1).rows(self.options.n_chains)
            v = rng.normal(self.rows.shape[1], self.rows.dtype)
            size, chains = self.moves.warmed_up(rng, state.params, State((v,)), _WARM)
            log_size = np.array([np.log(size)])
            state = state._replace(chains=chains.x[0], log_size=log_size)
        return state

    def step(self, state, batch, clock):
        options, rng, params = self.options, self.stream(clock), state.params
        size = float(np.exp(state.log_size[0]))
        guide = self.moves.guide(params, state.chains)
        v = self.rows.take(batch)
        if np.isnan(v).any():
            sampler = self.moves.sampler(size, guide, (~np.isnan(v),))
            rows, start = rng.fold(_MISSING).rows(len(v)), State((np.nan_to_num(v),))
            v = sampler.step(rows, params, start, self.moves.n_filling)[0].x[0]
        rows, chains = rng.fold(_CHAINS).rows(len(state.chains)), State((state.chains,))
        rate = None
        try:
            chains, info = self.moves.sampler(size, guide).step(
                rows, params, chains, self.moves.n_steps
            )
            if info.acceptance is not None:
                rate = info.acceptance.mean()
        except DivergenceError:
            if size < _MIN_STEP:
                raise
            # The energy has become steep, so halve the step size.
            rate = self.moves.target - np.log(2) / _GAIN
        if rate is not None:
            state.log_size[0] += _GAIN * (rate - self.moves.target)
        grad = self.energy.gradient(params, v)
        if self.moves.exact(params):
            expected = self.energy.expected(params)
        else:
            expected = self.energy.gradient(params, chains.x[0])
        grad = tree_map(np.subtract, grad, expected)
        grad = self.energy.tangent(params, grad)
        preserved = self.energy.kept(params)
        rate = learning_rate(
            options.learning_rate, options.schedule, clock, options.power_t
        )
        momentum = options.momentum
        adam.step(params, state.optimizer, grad, rate=rate, momentum=momentum)
        log_precision = params.visible.log_precision
        np.minimum(log_precision, -np.log(options.min_variance), out=log_precision)
        self.energy.constrain(params, preserved, options.max_norm)
        return state._replace(chains=chains.x[0])

    def watch(self, table, held_out, state):
        return CovarianceWatch(self, table, held_out, state)


class CovarianceWatch(DensityWatch):
    """Negative log-likelihood of one column of each row given all others, times the
    number of columns."""

    def __init__(self, objective, table, held_out, state):
        self.objective = objective
        self.rng = stream(objective.seed, PROBE)
        independent_loss = objective.independent_loss
        super().__init__(table, held_out, self.rng, independent_loss, state)

    def _among(self, index):
        return index[: self.objective.moves.n_monitored]

    def _losses(self, state, index, part):
        rng = self.rng.rows(np.arange(part.start, part.stop, dtype=np.uint64))
        v = self.rows.take(index)
        n = v.shape[1]
        # Choose an observed column.
        order = np.where(np.isnan(v), 2, rng.uniform(n))
        column = order.argmin(axis=1)
        n_observed = (~np.isnan(v)).sum(axis=1)
        energy = self.objective.energy
        log_p = log_conditional(energy, state.params, np.nan_to_num(v), column)
        return -np.where(n_observed, n_observed * log_p, 0)


def log_conditional(energy, params, v, column):
    """Log density of one column of each row given all others, (n_rows,), by numerical
    integration over a grid."""
    value = v[np.arange(len(v)), column]
    reach = np.maximum(_REACH, np.abs(value) + 1)
    grid = reach[:, None] * np.linspace(-1, 1, _GRID, dtype=v.dtype)
    shift, stride = grid - value[:, None], _STRIDE
    # The last element is the value itself.
    some = np.column_stack([shift[:, ::stride], np.zeros_like(value)])
    log_p = _along(energy, params, v, column, some)
    fine, coarse = (
        log_sum_exp(part, axis=1) for part in (log_p[:, :-1], log_p[:, :-1:2])
    )
    log_cell = np.log(stride * (grid[:, 1] - grid[:, 0]))
    # Twice as many points square the error, at least, until it is small.
    rough = np.arange(len(v))
    while stride > 1 and len(rough):
        gain = fine[rough] - coarse[rough]
        rough = rough[np.abs(gain - np.log(2)) > _ROUGH]
        between = shift[rough, stride // 2 :: stride]
        others = _along(energy, params, v[rough], column[rough], between)
        others = log_sum_exp(others, axis=1)
        coarse[rough] = fine[rough]
        fine[rough] = np.logaddexp(fine[rough], others)
        log_cell[rough] -= np.log(2)
        stride //= 2
    return log_p[:, -1] - fine - log_cell


def _along(energy, params, v, column, shift):
    """``energy.along`` in float64, for blocks of rows that fit into a cache."""
    log_p, size = np.empty(shift.shape), max(1, _POINTS // shift.shape[1])
    for first in range(0, len(v), size):
        block = slice(first, first + size)
        log_p[block] = energy.along(params, v[block], column[block], shift[block])
    return log_p
