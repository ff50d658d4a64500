"""Stages of a fit, as tasks of scikit-learn's callbacks."""

from contextlib import contextmanager, nullcontext

from skdgm.training import Callbacks, Verbose


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
