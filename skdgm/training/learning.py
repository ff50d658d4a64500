"""Epochs from a state on, after which the best state is kept."""

from typing import NamedTuple

import numpy as np

from skdgm.training.loop import train

# Where what is asked for depends on the data.
AUTO = "auto"


class Learned(NamedTuple):
    """What came of training.

    Parameters
    ----------
    state : tuple
        The last one; or, where it is to stop early, that with the lowest loss of
        held-out rows.
    losses, validation : list of float
        One for each complete epoch; the second is empty without held-out rows.
    ended : {"complete", "stopped", "interrupted", "diverged"}
    useless : bool
        Whether it would have been better to leave the state as it was.
    """

    state: tuple
    losses: list
    validation: list
    ended: str
    useless: bool


class Budget(NamedTuple):
    """What there is to be learned in, if not told otherwise.

    Parameters
    ----------
    n_updates : int
        This many, but
    fewest, most : int
        in so many epochs at least, and at most.
    """

    n_updates: int
    fewest: int
    most: int

    def epochs(self, asked, table, batch_size):
        """The number of epochs that is asked for, or "auto"."""
        if asked != AUTO:
            return asked
        n_batches = -(-table.n_draws // batch_size)
        n_epochs = -(-self.n_updates // n_batches)
        return int(np.clip(n_epochs, self.fewest, self.most))


def learn(
    trainer, state, table, monitor, epochs, *, n_epochs=None, hooks=(), stopping=None
):
    """Run epochs.

    Parameters
    ----------
    trainer : object
        Has ``draw(table, number)``, the batches of an epoch, and
        ``step(state, batch, clock)``.
    state : tuple
        Where to begin.
    table : Table
    monitor : callable
        ``monitor(state)`` returns the losses; has ``limit``, above which is divergence,
        and ``is_useless(loss)``.
    epochs : range
        The numbers of the epochs to run.
    n_epochs : int, optional
        How many there will ever be, for the schedules.
    hooks : sequence of Hook
    stopping : EarlyStopping, optional

    Returns
    -------
    learned : Learned
    """
    outcome = train(
        state,
        trainer.step,
        lambda number: trainer.draw(table, number),
        monitor,
        epochs=epochs,
        n_epochs=n_epochs,
        loss_limit=monitor.limit,
        hooks=[*hooks, stopping] if stopping else hooks,
    )
    state, kept = outcome.state, -1
    if stopping and stopping.best:
        state, kept = stopping.best, stopping.best_epoch - epochs.start
    losses, validation = outcome.losses, outcome.validation if stopping else []
    useless = bool(losses) and monitor.is_useless(losses[kept])
    return Learned(state, losses, validation, outcome.ended, useless)
