"""Results of training, of which the best state is kept, and its default length."""

from typing import NamedTuple

import numpy as np

# Option value: choose by the data.
AUTO = "auto"


class Learned(NamedTuple):
    """Result of training.

    Parameters
    ----------
    state : tuple
        The last state; with early stopping, the one with the lowest validation loss.
    losses, validation : list of float
        Losses in nats per row, one for each complete epoch; ``validation`` is empty
        without early stopping.
    ended : {"complete", "stopped", "interrupted", "diverged"}
    useless : bool
        True if ``watch.is_useless`` says so of the loss of ``state``.
    """

    state: tuple
    losses: list
    validation: list
    ended: str
    useless: bool


class Budget(NamedTuple):
    """Default length of training.

    Parameters
    ----------
    n_updates : int
        Number of updates aimed at.
    fewest, most : int
        Least and largest number of epochs, which take precedence.
    """

    n_updates: int
    fewest: int
    most: int

    def epochs(self, asked, table, batch_size):
        """Number of epochs.

        Parameters
        ----------
        asked : int or "auto"
            An int is returned unchanged; "auto" applies the budget.
        table : Table
        batch_size : int

        Returns
        -------
        n_epochs : int
        """
        if asked != AUTO:
            return asked
        n_batches = -(-table.n_draws // batch_size)
        n_epochs = -(-self.n_updates // n_batches)
        return int(np.clip(n_epochs, self.fewest, self.most))


def kept(outcome, watch, epochs, stopping=None):
    """Keep the last state or, with early stopping, the best.

    Parameters
    ----------
    outcome : Outcome
    watch : Watch
    epochs : range
        Numbers of the epochs that were to be run.
    stopping : EarlyStopping, optional

    Returns
    -------
    learned : Learned
    """
    state, number = outcome.state, -1
    if stopping and stopping.best:
        state, number = stopping.best, stopping.best_epoch - epochs.start
    losses, validation = outcome.losses, outcome.validation if stopping else []
    useless = bool(losses) and watch.is_useless(losses[number])
    return Learned(state, losses, validation, outcome.ended, useless)
