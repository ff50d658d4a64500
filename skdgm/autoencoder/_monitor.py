"""What is watched while encoders and decoders learn."""

import numpy as np

from skdgm.autoencoder._trainer import objective
from skdgm.base.purposes import PROBE
from skdgm.training import probe
from skdgm.utils.random import stream

# By how much a loss may exceed that of independent columns, in nats a column, before it
# is divergence; and by how much before learning was of no use.
_DIVERGED, _USELESS = 10.0, 0.1


class Monitor:
    """Minus the bound of training rows and of held-out rows, once learning is warm.

    The same rows each time, and the same draws, so that what changes is the model.

    Parameters
    ----------
    trainer : Trainer
    table : Table
        What is trained on; a sample of it is watched.
    held_out : Table or None
        What is not; all of it is watched.
    state : State
        Where training begins.
    """

    useless = "explains rows worse than the means of their columns do."

    def __init__(self, trainer, table, held_out, state):
        self.trainer, self.held_out = trainer, held_out
        self.rng = stream(trainer.seed, PROBE)
        self.probe = probe(table, self.rng)
        self.independent = trainer.domain.loss_of_independent(trainer.columns)
        self.first = self._loss(state, self.probe, np.ones(len(self.probe)))

    def __call__(self, state):
        """The two losses in nats per row; the second may be None."""
        loss, held_out = self._loss(state, self.probe, np.ones(len(self.probe))), None
        if self.held_out is not None:
            held_out = self._loss(state, self.held_out.index, self.held_out.weight)
        return loss, held_out

    @property
    def limit(self):
        """A loss above it means that training diverged."""
        n_columns = self.trainer.rows.shape[1]
        return max(self.first, self.independent) + _DIVERGED * n_columns

    def is_useless(self, loss):
        """Whether training did harm, and independent columns would do better."""
        n_columns = self.trainer.rows.shape[1]
        return loss > max(self.first, self.independent) + _USELESS * n_columns

    def _loss(self, state, index, weight):
        trainer, recipe, total = self.trainer, self.trainer.recipe, 0.0
        for part in trainer.rows.blocks(len(index)):
            v = trainer.rows.take(index[part])
            rng = self.rng.rows(np.arange(part.start, part.stop, dtype=np.uint64))
            noise = trainer.ladder.noise(rng, trainer.n_each)
            terms, _ = trainer.terms(state.params, state.memory, v, noise)
            bound = objective(*terms, recipe.beta, trainer.weighted)
            total += weight[part] @ bound.astype(np.float64)
        return float(-total / weight.sum())
