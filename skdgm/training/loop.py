"""The training loop, shared by all models.

Each epoch takes the steps of its batches, measures the losses, checks the state and
calls the hooks. On divergence the last good state is restored, or with early stopping
first the best state, to continue at a lower learning rate; on Ctrl-C the current state
is kept. Objectives define steps, batches and losses: the loop does not depend on
the model.
"""

import time
from functools import cache
from typing import NamedTuple

import numpy as np

from skdgm.optim import Clock
from skdgm.training.hooks import EarlyStopping
from skdgm.utils.lists import Lists
from skdgm.utils.tree import copy, leaves, overwrite

# Size of a block in bytes; the GNU C library adapts to blocks of up to 32 MiB.
_LARGE = 31 * 2**20
# Number of initial updates in which a loss above the limit may still recover.
_RECOVERY_UPDATES = 20
# Option value: choose by the data.
AUTO = "auto"


class Report(NamedTuple):
    """Results of an epoch: its number; the training state, a tree of arrays; the losses
    of training rows and of held-out rows (or None), in nats per row; and its seconds.
    ``within_limit`` is whether the loss is below the limit of divergence."""

    epoch: int
    state: tuple
    loss: float
    validation: float
    seconds: float
    within_limit: bool = True


class Outcome(NamedTuple):
    """Result of the training loop. ``state`` is the last state, or the last good state
    if that is not finite or has diverged. ``losses`` and ``validation`` (None without
    held-out rows) are those of complete epochs. ``ended`` is "complete", "stopped",
    "interrupted" or "diverged"."""

    state: tuple
    losses: list
    validation: list
    ended: str


# Overflow is detected as divergence, and reported with a remedy by the caller.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def optimize(
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
    """Train an objective on the rows of a table for a range of epochs.

    Training starts from ``state``, or from a new state. ``n_epochs`` is the total
    number of epochs for schedules, if known. With early stopping, rows are held out,
    and the state with their lowest loss is kept, including the initial state if
    ``objective.COUNTS_START``. ``keeper``, a :class:`~skdgm.training.Keeper`, is called
    after the other hooks. If it has the progress of an earlier run, the epochs of that
    run are not repeated, and ``state`` is its last state. Returns a :class:`Learned`
    and the Watch.
    """
    hold()
    held_out, stopping, options = None, None, objective.options
    since = epochs.start
    if early_stopping:
        table, held_out = objective.split(table)
        since = objective.first_selectable_epoch(epochs)
        stopping = EarlyStopping(options.n_iter_no_change, options.tol, since)
    state = objective.start() if state is None else objective.resume(state)
    watch = objective.watch(table, held_out, state)
    hooks, remaining = [*hooks, stopping] if stopping else [*hooks], epochs
    if keeper is not None:
        remaining = keeper.join(watch, stopping, epochs)
        hooks.append(keeper)
    first = epochs.start
    if stopping and objective.COUNTS_START and remaining == epochs and since == first:
        stopping.begin_with(state, first, watch(state)[1])
    # Steps change a copy in place.
    good, state, buffer = state, copy(state), ()
    n_updates = n_good = 0
    limit, losses, validation, ended = watch.limit, [], [], "complete"
    try:
        for epoch in remaining:
            start = time.perf_counter()
            for hook in hooks:
                hook.begin(epoch)
            batches = objective.draw(table, epoch)
            pace = stopping.pace if stopping else 1.0
            for i, batch in enumerate(batches):
                clock = Clock(epoch, n_epochs, i, len(batches), pace)
                state = objective.step(state, batch, clock)
            loss, of_held_out = watch(state)
            n_updates += getattr(batches, "n_updates", len(batches))
            within_limit = loss <= limit
            # An initial overshoot may recover.
            early = (
                not n_good and n_updates <= _RECOVERY_UPDATES and epoch < remaining[-1]
            )
            is_good = _finite(state) and (within_limit or (early and np.isfinite(loss)))
            if not is_good and stopping and stopping.undoes(epochs):
                # The last good state may be much worse than the best.
                state = copy(stopping.best)
                watch.undo()
                (loss, of_held_out), within_limit = watch(state), True
            elif not is_good:
                state, ended = good, "diverged"
                del losses[n_good:], validation[n_good:]
                break
            losses.append(loss)
            validation.append(of_held_out)
            if within_limit:
                buffer = buffer if overwrite(buffer, state) else copy(state)
                good, n_good = buffer, len(losses)
            seconds = time.perf_counter() - start
            report = Report(epoch, state, loss, of_held_out, seconds, within_limit)
            stop_requests = [hook.end(report) for hook in hooks]
            if any(stop_requests):
                ended = "stopped"
                break
    except KeyboardInterrupt:
        state, ended = (state if _finite(state) else good), "interrupted"
    for hook in hooks:
        hook.finish()
    if losses and not n_good:
        # An initial overshoot that has not recovered.
        state, losses, validation = good, [], []
        ended = "diverged" if ended == "stopped" else ended
    outcome = Outcome(state, losses, validation, ended)
    if keeper is not None:
        outcome = keeper.whole(outcome)
    last_losses = outcome.losses[-1:]
    if stopping and stopping.best:
        epoch = stopping.best_epoch - epochs.start
        # The initial state has no recorded loss.
        last_losses = outcome.losses[epoch:][:1] if epoch >= 0 else []
        best = stopping.best if epoch >= 0 else objective.fallback_state(stopping.best)
        outcome = outcome._replace(state=best)
    is_useless = any(map(watch.is_useless, last_losses))
    validation = outcome.validation if stopping else []
    learned = Learned(
        state=outcome.state,
        losses=outcome.losses,
        validation=validation,
        ended=outcome.ended,
        is_useless=is_useless,
    )
    return learned, watch


