"""Progress of training that is not part of its state, for resuming a run."""

from typing import Any, NamedTuple

from skdgm.training.hooks import Hook

# Attributes of EarlyStopping that change during training; the first is a state.
_OF_STOPPING = "best", "lowest", "best_epoch", "mark", "waited", "pace"


class Progress(NamedTuple):
    """Losses of past epochs, and attributes of the watch and of early stopping that
    depend on previous states, by name."""

    losses: list
    validation: list
    watch: dict
    stopping: dict


class Keeper(Hook):
    """Hook that passes on all that is needed to resume training.
    ``keep(report, progress)`` is called after each epoch; later epochs change the state
    in place. ``progress`` is the Progress of an earlier run, which this run resumes."""

    def __init__(self, keep, progress=None):
        self.keep, self.before = keep, progress
        earlier = progress[:2] if progress is not None else ((), ())
        self.losses, self.validation = map(list, earlier)
        self.earlier = earlier

    def join(self, watch, stopping, epochs):
        """Start a run, or resume the earlier run; return the remaining epochs."""
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
        """Return the current :class:`Progress`."""
        stopping_values = {}
        if self.stopping is not None:
            stopping_values = {
                name: getattr(self.stopping, name) for name in _OF_STOPPING
            }
        watch_values = {name: getattr(self.watch, name) for name in self.watch.MEMORY}
        return Progress(
            [*self.losses], [*self.validation], watch_values, stopping_values
        )

    def whole(self, outcome):
        """Outcome of the earlier run and this run together."""
        losses, validation = self.earlier
        return outcome._replace(
            losses=[*losses, *outcome.losses],
            validation=[*validation, *outcome.validation],
            ended="stopped" if self.stopped else outcome.ended,
        )


class Callbacks(Hook):
    """Hook that calls scikit-learn's callbacks in each epoch. ``data`` has ``X``, ``y``
    and ``metadata``; ``attributes(state, progress)`` returns the fitted attributes of a
    state. ``progress`` is the Progress of an earlier run, which this run resumes."""

    def __init__(self, estimator, context, data, attributes, progress=None):
        self.estimator, self.context, self.data = estimator, context, data
        self.attributes = attributes
        self.losses, self.validation = map(list, progress[:2] if progress else ((), ()))
        self.epoch_context: Any = None

    def begin(self, epoch):
        """Open the callback context of an epoch."""
        self.epoch_context = self.context.subcontext(task_name="epoch")
        self.epoch_context.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def end(self, report):
        """Close the context of the epoch; return True if a callback asks to stop."""
        self.losses.append(report.loss)
        self.validation.append(report.validation)
        return self.epoch_context.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self._fitted(report),
            **self.data,
        )

    def _fitted(self, report):
        stopping = {} if report.validation is None else {"lowest": min(self.validation)}
        losses, validation = [*self.losses], [*self.validation]
        return self.attributes(report.state, Progress(losses, validation, {}, stopping))
