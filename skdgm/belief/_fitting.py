"""``fit`` and ``partial_fit`` of deep belief networks: layer by layer, then as one."""

from copy import copy
from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_scalar

from skdgm.belief._stack import transposed
from skdgm.belief._up_down import UpDown
from skdgm.boltzmann._fitting import for_callbacks, report, tabulate
from skdgm.boltzmann._trainer import density
from skdgm.exceptions import DivergenceError
from skdgm.optim import check_staircase
from skdgm.training import Callbacks, Table, Verbose, train
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.rows import Rows
from skdgm.utils.threads import one_blas_thread

# What the streams of a seed are for; the first are the machines'.
_LAYER, _MORE, _REFINE = range(100, 103)


class Lesson(NamedTuple):
    """What there is to learn.

    Parameters
    ----------
    X : array-like
        As it was given.
    table : Table
    machines : list of estimators
        Unfitted, one for each layer.
    fresh : bool
        Whether what was learned before is to be forgotten.
    seed : int
    """

    X: object
    table: Table
    machines: list
    fresh: bool
    seed: int


class FittingMixin:
    """Training, for a stack of machines. As part of another model it may get a
    ``Table`` for X."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn from data: one layer after the other, then all of them if so asked.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts. Whole numbers repeat rows, exactly.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, infinite or outside the model's domain; a weight is negative, or
            all are zero; an option has not one value for each layer.
        DivergenceError
            Training of a layer diverged. The estimator keeps those below, and this
            one's last good parameters.
        """
        fresh = not (self.warm_start and hasattr(self, "layers_"))
        lesson = self._begin(X, sample_weight, fresh)
        depth = len(lesson.machines)
        # A single layer is learned as a whole already.
        refining = self.refine is not None and depth > 1
        context = self._init_callback_context(max_subtasks=depth + refining)
        data = for_callbacks(lesson.table.rows.X, y, sample_weight)
        context.call_on_fit_task_begin(estimator=self, **data)
        finished = True
        if fresh or not self._untied:
            finished = self._fit_layers(lesson, context, data)
        if refining and finished:
            own = context.subcontext("refine", max_subtasks=self.refine_iter)
            own.call_on_fit_task_begin(estimator=self, **data)
            self._refine(lesson.table, self.refine_iter, self.refine_iter, own, data)
            self._end(own, data)
        self._end(context, data)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None, layer=None):
        """Go on learning: one pass over rows for each layer in turn, or for one.

        A pass is an epoch like those of :meth:`fit`, which it may precede or follow;
        but it knows of no last one, so ``schedule="linear"`` leaves ``learning_rate``
        as it is, and of several ``n_steps`` the last holds. Where ``fit`` refined the
        layers, a pass refines them all further.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            As for :meth:`fit`.
        layer : int, default=None
            The layer that learns, 0 at the bottom: one that is there, or the next.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As by :meth:`fit`; and there is no such layer, or the layers were refined
            and learn together now.
        """
        fresh = not hasattr(self, "layers_")
        untied = not fresh and bool(self._untied)
        if untied and layer is not None:
            raise ValueError(
                f"layer={layer}, but the layers were refined: they learn together now."
            )
        lesson = self._begin(X, sample_weight, fresh)
        last = len(lesson.machines) - 1
        if layer is not None:
            next_one = 0 if fresh else min(len(self.layers_), last)
            check_scalar(layer, "layer", Integral, min_val=0, max_val=next_one)
            last = layer
        if untied:
            self._refine(lesson.table, 1)
            return self
        for number in range(last + 1):
            if layer in (None, number):
                machine = self._machine(lesson, number)
                self._teach(machine.partial_fit, lesson, number, machine)
            if number < last:
                lesson = self._lifted(lesson, number)
        return self

    def _begin(self, X, sample_weight, fresh):
        """Validate everything; nothing is changed yet."""
        machines = self._machines()
        check_staircase("refine_steps", self.refine_steps, Integral, 1)
        if not fresh:
            self._check_unchanged(machines)
        if isinstance(X, Table):
            table, X = X, X.rows.X
        else:
            rows = self._rows(X, fitting=True, reset=fresh)
            table = tabulate(rows, sample_weight)
        self._settle(machines, table)
        if fresh:
            seed = check_random_state(self.random_state).randint(MAX_SEED)
        else:
            seed = self._seed
        for number, machine in enumerate(machines):
            if machine.random_state is None:
                machine.random_state = _number(seed, _LAYER, number)
        return Lesson(X, table, machines, fresh, seed)

    def _fit_layers(self, lesson, context, data):
        """Fit layer by layer; whether it came to the end."""
        for number in range(len(lesson.machines)):
            machine = self._machine(lesson, number)
            own = context.subcontext("layer")
            with own.propagate_callback_context(machine):
                own.call_on_fit_task_begin(estimator=self, **data)
                self._teach(machine.fit, lesson, number, machine)
                stop = self._end(own, data)
            if stop or machine._ended == "interrupted":
                return False
            if number + 1 < len(lesson.machines):
                lesson = self._lifted(lesson, number)
        return True

    def _complete(self, table):
        """Add the layers that training did not come to, as they begin."""
        lesson = self._begin(table, None, False)
        for number in range(len(lesson.machines)):
            if number:
                lesson = self._lifted(lesson, number - 1)
            if number >= len(self.layers_):
                machine = self._machine(lesson, number).set_params(n_iter=0)
                self._teach(machine.fit, lesson, number, machine)

    def _machine(self, lesson, number):
        """The machine of a layer that is to learn: the one there is, or a new one."""
        new = lesson.machines[number]
        if lesson.fresh or number >= len(self.layers_):
            if number and self.init == "transpose":
                rng = stream(lesson.seed, _MORE, number)
                new._given = transposed(new, self.layers_[number - 1], rng)
            return new
        old = self.layers_[number]
        options = new.get_params() | {"random_state": old.random_state}
        return old.set_params(**options | {"warm_start": True})

    def _teach(self, method, lesson, number, machine):
        """Let a machine learn, and make it a layer."""
        try:
            method(lesson.table)
        except DivergenceError:
            self._adopt(lesson, number, machine)
            raise
        self._adopt(lesson, number, machine)

    def _adopt(self, lesson, number, machine):
        layers = [] if lesson.fresh and number == 0 else list(self.layers_)
        layers[number : number + 1] = [machine]
        if lesson.fresh and number == 0:
            self._remember(lesson.X)
            self._seed = lesson.seed
            if hasattr(self, "feature_names_in_"):
                machine.feature_names_in_ = self.feature_names_in_
        self._become(self._attributes(layers))

    def _become(self, attributes):
        for name, value in attributes.items():
            setattr(self, name, value)
        self._forget()

    def _lifted(self, lesson, number):
        """The lesson of the next layer: a layer's means of the same rows."""
        machine, table = self.layers_[number], lesson.table
        rows = machine._domain.seen(table.rows, machine._columns)
        if rows.density < 1:
            # As lists or not, whatever rows are there beside those of the table.
            rows = rows._replace(density=density(table))
        H = machine._features(rows, table.index)
        rows = Rows(H, H.dtype.type, complete=True)
        table = table._replace(rows=rows, index=np.arange(len(H)))
        return lesson._replace(table=table)

    def _refine(self, table, n_iter, n_epochs=None, context=None, data=None):
        """Epochs of learning together."""
        bottom, layers = self.layers_[0], self._directed()
        rows = bottom._domain.seen(table.rows, bottom._columns)
        updown = UpDown(
            layers,
            self.layers_,
            table._replace(rows=rows),
            _number(self._seed, _REFINE),
            len(self._losses),
            self.refine_learning_rate,
            self.refine_steps,
        )

        def attributes(state, losses=()):
            top = copy(self.layers_[-1])
            vars(top).update(top._attributes(state.top))
            top._forget()
            ways, losses = updown.ways(state), [*self._losses, *losses]
            return self._attributes([*self.layers_[:-1], top], ways, losses)

        hooks, name = [], f"{type(self).__name__} refinement"
        if context:
            hooks.append(Callbacks(self, context, data, attributes))
            hooks += [Verbose(name, "bound")] if self.verbose else []
        with one_blas_thread():
            state = updown.start()
            outcome = train(
                state,
                updown.step,
                updown.draw,
                updown.measure,
                epochs=range(n_iter),
                n_epochs=n_epochs,
                loss_limit=updown.limit(state),
                hooks=hooks,
            )
        self._become(attributes(outcome.state, outcome.losses))
        rate = self.refine_learning_rate
        remedy = f"Lower refine_learning_rate (now {rate:g})."
        report(outcome, n_iter, name, remedy)

    def _end(self, context, data):
        """Say that a task has ended; whether to stop."""
        # What is fitted is there already.
        return context.call_on_fit_task_end(
            estimator=self, reconstruction_attributes=dict, **data
        )


def _number(seed, *tags):
    """Another seed."""
    return stream(seed, *tags).root % MAX_SEED
