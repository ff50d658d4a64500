"""Monitoring of autoregressive models in training."""

import numpy as np
from sklearn.utils import gen_batches

from skdgm.training import DensityWatch
from skdgm.utils.purposes import PROBE
from skdgm.utils.random import stream

# Limit on the numbers of one layer for all rows of a block.
_ROOM = 2**18


class Monitor(DensityWatch):
    """Negative log-likelihood of training rows and of held-out rows, in nats.

    Rows and random draws are the same at each call, so that only the model changes.

    Parameters
    ----------
    trainer : Trainer
    table, held_out, independent, state
        As of :class:`DensityWatch`.
    """

    def __init__(self, trainer, table, held_out, independent, state):
        self.trainer, self.rng = trainer, stream(trainer.seed, PROBE)
        super().__init__(table, held_out, self.rng, independent, state)

    def _losses(self, state, index, part):
        model = self.trainer.model
        rng = self.rng.rows(np.arange(part.start, part.stop, dtype=np.uint64))
        found = np.empty(len(index))
        for block in gen_batches(len(index), max(1, _ROOM // model.width)):
            v = self.rows.take(index[block])
            found[block] = model.watched(state.learned, v, rng.take(block))
        return found
