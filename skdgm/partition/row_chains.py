r"""Annealed importance sampling for rows with different conditions or biases.

.. math:: \log \hat Z(x) = \log Z_0(x) + \log \frac1m \sum_{k=1}^m w_k

Several chains are annealed for each row, from the model without couplings to the model
of the row and back. Known entries are clamped, so that Z is the sum over all others,
and weighted averages over chains are conditional on the known entries.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from skdgm.energies import Energy, Params
from skdgm.partition.ais import EnergyPath
from skdgm.partition.annealing import anneal
from skdgm.partition.enumeration import part_of
from skdgm.samplers import Gibbs, State
from skdgm.utils.math import rows_by_pattern
from skdgm.utils.tree import tree_map

_START, _UP, _ON, _DOWN = range(4)


class RowChains(NamedTuple):
    """Chains for rows with clamped entries, ``n_chains`` per row, in the order of rows.

    ``params`` may have biases for each chain. ``base`` are the parameters of each block
    in the base model, for all chains or for each, and x the values of clamped entries
    by block, or None. ``clamp`` is as for :func:`~skdgm.samplers.sweep`.
    """

    energy: Energy
    params: Params
    base: tuple
    x: tuple
    clamp: tuple
    n_chains: int

    @classmethod
    def of(cls, energy, params, base, x, clamp, n_chains):
        """Repeat parameters, values and masks for ``n_chains`` chains per row."""

        def each(part):
            rows = isinstance(part, np.ndarray) and part.ndim > 1
            return np.repeat(part, n_chains, axis=0) if rows else part

        units, base = tree_map(each, params.units), tree_map(each, base)
        params, x = params._replace(units=units), tuple(map(each, x))
        return cls(energy, params, base, x, tuple(map(each, clamp)), n_chains)

    def up(self, rng, n_betas):
        """Anneal chains from the base model to the model; return log weights and
        states. ``rng`` has a row for each chain."""
        drawn = Gibbs(self.energy).init(rng.fold(_START), self.base).x
        x = tuple(
            drawn_values
            if clamped is None
            else known
            if clamped is True
            else np.where(clamped, known, np.asarray(drawn_values))
            for drawn_values, known, clamped in zip(drawn, self.x, self.clamp)
        )
        return self._along(rng.fold(_UP), x, np.linspace(0.0, 1.0, n_betas))

    def down(self, rng, state, n_betas):
        """Log weights of chains annealed from states of the model to the base model."""
        betas = np.linspace(1.0, 0.0, n_betas)
        return self._along(rng.fold(_DOWN), state.x, betas)[0]

    def _along(self, rng, x, betas):
        path = EnergyPath(self.energy, self.params, self.base, self.clamp)
        log_w = np.zeros(len(rng.ids))
        state = anneal(path, rng.folds(), path.begin(x), betas, log_w)
        return log_w, State(state.x)

    def log_Z(self, rng, n_betas, n_steps):
        """Log of the sum over free entries, (2, n_rows), and states of the model.

        The first estimate is by forward annealing and too low on average. The second is
        by reverse annealing, from states after ``n_steps`` additional steps, and too
        high on average. With ``n_steps=0`` the second equals the first.
        """
        log_Z_0 = self.log_base()
        log_w, state = self.up(rng, n_betas)
        low = high = self._mean(log_Z_0 + log_w)
        if n_steps:
            sampler = Gibbs(self.energy, colors=self.energy.backwards, clamp=self.clamp)
            last, _ = sampler.step(rng.fold(_ON), self.params, state, n_steps)
            high = -self._mean(self.down(rng, last, n_betas) - log_Z_0)
        return np.stack([low, high]), state

    def _mean(self, log_w):
        """Log of the mean weight over the chains of each row."""
        of_rows = log_w.reshape(-1, self.n_chains)
        return logsumexp(of_rows, axis=1) - np.log(self.n_chains)

    def log_base(self):
        """Log of the sum over free entries in the base model, for each chain."""
        total = 0.0
        blocks = zip(self.energy.units, self.base, self.x, self.clamp)
        for unit, block_params, value, clamped in blocks:
            if clamped is None:
                total = total + unit.log_partition(unit.field(block_params))
            elif clamped is True:
                total = total + unit.log_weight(unit.field(block_params), value)
            else:
                total = total + _partly_clamped(unit, block_params, value, clamped)
        return total

    def averaged(self, rng, state, n_steps):
        """Means of the visible blocks given the hidden layer, averaged over Gibbs
        steps: a list of arrays of shape (n_rows * n_chains, size)."""
        order, blocks = self.energy.backwards, self.energy.colors[0]
        sampler = Gibbs(self.energy, colors=order, clamp=self.clamp)
        totals, rng = [0.0] * len(blocks), rng.fold(_ON)
        for number in range(n_steps):
            state, info = sampler.step(rng, self.params, state, first=number)
            totals = [total + info.means[b] for total, b in zip(totals, blocks)]
        return [total / n_steps for total in totals]


def _partly_clamped(unit, block_params, value, held):
    """Log weight of the clamped entries of each row of a block, with the free entries
    summed out; ``block_params`` are the parameters of the block and ``held`` is the
    mask of clamped entries."""
    log_w = np.zeros(len(value))
    for rows in rows_by_pattern(held):
        clamped = np.flatnonzero(held[rows[0]])
        free = np.flatnonzero(~held[rows[0]])
        params = tree_map(
            lambda part, rows=rows: part[rows] if part.ndim > 1 else part, block_params
        )
        if len(clamped):
            part = unit.only(clamped)
            eta = part.field(part_of(params, clamped))
            log_w[rows] += part.log_weight(eta, value[np.ix_(rows, clamped)])
        if len(free):
            part = unit.only(free)
            log_w[rows] += part.log_partition(part.field(part_of(params, free)))
    return log_w
