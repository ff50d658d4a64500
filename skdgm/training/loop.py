"""The training loop, shared by all models.

Each epoch runs its batches, measures the losses, checks the state and calls the hooks.
On divergence the last good state is restored; on Ctrl-C what was learned is kept.
Steps, batches and losses are passed as functions: the loop knows no model.
"""

import time
from typing import NamedTuple

import numpy as np

from skdgm.optim import Clock
from skdgm.utils.memory import hold
from skdgm.utils.tree import copy, leaves


class Report(NamedTuple):
    """Results of an epoch.

    Parameters
    ----------
    epoch : int
        Number of the epoch.
    state : tuple
        Training state, a tree of arrays.
    loss : float
        Loss of training rows, in nats per row.
    validation : float or None
        Loss of held-out rows, in nats per row.
    seconds : float
        Duration of the epoch.
    """

    epoch: int
    state: tuple
    loss: float
    validation: float
    seconds: float


class Outcome(NamedTuple):
    """Result of the training loop.

    Parameters
    ----------
    state : tuple
        Last state, or the last good one if that is not finite or has diverged.
    losses, validation : list of float
        One for each complete epoch; validation losses are None without held-out rows.
    ended : {"complete", "stopped", "interrupted", "diverged"}
    """

    state: tuple
    losses: list
    validation: list
    ended: str


# Overflow is detected as divergence, and reported with a remedy by the caller.
@np.errstate(over="ignore", invalid="ignore")
def train(state, step, draw, measure, *, epochs, loss_limit, n_epochs=None, hooks=()):
    """Run epochs of training.

    Parameters
    ----------
    state : tuple
        Initial state, a tree of arrays; steps change a copy of it in place.
    step : callable
        ``step(state, batch, clock)`` returns the next state.
    draw : callable
        ``draw(epoch)`` returns the batches of an epoch, a sequence.
    measure : callable
        ``measure(state)`` returns (loss, validation loss or None).
    epochs : range
        Numbers of the epochs to run.
    loss_limit : float
        Training has diverged if the loss is above it or NaN, or the state not finite.
    n_epochs : int, optional
        Total number of epochs for the schedules, if known.
    hooks : sequence of Hook
        All are called; training stops if any returns True.

    Returns
    -------
    outcome : Outcome
    """
    hold()
    good, state = state, copy(state)
    losses, validation, ended = [], [], "complete"
    try:
        for number in epochs:
            start = time.perf_counter()
            for hook in hooks:
                hook.begin(number)
            batches = draw(number)
            for i, batch in enumerate(batches):
                state = step(state, batch, Clock(number, n_epochs, i, len(batches)))
            loss, held_out = measure(state)
            if not (_finite(state) and loss <= loss_limit):
                state, ended = good, "diverged"
                break
            losses.append(loss)
            validation.append(held_out)
            good = copy(state)
            seconds = time.perf_counter() - start
            report = Report(number, state, loss, held_out, seconds)
            stops = [hook.end(report) for hook in hooks]
            if any(stops):
                ended = "stopped"
                break
    except KeyboardInterrupt:
        state, ended = (state if _finite(state) else good), "interrupted"
    return Outcome(state, losses, validation, ended)


def _finite(state):
    return all(np.isfinite(leaf).all() for leaf in leaves(state))
