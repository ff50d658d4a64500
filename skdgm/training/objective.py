"""Objectives: what is learned from rows, and by which updates.

A watch measures the losses of the same rows at the end of each epoch.
"""

from abc import ABC, abstractmethod

import numpy as np

from skdgm.training.batches import epoch, probe, split
from skdgm.training.hooks import EarlyStopping
from skdgm.training.loop import kept, train
from skdgm.utils import random

# Nats per column by which a loss above the baseline (the initial loss, or that of
# independent columns if higher) means divergence, or that learning was useless.
_DIVERGED, _USELESS = 10.0, 0.1


class Objective(ABC):
    r"""Function of a training state that is to be maximised, and its updates.

    .. math:: \theta \leftarrow \theta + \epsilon \, \nabla_\theta \, \frac1n
       \sum_{r=1}^n \mathcal{L}_\theta(x_r)

    for batches of n rows. A training state is a named tuple with the parameters
    ``params``, optimiser state and whatever else changes from update to update (Markov
    chains, running means): a tree of arrays, in which updates may change arrays in
    place.

    Parameters
    ----------
    recipe : object
        Has an estimator's training options as attributes; at least ``batch_size``, and
        with early stopping ``validation_fraction``, ``n_iter_no_change`` and ``tol``.
    rows : Rows
        Training rows, in the units of the model.
    seed : int
        Seed of all random numbers.
    epochs_before : int, default=0
        Number of epochs before this run, so that no run repeats the random numbers of
        another.
    """

    # Name of minus the loss, in nats per row.
    quantity = "log-likelihood"
    # Purposes of the random streams of epochs, updates and held-out rows.
    SHUFFLE, STEP, SPLIT = random.SHUFFLE, random.STEP, random.SPLIT

    def __init__(self, recipe, rows, seed, epochs_before=0):
        self.recipe, self.rows, self.seed = recipe, rows, seed
        self.epochs_before = epochs_before

    @abstractmethod
    def start(self):
        """Initial training state.

        Returns
        -------
        state : tuple
        """

    @abstractmethod
    def resume(self, state):
        """Training state to continue from, with all that the recipe now needs.

        Parameters
        ----------
        state : tuple
            Training state of an earlier run, with other options perhaps.

        Returns
        -------
        state : tuple
        """

    @abstractmethod
    def step(self, state, batch, clock):
        """Update a training state from a batch.

        Parameters
        ----------
        state : tuple
            Changed in place.
        batch : object
            Element of :meth:`draw`: an int array of row numbers, of shape (n_rows,),
            unless a subclass reads the rows in advance.
        clock : Clock
            Position in training.

        Returns
        -------
        state : tuple
        """

    @abstractmethod
    def watch(self, table, held_out, state):
        """A watch measures the losses of the same rows at the end of each epoch.

        Parameters
        ----------
        table : Table
            Training rows.
        held_out : Table or None
        state : tuple
            Initial training state, with whose loss later ones are compared.

        Returns
        -------
        watch : Watch
            ``watch(state)`` returns the loss and that of held-out rows (or None), in
            nats per row.
        """

    def draw(self, table, number):
        """Batches of an epoch.

        Parameters
        ----------
        table : Table
        number : int
            Number of the epoch in this run.

        Returns
        -------
        batches : sequence
            Sized; of arrays of row numbers.
        """
        rng = random.stream(self.seed, self.SHUFFLE, self.epochs_before + number)
        return epoch(table, self.recipe.batch_size, rng)

    def split(self, table):
        """Split a table into training rows and held-out rows.

        Parameters
        ----------
        table : Table

        Returns
        -------
        train, held_out : Table
        """
        rng = random.stream(self.seed, self.SPLIT)
        return split(table, self.recipe.validation_fraction, rng)

    def since(self, epochs):
        """First of the epochs that early stopping counts; by default the first."""
        return epochs.start

    def stream(self, clock):
        """Random stream of one update, given its place in training."""
        number = self.epochs_before + clock.epoch
        return random.stream(self.seed, self.STEP, number, clock.batch)


def optimise(
    objective,
    table,
    epochs,
    state=None,
    *,
    n_epochs=None,
    hooks=(),
    early_stopping=False,
):
    """Train for a range of epochs.

    Parameters
    ----------
    objective : Objective
    table : Table
        Training rows.
    epochs : range
        Numbers of the epochs to run.
    state : tuple, optional
        Training state to continue from; by default training starts anew.
    n_epochs : int, optional
        Total number of epochs for the schedules, if known.
    hooks : sequence of Hook
    early_stopping : bool, default=False
        If True, hold rows out and keep the state with their lowest loss.

    Returns
    -------
    learned : Learned
    watch : Watch
    """
    held_out, stopping, recipe = None, None, objective.recipe
    if early_stopping:
        table, held_out = objective.split(table)
        since = objective.since(epochs)
        stopping = EarlyStopping(recipe.n_iter_no_change, recipe.tol, since)
    state = objective.start() if state is None else objective.resume(state)
    watch = objective.watch(table, held_out, state)
    outcome = train(
        state,
        objective.step,
        lambda number: objective.draw(table, number),
        watch,
        epochs=epochs,
        loss_limit=watch.limit,
        n_epochs=n_epochs,
        hooks=[*hooks, stopping] if stopping else hooks,
    )
    return kept(outcome, watch, epochs, stopping), watch


class Watch:
    """Mean loss of a sample of training rows, and that of held-out rows.

    A subclass defines ``_losses(state, index, part)``, the losses of the rows at
    ``index``, where ``part`` is their slice within the watched or held-out rows; or it
    overrides the weighted mean, ``_loss(state, index, weight)``.

    Parameters
    ----------
    table : Table
        Training rows, of which a sample is watched.
    held_out : Table or None
        Held-out rows, all of which are watched.
    rng : Stream
        For drawing the sample.
    """

    def __init__(self, table, held_out, rng):
        self.rows, self.held_out = table.rows, held_out
        self.probe = probe(table, rng, self._among)

    def __call__(self, state):
        """Both losses, in nats per row; the second is None without held-out rows."""
        loss, held_out = self.of_probe(state), self.held_out
        if held_out is None:
            return loss, None
        return loss, self._loss(state, held_out.index, held_out.weight)

    def of_probe(self, state):
        """Mean loss of the watched training rows."""
        return self._loss(state, self.probe, np.ones(len(self.probe)))

    def _among(self, index):
        """Part of an index that may be watched."""
        return index

    def _loss(self, state, index, weight):
        total = 0.0
        for part in self.rows.blocks(len(index)):
            total += weight[part] @ self._losses(state, index[part], part)
        return float(total / weight.sum())


class DensityWatch(Watch):
    """Watch of a density model, compared with independent columns.

    Parameters
    ----------
    table, held_out, rng
        As for :class:`Watch`.
    independent : float
        Negative log-likelihood of independent columns, in nats per row.
    state : tuple
        Initial state of training.
    """

    useless = "explains rows worse than the means of their columns do."

    def __init__(self, table, held_out, rng, independent, state):
        super().__init__(table, held_out, rng)
        self.start = max(self.of_probe(state), independent)

    @property
    def limit(self):
        """Loss above which training has diverged."""
        return self.start + _DIVERGED * self.rows.shape[1]

    def is_useless(self, loss):
        """Return whether a loss is clearly worse than both the initial loss and that of
        independent columns."""
        return loss > self.start + _USELESS * self.rows.shape[1]
