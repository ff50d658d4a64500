"""What is watched while encoders and decoders learn."""

import numpy as np

from skdgm.autoencoder._trainer import objective
from skdgm.base.purposes import PROBE
from skdgm.training import Watch
from skdgm.utils.random import stream

# By how much a loss may exceed that of independent columns, in nats a column, before it
# is divergence; and by how much before learning was of no use.
_DIVERGED, _USELESS = 10.0, 0.1


class Monitor(Watch):
    """Minus the bound of training rows and of held-out rows, once learning is warm.

    The same rows each time, and the same draws, so that what changes is the model.

    Parameters
    ----------
    trainer : Trainer
    table, held_out
        As of :class:`Watch`.
    state : State
        Where training begins.
    """

    useless = "explains rows worse than the means of their columns do."

    def __init__(self, trainer, table, held_out, state):
        self.trainer, self.rng = trainer, stream(trainer.seed, PROBE)
        super().__init__(table, held_out, self.rng)
        self.independent = trainer.domain.loss_of_independent(trainer.columns)
        self.first = self.of_probe(state)

    @property
    def limit(self):
        """A loss above it means that training diverged."""
        n_columns = self.rows.shape[1]
        return max(self.first, self.independent) + _DIVERGED * n_columns

    def is_useless(self, loss):
        """Whether training did harm, and independent columns would do better."""
        n_columns = self.rows.shape[1]
        return loss > max(self.first, self.independent) + _USELESS * n_columns

    def _losses(self, state, index, part):
        trainer, recipe = self.trainer, self.trainer.recipe
        rng = self.rng.rows(np.arange(part.start, part.stop, dtype=np.uint64))
        noise, v = trainer.ladder.noise(rng, trainer.n_each), self.rows.take(index)
        terms, _ = trainer.terms(state.params, state.memory, v, noise)
        bound = objective(*terms, recipe.beta, trainer.weighted)
        return -bound.astype(np.float64)
