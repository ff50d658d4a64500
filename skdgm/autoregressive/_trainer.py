r"""Training of autoregressive models by stochastic gradient ascent.

.. math:: \theta \leftarrow \theta + \epsilon \, \nabla_\theta \, \frac1n \Bigl(
   \sum_{r=1}^n \log p_\theta(x_r) - \frac\alpha2 \lVert W \rVert^2 \Bigr)

for batches of n rows, with the steps of an optimiser. The result may be the average of
the parameters after late updates.
"""

from typing import NamedTuple

import numpy as np

from skdgm.nets import optimiser_for, update, vjp
from skdgm.optim import averaging
from skdgm.training import epoch
from skdgm.utils.purposes import INIT, SHUFFLE, STEP
from skdgm.utils.random import stream


class State(NamedTuple):
    """Training state.

    Parameters
    ----------
    params : tuple
        Current parameters.
    optimiser : tuple
        Optimiser state.
    mean : Mean or ()
        Average of the parameters after late updates.
    """

    params: tuple
    optimiser: tuple
    mean: tuple = ()

    @property
    def learned(self):
        """Parameters to use: their average if there is one, else the current ones."""
        return self.mean.params if self.mean else self.params


class Trainer:
    """Trainer of a model by mini-batches.

    Parameters
    ----------
    model : object
        Defines ``init(rng, dtype)``, which draws parameters; ``present(params, v, rng,
        number)``, the rows in the form to be learned in the update of a number; and
        ``losses(params, presented)``, the negative log-likelihood of each row, made of
        differentiable functions.
    recipe : object
        Has an estimator's parameters as attributes.
    rows : Rows
    seed : int
    epochs_before : int
        Epochs done before this run, so that no run repeats another's random numbers.
    """

    def __init__(self, model, recipe, rows, seed, epochs_before):
        self.model, self.recipe, self.rows = model, recipe, rows
        self.seed, self.epochs_before = seed, epochs_before

    def start(self, dtype):
        """Initial state: parameters that reproduce the frequencies of values only.

        Parameters
        ----------
        dtype : type

        Returns
        -------
        state : State
        """
        params = self.model.init(stream(self.seed, INIT).generator(), dtype)
        return self._averaged(State(params, optimiser_for(self.recipe, params)))

    def resume(self, state):
        """State to continue from; optimiser state is kept if the solver is the same."""
        optimiser = optimiser_for(self.recipe, state.params, state.optimiser)
        return self._averaged(state._replace(optimiser=optimiser))

    def _averaged(self, state):
        """State with or without an average, as the recipe asks."""
        if not self.recipe.average:
            return State(state.learned, state.optimiser)
        if state.mean:
            return state
        return state._replace(mean=averaging.init(state.params))

    def draw(self, table, number):
        """Batches of an epoch.

        Parameters
        ----------
        table : Table
        number : int
            Number of the epoch in this run.

        Returns
        -------
        batches : list of ndarray of int
            Row numbers.
        """
        rng = stream(self.seed, SHUFFLE, self.epochs_before + number)
        return epoch(table, self.recipe.batch_size, rng)

    def step(self, state, batch, clock):
        """One update from a batch of rows.

        Parameters
        ----------
        state : State
            Changed in place.
        batch : ndarray of int
            Row numbers.
        clock : object
            Position in the run: epoch, batch, and number of batches.

        Returns
        -------
        state : State
        """
        recipe, v = self.recipe, self.rows.take(batch)
        rng = stream(self.seed, STEP, self.epochs_before + clock.epoch, clock.batch)
        number = (self.epochs_before + clock.epoch) * clock.n_batches + clock.batch
        share = 1 / len(v)
        presented = self.model.present(state.params, v, rng, number)
        _, grads = vjp(
            lambda params: self.model.losses(params, presented),
            state.params,
            lambda out: np.full_like(out, -share),
        )
        update(recipe, state, grads, clock, len(v))
        if state.mean:
            averaging.follow(state.mean, state.params)
        return state
