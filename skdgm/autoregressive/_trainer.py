r"""How nets of conditionals learn.

.. math:: \theta \leftarrow \theta + \epsilon \, \nabla_\theta \, \frac1n \Bigl(
   \sum_{r=1}^n \log p_\theta(x_r) - \frac\alpha2 \lVert W \rVert^2 \Bigr)

for batches of n rows, in the steps of an optimiser; what is learned may be the mean of
parameters after late ones.
"""

from typing import NamedTuple

import numpy as np

from skdgm.base.purposes import INIT, SHUFFLE, STEP
from skdgm.nets import memory_for, pull_back, update
from skdgm.optim import averaging
from skdgm.training import epoch
from skdgm.utils.random import stream


class State(NamedTuple):
    """What changes from update to update.

    Parameters
    ----------
    params : tuple
    moved : tuple
        The optimiser's memory.
    mean : Mean
        That of the parameters after late updates, or nothing.
    """

    params: tuple
    moved: tuple
    mean: tuple = ()

    @property
    def learned(self):
        """The parameters that are of use."""
        return self.mean.params if self.mean else self.params


class Trainer:
    """Draws batches and takes steps.

    Parameters
    ----------
    model : object
        Has ``init(rng, dtype)``, which draws parameters;
        ``present(params, v, rng, number)``, what is to be learned of rows in the update
        of a number; and ``losses(params, presented)``, the surprise at it, row by row,
        made by functions that can be differentiated.
    recipe : object
        Has an estimator's parameters as attributes.
    rows : Rows
    seed : int
    epochs_before : int
        Epochs taken before this run, so that none repeats another's randomness.
    """

    def __init__(self, model, recipe, rows, seed, epochs_before):
        self.model, self.recipe, self.rows = model, recipe, rows
        self.seed, self.epochs_before = seed, epochs_before

    def start(self, dtype):
        """A state that has learned nothing but how frequent values are."""
        params = self.model.init(stream(self.seed, INIT).generator(), dtype)
        return self._averaged(State(params, memory_for(self.recipe, params)))

    def resume(self, state):
        """A state that goes on; an optimiser remembers what is its own."""
        moved = memory_for(self.recipe, state.params, state.moved)
        return self._averaged(state._replace(moved=moved))

    def _averaged(self, state):
        """With a mean if there is to be one, and without if not."""
        if not self.recipe.average:
            return State(state.learned, state.moved)
        if state.mean:
            return state
        return state._replace(mean=averaging.init(state.params))

    def draw(self, table, number):
        """The batches of an epoch."""
        rng = stream(self.seed, SHUFFLE, self.epochs_before + number)
        return epoch(table, self.recipe.batch_size, rng)

    def step(self, state, batch, clock):
        """One update from a batch of rows."""
        recipe, v = self.recipe, self.rows.take(batch)
        rng = stream(self.seed, STEP, self.epochs_before + clock.epoch, clock.batch)
        number = (self.epochs_before + clock.epoch) * clock.n_batches + clock.batch
        share = 1 / len(v)
        presented = self.model.present(state.params, v, rng, number)
        _, slopes = pull_back(
            lambda params: self.model.losses(params, presented),
            state.params,
            lambda out: np.full_like(out, -share),
        )
        update(recipe, state, slopes, clock, len(v))
        if state.mean:
            averaging.follow(state.mean, state.params)
        return state
