r"""Likelihood of rows with columns of any type, as an objective.

Training is monitored by the log-likelihood of each column given the means of the hidden
units, which are themselves computed from the other columns:

.. math:: \sum_j \log p(v_j \mid \hat h^{(j)}), \qquad \hat h^{(j)} = A'\big(c +
   \textstyle\sum_{i \neq j} T_i(v_i) W_{i:}\big)

Unlike a pseudo-likelihood it needs no sum over the values of a column. The omitted
column has the statistic 0 or, for counts, its mean in the first data.
"""

import numpy as np

from skdgm.boltzmann.learning.monitor import PseudoLikelihoodWatch
from skdgm.boltzmann.learning.objective import EnergyObjective
from skdgm.distributions import Bernoulli, Gaussian, Sites
from skdgm.energies import plain
from skdgm.inference import mean_field
from skdgm.utils.math import softplus


class TableObjective(EnergyObjective):
    """Log-likelihood of rows, for machines with the visible blocks of a layout."""

    quantity = "log-likelihood of columns by the hidden means given the others"

    def columns_of(self, block):
        return self.layout.columns[block]

    def clamp_rows(self, batch, rng=None):
        return self.layout.clamp_rows(batch.v)

    def watch(self, table, held_out, state):
        return TableWatch(self, table, held_out, state)

    def _offsets(self, means):
        data_means = (
            fill.astype(mean.dtype) for fill, mean in zip(self.layout.fills, means)
        )
        return (*data_means, means[-1])


class TableWatch(PseudoLikelihoodWatch):
    """Negative log-likelihood of a few columns of each row given the means of the
    hidden units inferred from the other columns, in nats per row."""

    # Few, since each needs the fields of all columns.
    N_UNITS = 2

    def _of_independent(self, objective):
        return objective.known[0]

    def loss_of_outliers(self):
        """Loss of outliers, and of counts if other counts are expected, in nats per
        row. The latter is the loss of each row at the values of the next row, minus the
        loss at the means."""
        objective, cost, n_rows = self.objective, 0.0, 1
        blocks = zip(objective.layout.units, objective.layout.fills)
        counts = [
            (b, *unit_and_fill)
            for b, unit_and_fill in enumerate(blocks)
            if is_count(unit_and_fill[0])
        ]
        for _, batch in self._batches(self.monitored) if counts else ():
            x, _ = objective.clamp_rows(batch)
            n_rows += len(batch.v)
            for block, unit, mean in counts:
                v, mean = np.asarray(x[block], np.float64), np.maximum(mean, 0.01)
                eta_of_next = unit.natural(0.9 * np.roll(v, 1, axis=0) + 0.1 * mean)
                cost += log_columns(unit, unit.natural(mean), v).sum()
                cost -= log_columns(unit, eta_of_next, v).sum()
        return super().loss_of_outliers() + max(0.0, cost / n_rows)

    def _watched(self, params, batch, part):
        columns, params = self.units[part], plain(params)
        energy, layout = self.objective.energy, self.objective.layout
        x, clamp = self.objective.clamp_rows(batch)
        counts, n_visible = np.ones(columns.shape), len(layout.units)
        if any(clamped is not True for clamped in clamp[:n_visible]):
            budget = self.objective.options.mean_field_steps
            x, _ = mean_field(energy, params, x, clamp, max_sweeps=budget)
            counts *= ~np.isnan(np.take_along_axis(batch.v, columns, axis=1))
        # Conditions come after the hidden units.
        conditions, columns_of = x[n_visible + 1 :], layout.column_of_entry
        x = tuple(map(np.asarray, x[:n_visible]))
        log_p = np.empty(columns.shape)
        # Use the means of the first data, so that losses stay comparable.
        fills = [
            np.asarray(unit.typical if is_count(unit) else 0, v.dtype)
            for unit, v in zip(layout.units, x)
        ]
        for number, chosen in enumerate(columns.T):
            masked = [
                np.where(column_of == chosen[:, None], fill, v)
                for column_of, fill, v in zip(columns_of, fills, x)
            ]
            means = _hidden_means(energy, params, (*masked, None, *conditions))
            state = *(None,) * n_visible, means, *conditions
            log_p[:, number] = _given_means(energy, params, layout, x, state, chosen)
        return log_p, counts


def _hidden_means(energy, params, x):
    """Means of the hidden units, whose element in ``x`` is None."""
    (block,) = (b for b, values in enumerate(x) if values is None)
    eta = energy.field(params, block, energy.received(params, x, block))
    return energy.units[block].mean(eta)


def _given_means(energy, params, layout, x, state, chosen):
    """Log-likelihood of one column of each row, given the hidden means inferred from
    the rest."""
    total = np.zeros(len(chosen))
    for block, (unit, columns) in enumerate(zip(layout.units, layout.columns)):
        eta = energy.field(params, block, energy.received(params, state, block))
        of_columns = log_columns(unit, eta, x[block])
        total += np.where(columns == chosen[:, None], of_columns, 0).sum(axis=1)
    return total


def is_count(unit):
    """Return whether values of a block are counts."""
    return unit.numbers and unit.listable


def log_columns(unit, eta, x):
    """Log probability (or density) of each column of a block given its natural
    parameters, float64 of shape (n_rows, n_columns)."""
    x = np.asarray(x, np.float64)
    if isinstance(unit, Sites):
        return unit.log_sites(np.asarray(eta, np.float64), x)
    if isinstance(unit, Bernoulli):
        eta = np.asarray(eta, np.float64)
        return x * eta - softplus(eta)
    if isinstance(unit, Gaussian):
        return x * (eta.theta - 0.5 * eta.precision * x) - unit.log_partitions(eta)
    return x * eta + unit.log_base(x) - unit.log_partitions(eta)
