"""Greedy layer-wise learning of a stack of machines."""

from copy import copy
from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base import KEPT, replacing, rolled_back
from skdgm.belief._stack import transposed
from skdgm.boltzmann._trainer import density
from skdgm.data import tabulate
from skdgm.optim import check_piecewise
from skdgm.training import Table
from skdgm.utils.layers import chosen
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.rows import Rows

# Tags of the random streams of a seed: of the machines, and of extra weights.
_LAYER, _MORE = range(100, 102)


class Lesson(NamedTuple):
    """Validated inputs of a call of ``fit`` or ``partial_fit``.

    Parameters
    ----------
    X : array-like
        Data as given.
    table : Table
        Training rows.
    machines : list of estimators
        Unfitted, one for each layer.
    known : dict
        Facts learned from the labels, by attribute name.
    fresh : bool
        True if earlier fits are to be forgotten.
    seed : int
    """

    X: object
    table: Table
    machines: list
    known: dict
    fresh: bool
    seed: int


class GreedyMixin:
    """Mixin that trains each layer on the hidden units of the layer below."""

    @rolled_back(kept=())
    def _begin(self, X, y, sample_weight, fresh, classes=None):
        """Validate all inputs, before anything is changed."""
        self._ask()
        machines = self._machines()
        check_piecewise("refine_steps", self._options.refine_steps, Integral, 1)
        chosen(self._options.feature_layer, len(machines))
        if not fresh:
            self._check_unchanged(machines)
        if isinstance(X, Table):
            table, known, X = X, {}, X.rows.X
        else:
            rows = self._rows(X, fitting=True, reset=fresh)
            rows, known = self._labelled(rows, y, fresh, classes)
            table = tabulate(rows, sample_weight)
        self._settle(machines, table)
        if fresh:
            seed = check_random_state(self.random_state).randint(MAX_SEED)
        else:
            seed = self._seed
        for number, machine in enumerate(machines):
            if machine.random_state is None:
                machine.random_state = another(seed, _LAYER, number)
        return Lesson(X, table, machines, known, fresh, seed)

    def _labelled(self, rows, y, fresh, classes):
        """Rows with their labels, and facts learned from these, by attribute name."""
        return rows, {}

    def _fit_layers(self, lesson, context, data):
        """Fit layer by layer; return whether training ran to its end."""
        for number in range(len(lesson.machines)):
            machine = self._machine(lesson, number)
            own = context.subcontext("layer")
            with own.propagate_callback_context(machine):
                own.call_on_fit_task_begin(estimator=self, **data)
                self._teach(machine.fit, lesson, number, machine)
                stop = ended(self, own, data)
            if stop or machine._ended == "interrupted":
                return False
            if number + 1 < len(lesson.machines):
                lesson = self._lifted(lesson, number)
        return True

    def _complete(self, table):
        """Add the layers that training did not reach, at their initial parameters."""
        lesson = self._begin(table, None, None, False)
        for number in range(len(lesson.machines)):
            if number:
                lesson = self._lifted(lesson, number - 1)
            if number >= len(self.layers_):
                machine = self._machine(lesson, number).set_params(n_iter=0)
                self._teach(machine.fit, lesson, number, machine)

    def _machine(self, lesson, number):
        """Machine of a layer about to be trained: the fitted one, or a new one."""
        new = lesson.machines[number]
        if lesson.fresh or number >= len(self.layers_):
            if number and self._options.init == "transpose":
                rng = stream(lesson.seed, _MORE, number)
                new._given = transposed(new, self.layers_[number - 1], rng)
            return new
        # Copies of the estimator may share the old machine, so it stays unchanged.
        old = copy(self.layers_[number])
        options = new.get_params() | {"random_state": old.random_state}
        return old.set_params(**options | {"warm_start": True})

    def _teach(self, method, lesson, number, machine):
        """Train a machine and make it a layer."""
        try:
            method(lesson.table, None)
        except KEPT:
            if hasattr(machine, "n_iter_"):
                self._adopt(lesson, number, machine)
            raise
        self._adopt(lesson, number, machine)

    def _adopt(self, lesson, number, machine):
        layers = [] if lesson.fresh and number == 0 else list(self.layers_)
        layers[number : number + 1] = [machine]
        with replacing(self) as new:
            if lesson.fresh and number == 0:
                new._remember(lesson.X)
                new._seed = lesson.seed
                vars(new).update(lesson.known)
                if hasattr(new, "feature_names_in_"):
                    machine.feature_names_in_ = new.feature_names_in_
            new._become(new._attributes(layers))

    def _become(self, attributes):
        self._forget()
        vars(self).update(attributes)

    def _lifted(self, lesson, number):
        """Lesson of the next layer: means of this layer's units for the same rows."""
        machine, table = self.layers_[number], lesson.table
        rows = machine._domain.seen(table.rows, machine._columns)
        if rows.density < 1:
            # The table alone decides on lists, not other rows of X.
            rows = rows._replace(density=density(table))
        H = machine._features(rows, table.index)
        labels = None if rows.labels is None else rows.labels[table.index]
        rows = Rows(H, H.dtype.type, complete=True, labels=labels)
        table = table._replace(rows=rows, index=np.arange(len(H)))
        return lesson._replace(table=table)


def ended(estimator, context, data):
    """Report the end of a task to callbacks; return whether to stop."""
    # All fitted attributes are set already.
    return context.call_on_fit_task_end(
        estimator=estimator, reconstruction_attributes=dict, **data
    )


def another(seed, *tags):
    """Derive another seed, of the given tags, from a seed."""
    return stream(seed, *tags).root % MAX_SEED
