"""Stages of a fit, which run in sequence. Checkpoints are places in this sequence.

A sequence of stages is usually a generator, because a stage depends on the results of
previous stages.
"""

from abc import ABC, abstractmethod
from contextlib import nullcontext
from typing import Any

from skdgm.base.records import Record
from skdgm.training import AUTO, Table, Verbose, optimize
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import copy


class Fit:
    """A fit of an estimator while it runs.

    ``former`` is the list that :func:`~skdgm.base.rollback` yields, cleared once
    something is learned. ``task`` is the task of the callbacks; None calls no
    callbacks, as in ``partial_fit``. ``record`` is the :class:`Record` from which
    stages continue. ``completed`` is False if the previous stage was interrupted, or
    stopped by a callback.
    """

    completed = True

    def __init__(self, estimator, former, task=None, record=None):
        self.estimator, self.former, self.task = estimator, former, task
        self.record = Record(estimator, ()) if record is None else record

    @property
    def name(self):
        """Name of the estimator in messages."""
        return self.estimator._name

    def remaining_stages(self, stages):
        """Yield the stages that have to run. After each, the caller sets ``completed``
        to the result of :meth:`Stage.run`. (A method that ran the stages would add a
        call to the stack.)"""
        stage = None
        for stage in stages:
            if not self.record.reaches(stage):
                stage.skip(self.record)
                continue
            yield stage
            if not self.completed:
                return
        self.record.complete(stage)


class Stage(ABC):
    """A stage of a fit.

    Attributes
    ----------
    key : str
        Name of the stage in records.
    task : str or None
        Name of its task for callbacks; None if it belongs to the task of the whole fit.
    learned : Learned or None
        Result of epochs after they have run.
    """

    key: str | None = None
    task: str | None = None
    learned: Any = None

    @abstractmethod
    def run(self, fit: Fit) -> bool:
        """Run the stage, or the rest of it, in a :class:`Fit`; return whether it was
        completed."""

    def skip(self, record):
        """Take results of this completed stage that later stages need, and the
        estimator lacks, from a :class:`Record`."""
        return

    def _part(self, fit, **options):
        if fit.task is None or self.task is None:
            return nullcontext(fit.task)
        return fit.task.part(self.task, **options)


class Epochs(Stage):
    """Epochs of an objective.

    Attributes
    ----------
    name : str
        Name in printed lines and messages.
    table : Table
        Training rows.
    epochs : range
    n_epochs : int or None
        Total number of epochs for the schedules, if known.
    early_stopping : bool
    shown : bool
        Whether callbacks are called after each epoch.
    transient : tuple of str
        Fitted attributes that only some training states have.
    finishes : bool
        Whether the data determine the number of epochs, so that the objective finishes
        the state afterwards.
    """

    name: str
    table: Table
    epochs: range
    early_stopping, shown, n_epochs, transient = False, True, None, ()
    finishes = False

    @abstractmethod
    def begin(self, fit: Fit) -> tuple[Any, Any]:
        """Objective and initial state; the state is None for a start from scratch."""

    @abstractmethod
    def attributes(self, state, progress=None):
        """Fitted attributes, as copies, of a training state; with a
        :class:`~skdgm.training.Progress`, also attributes that count epochs."""

    @abstractmethod
    def keep(self, fit):
        """Set the fitted attributes of the ``learned`` state."""

    @abstractmethod
    def report(self, watch):
        """Raise an error or warn if training failed."""

    def memory(self, state):
        """Parts of a training state that are not in attributes, a dict for a record."""
        return {}

    def restored(self, source, memory):
        """Training state, given an estimator with its attributes, and its memory."""
        return source._state()

    def run(self, fit: Fit) -> bool:
        with self._part(fit, n_epochs=len(self.epochs)) as task:
            objective, state = self.begin(fit)
            state, keeper = fit.record.joined(self, state)
            with one_blas_thread():
                self.learned, watch = optimize(
                    objective,
                    self.table,
                    self.epochs,
                    state,
                    n_epochs=self.n_epochs,
                    hooks=self._hooks(fit, task, objective.quantity, keeper),
                    early_stopping=self.early_stopping,
                    keeper=keeper,
                )
                if self.finishes and self.learned.ended in ("complete", "stopped"):
                    state = objective.finished(self.learned.state, self.table)
                    self.learned = self.learned._replace(state=state)
            self.keep(fit)
            self.report(watch)
        stopped = task is not None and task.stopped
        return self.learned.ended != "interrupted" and not stopped

    def _hooks(self, fit, task, quantity, keeper):
        """Callbacks, and a printed table of epochs if the estimator is verbose."""
        if self.shown and task is None:
            return []
        progress = None if keeper is None else keeper.before
        hooks = [task.callbacks(self.attributes, progress)] if self.shown else []
        if fit.estimator.verbose:
            hooks.append(Verbose(self.name, quantity, self.epochs.stop))
        return hooks


class OwnEpochs(Epochs):
    """Epochs of the objective of the estimator's own model, from ``state`` on;
    ``whole`` is True if these are all epochs of a ``fit``."""

    key = "epochs"

    def __init__(self, estimator, objective, table, epochs, state, whole):
        self.estimator, self.objective = estimator, objective
        self.name = estimator._name
        self.table, self.epochs, self.state = table, epochs, state
        self.transient = estimator._TRANSIENT
        if whole:
            self.n_epochs = len(epochs)
            self.early_stopping = estimator._options.early_stopping
            # A given number of epochs equals as many calls of partial_fit.
            self.finishes = self.early_stopping or estimator._options.n_iter == AUTO

    def begin(self, fit: Fit) -> tuple[Any, Any]:
        return self.objective, self.state

    def attributes(self, state, progress=None):
        model = self.estimator
        # Training continues to change the state.
        fitted = model._attributes(copy(state))
        if progress is not None:
            fitted["n_iter_"] = model.n_iter_ + len(progress.losses)
            fitted["loss_curve_"] = model.loss_curve_ + progress.losses
        if progress is not None and progress.stopping:
            fitted["validation_curve_"] = model.validation_curve_ + progress.validation
        return fitted

    def keep(self, fit):
        self.estimator._commit(self.learned, fit.former)

    def report(self, watch):
        self.estimator._report(self.learned, len(self.epochs), watch)


class Component(Stage):
    """Fit of a component of the fitted estimator."""

    @abstractmethod
    def begin(self, fit: Fit) -> Any:
        """The component before its fit."""

    @abstractmethod
    def fit(self, component: Any) -> bool:
        """Fit the component, and set it as an attribute; return whether the fit was
        completed."""

    @abstractmethod
    def attributes(self, component: Any) -> dict:
        """Fitted attributes, given the present component."""

    @abstractmethod
    def component_of(self, source):
        """The component of an estimator from a record."""

    def run(self, fit: Fit) -> bool:
        component = self.begin(fit)
        if fit.record.file is not None:
            component._part_of = fit.record.place(self)
        with self._part(fit, component=component) as task:
            finished = self.fit(component)
        return finished and not (task is not None and task.stopped)
