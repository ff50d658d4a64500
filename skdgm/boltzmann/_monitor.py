"""What is watched while a Boltzmann machine learns."""

import numpy as np

from skdgm.base.purposes import PROBE
from skdgm.energies import EVEN
from skdgm.inference import mean_field
from skdgm.training import Batch, Watch
from skdgm.utils.random import stream

_PROBE_UNITS = 8
# In nats a column. A coin tossed for every entry loses 0.7; weights that have exploded
# lose far more than this; on every data set tried, sound training lost less than 1.
_DIVERGED = 2.0
# By how much training may miss both where it began and what the columns' means give.
_USELESS = 0.1


class MachineWatch(Watch):
    """Minus the mean log probability of what is watched, of training rows and of
    held-out rows.

    A subclass has ``_watched(params, batch, part)``: log probabilities of a batch, a
    row for each of its rows, and where they count; ``part`` says which rows they are of
    those that are watched.

    Parameters
    ----------
    trainer : Trainer
    table, held_out
        As of :class:`~skdgm.training.Watch`.
    """

    def __init__(self, trainer, table, held_out):
        self.trainer, self.rng = trainer, stream(trainer.seed, PROBE)
        super().__init__(table, held_out, self.rng)

    def _loss(self, state, index, weight):
        rows = self.trainer.rows
        total, norm = 0.0, np.finfo(np.float64).tiny
        for part in rows.blocks(len(index)):
            labels = None if rows.labels is None else rows.labels[index[part]]
            batch = Batch(rows.present(index[part]), labels)
            log_p, counts = self._watched(state.params, batch, part)
            share = weight[part, None] * counts
            total += (share * log_p).sum()
            norm += share.sum()
        return -total / norm


class Monitor(MachineWatch):
    """Minus the pseudo-likelihood of training rows and of held-out rows.

    A few units of each row are looked at, the same ones each time, so that what
    changes is the model, and all units about as often in both.

    Parameters
    ----------
    trainer, table, held_out
        As of :class:`MachineWatch`.
    state : TrainState
        Where training begins.
    log_conditionals : callable
        Of visible units, as of :mod:`skdgm.metrics`.
    independent : float
        The loss of independent columns.
    """

    useless = (
        "predicts an entry from the rest of its row worse than the mean of its column "
        "does."
    )

    def __init__(self, trainer, table, held_out, state, log_conditionals, independent):
        super().__init__(trainer, table, held_out)
        self.log_conditionals, self.independent = log_conditionals, independent
        n_rows = 0 if held_out is None else len(held_out.index)
        self.units = self._units(max(len(self.probe), n_rows))
        self.first = self.of_probe(state)

    @property
    def limit(self):
        """A loss above it means that training diverged."""
        return self.independent + _DIVERGED * len(self.trainer.fill)

    def is_useless(self, loss):
        """Whether training did harm, and independent columns would do better."""
        allowed = _USELESS * len(self.trainer.fill)
        return loss > max(self.first, self.independent) + allowed

    def _units(self, n_rows):
        """A few visible units for each row: those of one permutation after another, so
        that training rows and held-out rows are asked of each about as often."""
        n_visible = self.trainer.rows.shape[1]
        n_units = min(_PROBE_UNITS, n_visible)
        ids = np.arange(-(-n_rows * n_units // n_visible), dtype=np.uint64)
        order = self.rng.rows(ids).bits(n_visible).argsort(axis=1)
        return order.ravel()[: n_rows * n_units].reshape(n_rows, n_units)

    def _watched(self, params, batch, part):
        energy, units = self.trainer.energy, self.units[part]
        x, clamp = self.trainer.present(batch)
        counts = np.ones(units.shape)
        if any(clamp[block] is not True for block in energy.colours[EVEN]):
            budget = self.trainer.recipe.mean_field_steps
            x, _ = mean_field(energy, params, x, clamp, max_sweeps=budget)
        if clamp[0] is not True:
            counts *= np.take_along_axis(clamp[0], units, axis=1)
        return self.log_conditionals(energy, params, x, units), counts

    def _loss(self, state, index, weight):
        return self.trainer.rows.shape[1] * super()._loss(state, index, weight)
