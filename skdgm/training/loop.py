"""The training loop, shared by all models.

Each epoch runs its batches, measures the losses, checks the state and calls the hooks.
On divergence the last good state is restored; on Ctrl-C what was learned is kept.
Steps, batches and losses are an objective's: the loop knows no model.

The result of training has the last state or the best; its default length is a budget.
"""

import time
from functools import cache
from typing import NamedTuple

import numpy as np

from skdgm.optim import Clock
from skdgm.training.hooks import EarlyStopping
from skdgm.utils.lists import Lists
from skdgm.utils.tree import copy, leaves, overwrite

# Size of a block, in bytes; the GNU C library follows blocks of up to 32 MiB.
_LARGE = 31 * 2**20
# Updates of a run up to which a loss beyond the limit may yet recover.
_FEW = 20
# Option value: choose by the data.
AUTO = "auto"


class Report(NamedTuple):
    """Results of an epoch: its number; the training state, a tree of arrays; the losses
    of training rows and of held-out rows (or None), in nats per row; and its
    duration."""

    epoch: int
    state: tuple
    loss: float
    validation: float
    seconds: float


class Outcome(NamedTuple):
    """Result of the training loop: the last state, or the last good one if that is not
    finite or has diverged; the losses of each complete epoch, those of held-out rows
    None without such; and how it ended, "complete", "stopped", "interrupted" or
    "diverged"."""

    state: tuple
    losses: list
    validation: list
    ended: str


def optimise(
    objective,
    table,
    epochs,
    state=None,
    *,
    n_epochs=None,
    hooks=(),
    early_stopping=False,
    keeper=None,
):
    """Train for a range of epochs, anew or from a state, by the rows of a table.

    ``n_epochs`` is the total number of epochs for the schedules, if known. With early
    stopping rows are held out, and the state with their lowest loss is kept; it may be
    that before the first epoch, where the objective counts this. Of the hooks a
    :class:`~skdgm.training.Keeper` is called last; where it knows of an earlier run,
    the epochs that this one did are not repeated, and ``state`` is the last of that
    run. Returns what was :class:`Learned`, and the Watch.
    """
    hold()
    held_out, stopping, options = None, None, objective.options
    since = epochs.start
    if early_stopping:
        table, held_out = objective.split(table)
        since = objective.since(epochs)
        stopping = EarlyStopping(options.n_iter_no_change, options.tol, since)
    state = objective.start() if state is None else objective.resume(state)
    watch = objective.watch(table, held_out, state)
    hooks, left = [*hooks, stopping] if stopping else [*hooks], epochs
    if keeper is not None:
        left = keeper.join(watch, stopping, epochs)
        hooks.append(keeper)
    first = epochs.start
    if stopping and objective.COUNTS_START and left == epochs and since == first:
        stopping.begin_with(state, first, watch(state)[1])
    # Steps change a copy in place.
    good, state, room = state, copy(state), ()
    n_updates = n_good = 0
    limit, losses, validation, ended = watch.limit, [], [], "complete"
    # Overflow is detected as divergence, and reported with a remedy by the caller.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        try:
            for number in left:
                start = time.perf_counter()
                for hook in hooks:
                    hook.begin(number)
                batches = objective.draw(table, number)
                for i, batch in enumerate(batches):
                    clock = Clock(number, n_epochs, i, len(batches))
                    state = objective.step(state, batch, clock)
                loss, of_held_out = watch(state)
                n_updates += getattr(batches, "n_updates", len(batches))
                sound = loss <= limit
                # A first overshoot may end by itself.
                early = not n_good and n_updates <= _FEW and number < left[-1]
                if not (_finite(state) and (sound or (early and np.isfinite(loss)))):
                    state, ended = good, "diverged"
                    del losses[n_good:], validation[n_good:]
                    break
                losses.append(loss)
                validation.append(of_held_out)
                if sound:
                    room = room if overwrite(room, state) else copy(state)
                    good, n_good = room, len(losses)
                seconds = time.perf_counter() - start
                report = Report(number, state, loss, of_held_out, seconds)
                stops = [hook.end(report) for hook in hooks]
                if any(stops):
                    ended = "stopped"
                    break
        except KeyboardInterrupt:
            state, ended = (state if _finite(state) else good), "interrupted"
    if losses and not n_good:
        # An overshoot that was to end by itself, and had no time to.
        state, losses, validation = good, [], []
        ended = "diverged" if ended == "stopped" else ended
    outcome = Outcome(state, losses, validation, ended)
    if keeper is not None:
        outcome = keeper.whole(outcome)
    kept = outcome.losses[-1:]
    if stopping and stopping.best:
        number = stopping.best_epoch - epochs.start
        # No loss is known of the state before the first epoch.
        kept = outcome.losses[number:][:1] if number >= 0 else []
        best = stopping.best if number >= 0 else objective.unbeaten(stopping.best)
        outcome = outcome._replace(state=best)
    useless = any(map(watch.is_useless, kept))
    validation = outcome.validation if stopping else []
    learned = Learned(
        state=outcome.state,
        losses=outcome.losses,
        validation=validation,
        ended=outcome.ended,
        useless=useless,
    )
    return learned, watch


def _finite(state):
    values = (x.value if isinstance(x, Lists) else x for x in leaves(state))
    return all(np.isfinite(part).all() for part in values)


class Learned(NamedTuple):
    """Result of training: the last state, or with early stopping the one with the
    lowest validation loss; losses in nats per row of each complete epoch,
    ``validation`` empty without early stopping; how it ended, as of :class:`Outcome`;
    and whether ``watch.is_useless`` of the loss of the state."""

    state: tuple
    losses: list
    validation: list
    ended: str
    useless: bool


# Times the largest number of epochs that a least number of updates may take.
_MANY = 3


class Budget(NamedTuple):
    """Default length of training: a number of updates aimed at, and the least and the
    largest number of epochs, which take precedence; but small tables get ``least``
    updates, whatever the number of epochs, up to ``_MANY`` times the largest."""

    n_updates: int
    fewest: int
    most: int
    least: int = 0

    def epochs(self, n_iter, table, batch_size):
        """Number of epochs: ``n_iter``, or for "auto" that of the budget."""
        return self.epochs_of(n_iter, -(-table.n_draws // batch_size))

    def epochs_of(self, n_iter, n_batches):
        """Number of epochs of so many updates: ``n_iter``, or that of the budget."""
        if n_iter != AUTO:
            return n_iter
        n_epochs, few = (-(-n // n_batches) for n in (self.n_updates, self.least))
        n_epochs = np.clip(n_epochs, self.fewest, self.most)
        return int(max(n_epochs, min(few, _MANY * self.most)))


@cache
def hold():
    """Keep freed memory in the process: free a block of 31 MiB, once.

    Each update needs as much memory as the last. The GNU C library returns free memory
    beyond a threshold to the system, and getting it back, page by page, may take longer
    than the rest of an update. It raises the threshold when it sees a larger block
    freed, unless the process has set one, which is left as it is.
    """
    np.empty(_LARGE, np.uint8)
