"""Objectives: the role that learns, update by update."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from skdgm.optim import Clock
from skdgm.training.batches import Table, epoch, split
from skdgm.typing import Any
from skdgm.utils import random
from skdgm.utils.random import Stream


class TrainingOptions(Protocol):
    """Options of training that every objective reads."""

    batch_size: int
    validation_fraction: float
    n_iter_no_change: int
    tol: float


OptionsT = TypeVar("OptionsT", bound=TrainingOptions)


class Run(NamedTuple, Generic[OptionsT]):
    """Epochs of training on some rows.

    Parameters
    ----------
    options : object
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

    options: OptionsT
    rows: Any
    seed: int
    epochs_before: int = 0


class Objective(ABC, Generic[OptionsT]):
    r"""Function of a training state that is to be maximised, and its updates.

    .. math:: \theta \leftarrow \theta + \epsilon \, \nabla_\theta \, \frac1n
       \sum_{r=1}^n \mathcal{L}_\theta(x_r)

    for batches of n rows. A training state is a named tuple with the parameters
    ``params``, optimiser state and whatever else changes from update to update (Markov
    chains, running means): a tree of arrays, in which updates may change arrays in
    place.

    Parameters
    ----------
    run : Run
        Its fields are attributes of the objective.
    """

    # Name of minus the loss, in nats per row.
    quantity = "log-likelihood"
    # Purposes of the random streams of epochs, updates and held-out rows.
    SHUFFLE, STEP, SPLIT = random.SHUFFLE, random.STEP, random.SPLIT
    # Fields of a state that belong to the rows of a shard, while all others may be
    # averaged over shards; None where they may not.
    LOCAL = None
    # Whether early stopping compares the initial state, too.
    COUNTS_START = False

    def __init__(self, run: Run[OptionsT]):
        self.options, self.rows, self.seed, self.epochs_before = run

    @abstractmethod
    def start(self) -> Any:
        """Initial training state.

        Returns
        -------
        state : tuple
        """

    @abstractmethod
    def resume(self, state: Any) -> Any:
        """Training state to continue from, with all that the options now need.

        Parameters
        ----------
        state : tuple
            Training state of an earlier run, with other options perhaps.

        Returns
        -------
        state : tuple
        """

    @abstractmethod
    def step(self, state: Any, batch: Any, clock: Clock) -> Any:
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
    def watch(self, table: Table, held_out: Table | None, state: Any) -> Any:
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

    def draw(self, table: Table, number: int) -> Sequence:
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
        return epoch(table, self.options.batch_size, rng)

    def batches(self, table: Table, number: int) -> Sequence:
        """Batches of an epoch, one for each update.

        Those of :meth:`draw` unless it joins several, of which :meth:`step` makes as
        many updates.
        """
        return self.draw(table, number)

    def split(self, table: Table) -> tuple[Table, Table]:
        """Split a table into training rows and held-out rows.

        Parameters
        ----------
        table : Table

        Returns
        -------
        train, held_out : Table
        """
        rng = random.stream(self.seed, self.SPLIT)
        return split(table, self.options.validation_fraction, rng)

    def finished(self, state: Any, table: Table) -> Any:
        """State in place of the last one of a fit whose end the data choose, or of the
        one that early stopping keeps; by default that state.

        Parameters
        ----------
        state : tuple
        table : Table
            Training rows, with those held out.

        Returns
        -------
        state : tuple
        """
        return state

    def unbeaten(self, state: Any) -> Any:
        """State in place of the one before the first epoch, if early stopping finds
        none that is better; by default that state.

        Parameters
        ----------
        state : tuple

        Returns
        -------
        state : tuple
        """
        return state

    def since(self, epochs: range) -> int:
        """First of the epochs that early stopping counts; by default the first."""
        return epochs.start

    def stream(self, clock: Clock) -> Stream:
        """Random stream of one update, given its place in training."""
        number = self.epochs_before + clock.epoch
        return random.stream(self.seed, self.STEP, number, clock.batch)
