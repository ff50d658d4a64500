"""Stages of a fit: their callbacks, and reports of their end."""

from contextlib import contextmanager, nullcontext

from skdgm.exceptions import DivergenceError, InterruptedFitWarning
from skdgm.training import Callbacks, Verbose
from skdgm.utils.callers import fits_for_another, warn


class Stage:
    """Stage of a fit, with its place among the tasks of scikit-learn's callbacks.

    Parameters
    ----------
    estimator : estimator
    context : sklearn.callback.CallbackContext
    data : dict
        ``X``, ``y`` and ``metadata`` for the callbacks.

    Attributes
    ----------
    stopped : bool
        True after the end if a callback asked to stop.
    """

    def __init__(self, estimator, context, data):
        self.estimator, self.context, self.data = estimator, context, data
        self.stopped = False
        context.call_on_fit_task_begin(estimator=estimator, **data)

    @classmethod
    def whole(cls, estimator, data, n_parts):
        """Stage of a whole fit, which has ``n_parts`` parts or epochs."""
        context = estimator._init_callback_context(max_subtasks=n_parts)
        return cls(estimator, context, data)

    @contextmanager
    def part(self, name, n_epochs=0, component=None):
        """Context of a part of this stage, which ends unless an error is raised.

        Parameters
        ----------
        name : str
        n_epochs : int, default=0
        component : estimator, optional
            Estimator that is fitted in this part, to which callbacks are passed on.

        Yields
        ------
        part : Stage
        """
        context = self.context.subcontext(name, max_subtasks=n_epochs)
        passed_on = nullcontext()
        if component is not None:
            passed_on = context.propagate_callback_context(component)
        with passed_on:
            part = Stage(self.estimator, context, self.data)
            yield part
            part.end()

    def hooks(self, name, objective, attributes):
        """Hooks of epochs: callbacks, and a printed line if the estimator is verbose.

        Parameters
        ----------
        name : str
            Name of the estimator in lines.
        objective : Objective
        attributes : callable
            ``attributes(state)`` returns the fitted attributes of a training state.

        Returns
        -------
        hooks : list of Hook
        """
        hooks = [Callbacks(self.estimator, self.context, self.data, attributes)]
        if self.estimator.verbose:
            hooks.append(Verbose(name, objective.quantity))
        return hooks

    def end(self, attributes=dict):
        """End the stage.

        Parameters
        ----------
        attributes : callable, default=dict
            Returns fitted attributes that the estimator does not have yet.
        """
        self.stopped = self.context.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=attributes, **self.data
        )


def report(outcome, n_epochs, name, remedy):
    """Raise an error or warn if training diverged or was interrupted.

    After Ctrl-C, a call of ``fit`` by the user ends with a warning; a call by something
    else, such as a search, raises KeyboardInterrupt, so that the caller ends too.

    Parameters
    ----------
    outcome : Outcome
    n_epochs : int
        Number of epochs that were to be run.
    name : str
        Name of the estimator.
    remedy : str
        Advice for the case of divergence.

    Raises
    ------
    DivergenceError, KeyboardInterrupt
    """
    done = f"after {len(outcome.losses)} of {n_epochs} epochs"
    if outcome.ended == "diverged":
        what = f"Training of {name} diverged {done}"
        error = DivergenceError(f"{what}; the parameters from then are kept. {remedy}")
        # For models of which this is a part, and which discard its parameters.
        error.what = what
        raise error
    if outcome.ended == "interrupted":
        message = f"Training was interrupted {done}; what was learned is kept."
        if fits_for_another():
            raise KeyboardInterrupt(message)
        warn(message, InterruptedFitWarning)