def _finite(state):
    values = (x.value if isinstance(x, Lists) else x for x in leaves(state))
    return all(np.isfinite(array).all() for array in values)


class Learned(NamedTuple):
    """Result of training. ``state`` is the last state, or with early stopping that of
    the lowest validation loss. ``losses`` are those of complete epochs in nats per row;
    ``validation`` is empty without early stopping. ``ended`` is as in :class:`Outcome`,
    and ``is_useless`` is ``watch.is_useless`` for the loss of the state."""

    state: tuple
    losses: list
    validation: list
    ended: str
    is_useless: bool


# Factor of the maximum number of epochs, for the minimum number of updates.
_MAX_FACTOR = 3


class Budget(NamedTuple):
    """Default length of training: a number of updates, within a minimum and maximum
    number of epochs, ``fewest`` and ``most``. Small tables get at least ``least``
    updates, in up to ``_MAX_FACTOR`` times the maximum number of epochs."""

    n_updates: int
    fewest: int
    most: int
    least: int = 0

    def epochs(self, n_iter, table, batch_size):
        """Number of epochs: ``n_iter``, or that of the budget for "auto"."""
        return self.epochs_of(n_iter, -(-table.n_draws // batch_size))

    def epochs_of(self, n_iter, n_batches):
        """Number of epochs of ``n_batches``: ``n_iter``, or that of the budget."""
        if n_iter != AUTO:
            return n_iter
        n_epochs, minimum = (-(-n // n_batches) for n in (self.n_updates, self.least))
        n_epochs = np.clip(n_epochs, self.fewest, self.most)
        return int(max(n_epochs, min(minimum, _MAX_FACTOR * self.most)))


@cache
def hold():
    """Keep freed memory in the process: free a block of 31 MiB, once.

    Each update needs as much memory as the last. The GNU C library returns free memory
    above a threshold to the system, and allocating it again, page by page, may take
    longer than the rest of an update. The library raises the threshold when a larger
    block is freed, unless the process has set a threshold.
    """
    np.empty(_LARGE, np.uint8)
