r"""Annealed importance sampling of rows with conditions or biases of their own.

.. math:: \log \hat Z(x) = \log Z_0(x) + \log \frac1m \sum_{k=1}^m w_k

from the model without couplings to the model of each row, and back: by several chains
of a row. Known entries are clamped; then Z sums over all others, and the weights make
averages over chains those of the distribution conditional on what is known.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from skdgm.partition.ais import EnergyPath
from skdgm.partition.annealing import anneal
from skdgm.partition.enumeration import alike, part_of
from skdgm.samplers import Gibbs, State
from skdgm.utils.tree import tree_map

_START, _UP, _ON, _DOWN = range(4)


class RowChains(NamedTuple):
    """Chains of rows with clamped entries, those of the first row first.

    Parameters
    ----------
    energy : Energy
    params : Params
        Perhaps with biases of each chain.
    base : tuple
        Parameters of each block in the base model, of all chains or of each.
    x : tuple
        For each block the values of clamped entries, or None.
    clamp : tuple
        Entries that stay as they are; see :func:`~skdgm.samplers.sweep`.
    n_chains : int
        Number of chains of each row.
    """

    energy: object
    params: tuple
    base: tuple
    x: tuple
    clamp: tuple
    n_chains: int

    @classmethod
    def of(cls, energy, params, base, x, clamp, n_chains):
        """``n_chains`` chains of each row of parameters, values and masks."""

        def each(part):
            rows = isinstance(part, np.ndarray) and part.ndim > 1
            return np.repeat(part, n_chains, axis=0) if rows else part

        units, base = tree_map(each, params.units), tree_map(each, base)
        params, x = params._replace(units=units), tuple(map(each, x))
        return cls(energy, params, base, x, tuple(map(each, clamp)), n_chains)

    def up(self, rng, n_betas):
        """Log weights of chains from the base model to the model, and their states;
        ``rng`` has a row for each chain."""
        drawn = Gibbs(self.energy).init(rng.fold(_START), self.base).x
        x = tuple(
            own
            if held is None
            else known
            if held is True
            else np.where(held, known, np.asarray(own))
            for own, known, held in zip(drawn, self.x, self.clamp)
        )
        return self._along(rng.fold(_UP), x, np.linspace(0.0, 1.0, n_betas))

    def down(self, rng, state, n_betas):
        """Log weights of chains from states of the model to the base model."""
        betas = np.linspace(1.0, 0.0, n_betas)
        return self._along(rng.fold(_DOWN), state.x, betas)[0]

    def _along(self, rng, x, betas):
        path = EnergyPath(self.energy, self.params, self.base, self.clamp)
        log_w = np.zeros(len(rng.ids))
        state = anneal(path, rng.folds(), path.begin(x), betas, log_w)
        return log_w, State(state.x)

    def log_Z(self, rng, n_betas, n_steps):
        """Log of the sum over all that is not clamped, by annealing up, and down from
        states after ``n_steps`` more steps: too low and too high on average,
        (2, n_rows). With n_steps = 0 by annealing up alone, twice. And states after
        annealing up."""
        log_Z_0 = self.log_base()
        log_w, state = self.up(rng, n_betas)
        low = high = self._mean(log_Z_0 + log_w)
        if n_steps:
            sampler = Gibbs(
                self.energy, colours=self.energy.backwards, clamp=self.clamp
            )
            last, _ = sampler.step(rng.fold(_ON), self.params, state, n_steps)
            high = -self._mean(self.down(rng, last, n_betas) - log_Z_0)
        return np.stack([low, high]), state

    def _mean(self, log_w):
        """Log of the mean weight of each row's chains."""
        of_rows = log_w.reshape(-1, self.n_chains)
        return logsumexp(of_rows, axis=1) - np.log(self.n_chains)

    def log_base(self):
        """Log of the sum over all that is not clamped in the base model, of each
        chain."""
        total = 0.0
        blocks = zip(self.energy.units, self.base, self.x, self.clamp)
        for unit, own, value, held in blocks:
            if held is None:
                total = total + unit.log_partition(unit.field(own))
            elif held is True:
                total = total + unit.log_weight(unit.field(own), value)
            else:
                total = total + _partly_clamped(unit, own, value, held)
        return total

    def averaged(self, rng, state, n_steps):
        """Means of the visible blocks given the hidden layer, over Gibbs steps:
        a list of (n_rows * n_chains, size)."""
        order, blocks = self.energy.backwards, self.energy.colours[0]
        sampler = Gibbs(self.energy, colours=order, clamp=self.clamp)
        totals, rng = [0.0] * len(blocks), rng.fold(_ON)
        for number in range(n_steps):
            state, info = sampler.step(rng, self.params, state, first=number)
            totals = [total + info.means[b] for total, b in zip(totals, blocks)]
        return [total / n_steps for total in totals]


def _partly_clamped(unit, own, value, held):
    """Log weight of the clamped entries of each row of a block, with the others summed
    out."""
    log_w = np.zeros(len(value))
    for rows in alike(held):
        clamped = np.flatnonzero(held[rows[0]])
        free = np.flatnonzero(~held[rows[0]])
        params = tree_map(
            lambda part, rows=rows: part[rows] if part.ndim > 1 else part, own
        )
        if len(clamped):
            part = unit.only(clamped)
            eta = part.field(part_of(params, clamped))
            log_w[rows] += part.log_weight(eta, value[np.ix_(rows, clamped)])
        if len(free):
            part = unit.only(free)
            log_w[rows] += part.log_partition(part.field(part_of(params, free)))
    return log_w
