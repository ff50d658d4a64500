"""Objectives: functions of a training state to be maximized, and their updates."""

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
    """Epochs of training on the same rows.

    Parameters
    ----------
    options : object
        Training options of an estimator, as attributes: ``batch_size``, and for early
        stopping ``validation_fraction``, ``n_iter_no_change`` and ``tol``.
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
    r"""Function of a training state that is to be maximized, and its updates.

    .. math:: \theta \leftarrow \theta + \epsilon \, \nabla_\theta \, \frac1n
       \sum_{r=1}^n \mathcal{L}_\theta(x_r)

    for batches of n rows. A training state is a named tuple of trees of arrays: the
    parameters ``params``, optimizer state, and other variables that updates change,
    such as Markov chains and running means. Updates may change arrays in place.

    Parameters
    ----------
    run : Run
        Its fields are attributes of the objective.
    """

    # Name of minus the loss, in nats per row.
    quantity = "log-likelihood"
    # Addresses of the random streams of epochs, updates and held-out rows.
    SHUFFLE, STEP, SPLIT = random.SHUFFLE, random.STEP, random.SPLIT
    # Fields of a state that belong to the rows of a shard. The other fields may be
    # averaged over shards, unless this is None.
    LOCAL = None
    # Whether early stopping may keep the initial state.
    COUNTS_START = False

    def __init__(self, run: Run[OptionsT]):
        self.options, self.rows, self.seed, self.epochs_before = run

    @abstractmethod
    def start(self) -> Any:
        """Return the initial training state.

        Returns
        -------
        state : tuple
        """

    @abstractmethod
    def resume(self, state: Any) -> Any:
        """Return a training state from which to continue, as the current options
        require.

        Parameters
        ----------
        state : tuple
            Training state of an earlier run, whose options may differ.

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
            Element of :meth:`draw`: row numbers, an int array of shape (n_rows,),
            unless a subclass reads the rows in advance.
        clock : Clock
            Position in training.

        Returns
        -------
        state : tuple
        """

    @abstractmethod
    def watch(self, table: Table, held_out: Table | None, state: Any) -> Any:
        """Return a :class:`Watch`, which measures the losses of the same rows after
        each epoch.

        Parameters
        ----------
        table : Table
            Training rows.
        held_out : Table or None
            Held-out rows.
        state : tuple
            Initial training state, with whose loss later losses are compared.

        Returns
        -------
        watch : Watch
            ``watch(state)`` returns the losses of training rows and of held-out rows
            (or None), in nats per row.
        """

    def draw(self, table: Table, number: int) -> Sequence:
        """Draw the batches of an epoch.

        Parameters
        ----------
        table : Table
        number : int
            Number of the epoch in this run.

        Returns
        -------
        batches : sequence
            Sized; arrays of row numbers.
        """
        rng = random.stream(self.seed, self.SHUFFLE, self.epochs_before + number)
        return epoch(table, self.options.batch_size, rng)

    def batches(self, table: Table, number: int) -> Sequence:
        """Draw the batches of an epoch, one for each update.

        By default, these are the elements of :meth:`draw`. Objectives whose
        :meth:`step` makes several updates return their batches separately.
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
        """Return the state that replaces the final state; by default, the final state
        itself.

        It is called at the end of a fit whose length depends on the data, and for the
        state that early stopping keeps.

        Parameters
        ----------
        state : tuple
        table : Table
            Training rows, including held-out rows.

        Returns
        -------
        state : tuple
        """
        return state

    def fallback_state(self, state: Any) -> Any:
        """Return the state that replaces the initial state, if early stopping finds
        none better.

        By default, it is the initial state itself.

        Parameters
        ----------
        state : tuple

        Returns
        -------
        state : tuple
        """
        return state

    def first_selectable_epoch(self, epochs: range) -> int:
        """First epoch that early stopping counts; by default, the first."""
        return epochs.start

    def stream(self, clock: Clock) -> Stream:
        """Random stream of an update, given its position in training."""
        number = self.epochs_before + clock.epoch
        return random.stream(self.seed, self.STEP, number, clock.batch)
