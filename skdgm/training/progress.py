"""Progress of training beside its state, from which a run continues."""

from typing import NamedTuple

from skdgm.training.hooks import Hook

# Attributes of EarlyStopping that change from epoch to epoch; the first is a state.
_OF_STOPPING = "best", "lowest", "best_epoch", "mark", "waited"


class Progress(NamedTuple):
    """Where training stands: the losses of the epochs so far, and by name those
    attributes of the watch, and of early stopping, that come from earlier states."""

    losses: list
    validation: list
    watch: dict
    stopping: dict


class Keeper(Hook):
    """Hook that passes on, after each epoch, all that training can continue from.

    ``keep(report, progress)`` is called after each epoch, with states that go on
    changing. A Progress is where an earlier run ended, which this one continues.
    """

    def __init__(self, keep, progress=None):
        self.keep, self.before = keep, progress
        earlier = progress[:2] if progress is not None else ((), ())
        self.losses, self.validation = map(list, earlier)
        self.earlier = earlier

    def join(self, watch, stopping, epochs):
        """Begin, or continue the earlier run; return those of all epochs that it did
        not do."""
        self.watch, self.stopping, self.stopped = watch, stopping, False
        if self.before is not None:
            vars(watch).update(self.before.watch)
        if self.before is not None and stopping is not None:
            vars(stopping).update(self.before.stopping)
            self.stopped = stopping.waited >= stopping.patience
        return epochs[:0] if self.stopped else epochs[len(self.losses) :]

    def end(self, report):
        """Pass on the state of an epoch."""
        self.losses.append(report.loss)
        self.validation.append(report.validation)
        self.keep(report, self.progress())
        return False

    def progress(self):
        """Where training stands now, as a :class:`Progress`."""
        known = {}
        if self.stopping is not None:
            known = {name: getattr(self.stopping, name) for name in _OF_STOPPING}
        watched = {name: getattr(self.watch, name) for name in self.watch.MEMORY}
        return Progress([*self.losses], [*self.validation], watched, known)

    def whole(self, outcome):
        """Outcome of this run and of the earlier one together."""
        losses, validation = self.earlier
        return outcome._replace(
            losses=[*losses, *outcome.losses],
            validation=[*validation, *outcome.validation],
            ended="stopped" if self.stopped else outcome.ended,
        )
