"""The one training loop.

Epochs of batches; at the end of each the losses are measured, the hooks hear of
them, and the state is checked. Divergence falls back on the last good state and
Ctrl-C keeps what was learned. What is trained comes in as functions: the loop
knows no model.
"""

import time
from typing import NamedTuple

import numpy as np

from skdgm.optim import Clock
from skdgm.utils.memory import hold
from skdgm.utils.tree import copy, leaves


class Report(NamedTuple):
    """What is known at the end of an epoch.

    Parameters
    ----------
    epoch : int
        Its number.
    state : tuple
        The training state, a tree of arrays.
    loss : float
        On training rows, in nats per row.
    validation : float or None
        The same on held-out rows.
    seconds : float
        How long the epoch took.
    """

    epoch: int
    state: tuple
    loss: float
    validation: float
    seconds: float


class Outcome(NamedTuple):
    """How training ended.

    Parameters
    ----------
    state : tuple
        Finite whatever happened.
    losses, validation : list of float
        One for each complete epoch.
    ended : {"complete", "stopped", "interrupted", "diverged"}
    """

    state: tuple
    losses: list
    validation: list
    ended: str


# What overflows is found by the guard, which knows the remedy.
@np.errstate(over="ignore", invalid="ignore")
def train(state, step, draw, measure, *, epochs, loss_limit, n_epochs=None, hooks=()):
    """Run epochs.

    Parameters
    ----------
    state : tuple
        A tree of arrays; steps change a copy of it in place.
    step : callable
        ``step(state, batch, clock)`` returns the next state.
    draw : callable
        ``draw(epoch)`` returns the epoch's batches, a sequence.
    measure : callable
        ``measure(state)`` returns (loss, validation loss or None).
    epochs : range
        The numbers of the epochs to run.
    loss_limit : float
        A loss above it, or that is not a number, is divergence.
    n_epochs : int, optional
        How many there will ever be, for the schedules.
    hooks : sequence of Hook

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
