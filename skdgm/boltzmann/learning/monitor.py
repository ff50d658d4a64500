"""Losses that monitor the training of Boltzmann machines."""

from collections.abc import Callable
from functools import partial

import numpy as np

from skdgm.data.reach import FAR
from skdgm.inference import mean_field
from skdgm.training import Batch, Watch
from skdgm.utils.random import PROBE, stream

# Maximum number of entries of monitored rows that are cached.
_MAX_CACHED_ENTRIES = 2**19
# Training has diverged if the loss exceeds that of independent columns by this many
# nats per column. Fair coins lose 0.7, and exploded weights far more than 2. Successful
# training lost less than 1 on all data sets tried.
_DIVERGED = 2.0
# Training was useless if the loss exceeds its initial value and the loss of independent
# columns by this many nats per column.
_USELESS = 0.1


def far_columns(objective):
    """Numbers of the real columns with outliers."""
    return np.concatenate(
        [
            objective.columns_of(block)[z > FAR]
            for block, z in objective.max_magnitudes.items()
        ]
        or [np.arange(0)]
    )


def cost_of_far(z, objective):
    """Negative log-density of outliers among values z at the highest precision, in
    nats."""
    min_variance = min(
        objective.energy.units[block].min_variance for block in objective.max_magnitudes
    )
    return (
        0.5 * (z[np.abs(z) > FAR] ** 2).sum() / max(min_variance, np.finfo(float).tiny)
    )


class MachineWatch(Watch):
    """Mean negative log probability of training rows and of held-out rows. Subclasses
    implement ``_watched(params, batch, part)``, where ``part`` is the slice of the
    monitored rows in the batch. It returns two arrays with a row for each row of the
    batch: log probabilities in nats, and their weights."""

    _watched: Callable

    def __init__(self, objective, table, held_out):
        self.objective, self.rng = objective, stream(objective.seed, PROBE)
        self.kept = []
        super().__init__(table, held_out, self.rng)

    def _loss(self, state, index, weight):
        total, norm = 0.0, np.finfo(np.float64).tiny
        for part, batch in self._batches(index):
            log_p, counts = self._watched(state.params, batch, part)
            share = weight[part, None] * counts
            total += (share * log_p).sum()
            norm += share.sum()
        return -total / norm

    def _batches(self, index):
        """Pairs of a slice of an index and its batch; a small training sample is
        cached."""
        if index is self.monitored and self.kept:
            return self.kept
        pairs = map(partial(self._batch, index), self.objective.rows.blocks(len(index)))
        if (
            index is self.monitored
            and len(index) * self.objective.rows.shape[1] <= _MAX_CACHED_ENTRIES
        ):
            self.kept = list(pairs)
            return self.kept
        return pairs

    def _batch(self, index, part):
        rows, places = self.objective.rows, index[part]
        return part, Batch(rows.present(places), rows.accompanying(places))


class PseudoLikelihoodWatch(MachineWatch):
    """Negative pseudo-likelihood of training and held-out rows, in nats per row. It is
    estimated from a few units of each row, always the same, so that only the model
    changes it. All units are chosen about equally often in training and in held-out
    rows."""

    MEMORY = ("first",)
    # Number of monitored units of a row.
    N_UNITS = 8
    baseline_warning = (
        "predicts an entry from the rest of its row worse than the mean of its column "
        "does."
    )

    def __init__(self, objective, table, held_out, state):
        super().__init__(objective, table, held_out)
        self.independent_loss, self.room = self._of_independent(objective), 0.0
        n_rows = 0 if held_out is None else len(held_out.index)
        self.units = self._units(max(len(self.monitored), n_rows))
        self.first, self.room = self.training_loss(state), self.loss_of_outliers()

    def loss_of_outliers(self):
        """Maximum loss of the outliers in the sample when precisions are at their
        limit, in nats per row. Such a loss is not a sign of divergence."""
        cost, columns = 0.0, far_columns(self.objective)
        for part, batch in self._batches(self.monitored) if len(columns) else ():
            units = self.units[part]
            z = np.take_along_axis(np.asarray(batch.v, np.float64), units, axis=1)
            cost += cost_of_far(z[np.isin(units, columns)], self.objective)
        return self.objective.rows.shape[1] * cost / max(1, self.units.size)

    def _of_independent(self, objective):
        """Loss of independent columns."""
        self.kind, columns = objective.known
        return self.kind.loss_of_independent(columns)

    @property
    def limit(self):
        """Loss above which training has diverged."""
        return (
            self.independent_loss
            + self.room
            + _DIVERGED * len(self.objective.missing_values)
        )

    def is_useless(self, loss):
        """Return whether the loss is worse than at the start and than that of
        independent columns."""
        allowed = self.room + _USELESS * len(self.objective.missing_values)
        return loss > max(self.first, self.independent_loss) + allowed

    def _units(self, n_rows):
        """Numbers of a few visible units for each row, (n_rows, n_units). They are
        consecutive parts of random permutations, so that all units are chosen about
        equally often."""
        n_visible = self.objective.rows.shape[1]
        n_units = min(self.N_UNITS, n_visible)
        ids = np.arange(-(-n_rows * n_units // n_visible), dtype=np.uint64)
        order = self.rng.rows(ids).bits(n_visible).argsort(axis=1)
        return order.ravel()[: n_rows * n_units].reshape(n_rows, n_units)

    def _watched(self, params, batch, part):
        energy, units = self.objective.energy, self.units[part]
        x, clamp = self.objective.clamp_rows(batch)
        counts = np.ones(units.shape)
        if any(clamp[block] is not True for block in energy.rest()):
            budget = self.objective.options.mean_field_steps
            x, _ = mean_field(energy, params, x, clamp, max_sweeps=budget)
        if clamp[0] is not True:
            counts *= ~np.isnan(np.take_along_axis(batch.v, units, axis=1))
        return self.kind.log_conditionals(energy, params, x, units), counts

    def _loss(self, state, index, weight):
        return self.objective.rows.shape[1] * super()._loss(state, index, weight)
