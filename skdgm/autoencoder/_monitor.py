"""Monitoring of autoencoders in training."""

import numpy as np

from skdgm.autoencoder._trainer import objective
from skdgm.training import DensityWatch
from skdgm.utils.purposes import PROBE
from skdgm.utils.random import stream


class Monitor(DensityWatch):
    """Negative bound of training rows and of held-out rows, in nats.

    It is taken with ``beta`` as after warm-up.

    Rows and random draws are the same at each call, so that only the model changes.

    Parameters
    ----------
    trainer : Trainer
    table, held_out, state
        As of :class:`DensityWatch`.
    """

    def __init__(self, trainer, table, held_out, state):
        self.trainer, self.rng = trainer, stream(trainer.seed, PROBE)
        independent = trainer.domain.loss_of_independent(trainer.columns)
        super().__init__(table, held_out, self.rng, independent, state)

    def _losses(self, state, index, part):
        trainer, recipe = self.trainer, self.trainer.recipe
        rng = self.rng.rows(np.arange(part.start, part.stop, dtype=np.uint64))
        noise, v = trainer.hierarchy.noise(rng, trainer.n_each), self.rows.take(index)
        terms, _ = trainer.terms(state.params, state.memory, v, noise)
        bound = objective(*terms, recipe.beta, trainer.weighted)
        return -bound.astype(np.float64)
