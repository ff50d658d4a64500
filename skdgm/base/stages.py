"""Stages of a fit, which run one after the other; a checkpoint is a place among them.

A list of stages is most often a generator: what those before have learned, the next one
is made of.
"""

from abc import ABC, abstractmethod
from contextlib import nullcontext

from skdgm.base.records import Record
from skdgm.training import AUTO, Verbose, optimise
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import copy


class Fit:
    """A fit of an estimator, as it runs.

    Parameters
    ----------
    estimator : Estimator
    before : list
        Of :func:`~skdgm.base.rollback`, cleared when something has been learned.
    task : Task, optional
        Of the callbacks; by default there are none, as in ``partial_fit``.
    record : Record, optional
        What a callback keeps, and from which stages continue.

    Attributes
    ----------
    goes_on : bool
        Whether the stage that ran last came to its end: False where it was interrupted,
        or a callback asked to stop.
    """

    goes_on = True

    def __init__(self, estimator, before, task=None, record=None):
        self.estimator, self.before, self.task = estimator, before, task
        self.record = Record(estimator, ()) if record is None else record

    @property
    def name(self):
        """Name of the estimator in messages."""
        return self.estimator._name

    def left(self, stages):
        """Yield the stages that are to run, of which the caller says ``goes_on``: what
        :meth:`Stage.run` returns. (A method that ran them would be a call more between
        a user's and each update.)"""
        stage = None
        for stage in stages:
            if not self.record.reaches(stage):
                stage.skip(self.record)
                continue
            yield stage
            if not self.goes_on:
                return
        self.record.complete(stage)


class Stage(ABC):
    """A stage of a fit.

    Attributes
    ----------
    key : str
        Its place among the stages, in records.
    task : str or None
        Name of its task of callbacks; None if that of the whole fit is its own.
    learned : Learned or None
        Of epochs, once they have run.
    """

    key, task, learned = None, None, None

    @abstractmethod
    def run(self, fit):
        """Run the stage, or what is left of it, in a :class:`Fit`; return whether it
        came to its end."""

    def skip(self, record):
        """Take from a :class:`Record` what later stages need of this one, which is
        complete, and the estimator does not have."""
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
        Name in lines and messages.
    table : Table
        Training rows.
    epochs : range
    n_epochs : int or None
        Total number of epochs for the schedules, if known.
    early_stopping : bool
    shown : bool
        Whether callbacks are told of each epoch.
    transient : tuple of str
        Fitted attributes that not all training states have.
    finishes : bool
        True if the data choose the end, so that the objective finishes the state.
    """

    early_stopping, shown, n_epochs, transient = False, True, None, ()
    finishes = False

    @abstractmethod
    def begin(self, fit):
        """Objective, and the state to begin with, None anew."""

    @abstractmethod
    def attributes(self, state, progress=None):
        """Fitted attributes of a training state, which goes on changing; with a
        :class:`~skdgm.training.Progress` also those that count epochs."""

    @abstractmethod
    def keep(self, fit):
        """Set the attributes that were ``learned``."""

    @abstractmethod
    def report(self, watch):
        """Raise an error or warn where training failed."""

    def memory(self, state):
        """What attributes do not say of a training state, for a record: a dict."""
        return {}

    def restored(self, source, memory):
        """Training state, given an estimator with its attributes, and its memory."""
        return source._state()

    def run(self, fit):
        with self._part(fit, n_epochs=len(self.epochs)) as task:
            objective, state = self.begin(fit)
            state, keeper = fit.record.joined(self, state)
            with one_blas_thread():
                self.learned, watch = optimise(
                    objective,
                    self.table,
                    self.epochs,
                    state,
                    n_epochs=self.n_epochs,
                    hooks=self._hooks(fit, task, objective.quantity),
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

    def _hooks(self, fit, task, quantity):
        """Callbacks, and a printed line for each epoch if the estimator is verbose."""
        if self.shown and task is None:
            return []
        hooks = [task.callbacks(self.attributes)] if self.shown else []
        if fit.estimator.verbose:
            hooks.append(Verbose(self.name, quantity))
        return hooks


class OwnEpochs(Epochs):
    """Epochs of the objective of an estimator's own model.

    Parameters
    ----------
    estimator : Estimator
    objective : Objective
    table : Table
    epochs : range
    state : tuple or None
        To begin with.
    whole : bool
        Whether they are all epochs of a ``fit``.
    """

    key = "epochs"

    def __init__(self, estimator, objective, table, epochs, state, whole):
        self.estimator, self.objective = estimator, objective
        self.name = estimator._name
        self.table, self.epochs, self.state = table, epochs, state
        self.transient = estimator._TRANSIENT
        if whole:
            self.n_epochs = len(epochs)
            self.early_stopping = estimator._options.early_stopping
            # Epochs of a number are those of as many calls of partial_fit.
            self.finishes = self.early_stopping or estimator._options.n_iter == AUTO

    def begin(self, fit):
        return self.objective, self.state

    def attributes(self, state, progress=None):
        own = self.estimator
        # Training goes on to change the state.
        found = own._attributes(copy(state))
        if progress is not None:
            found["n_iter_"] = own.n_iter_ + len(progress.losses)
            found["loss_curve_"] = own.loss_curve_ + progress.losses
        if progress is not None and progress.stopping:
            found["validation_curve_"] = own.validation_curve_ + progress.validation
        return found

    def keep(self, fit):
        self.estimator._keep(self.learned, fit.before)

    def report(self, watch):
        self.estimator._report(self.learned, len(self.epochs), watch)


class Component(Stage):
    """The fit of an estimator that is part of the one that is fitted."""

    @abstractmethod
    def begin(self, fit):
        """The component, to be fitted."""

    @abstractmethod
    def fit(self, component):
        """Fit it, and set it as an attribute; return whether it came to its end."""

    @abstractmethod
    def attributes(self, component):
        """Fitted attributes, given the component as it is."""

    @abstractmethod
    def component_of(self, source):
        """The component of an estimator that was kept."""

    def run(self, fit):
        component = self.begin(fit)
        if fit.record.file is not None:
            component._part_of = fit.record.place(self)
        with self._part(fit, component=component) as task:
            finished = self.fit(component)
        return finished and not (task is not None and task.stopped)
