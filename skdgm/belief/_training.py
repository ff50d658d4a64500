"""Training of belief networks: layer by layer [1]_, then of all layers jointly.

References
----------
.. [1] Hinton, Osindero and Teh (2006). A fast learning algorithm for deep belief nets.
   Neural Computation.
"""

from copy import copy

import numpy as np

from skdgm.base import KEPT, Component, Epochs, report
from skdgm.belief._stack import LAYER, MORE, Stack, derived_seed, transposed
from skdgm.boltzmann._learning.state import filled
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows
from skdgm.utils.threading.threads import Held


class Training:
    """Machines of a network that learn from a table, one from the other.

    Each layer that is trained becomes a fitted attribute of the network at once, and
    ``before`` is cleared, which is as of a :class:`~skdgm.base.Fit`. Training continues
    from the network's ``layers_``, ``_untied`` and ``_losses``, which are empty at
    first. The table may be given to :meth:`adapt` by its size alone.
    """

    def __init__(self, network, table=None, before=None):
        self.network, self.machines = network, network._machines()
        self.table = self.reached = table
        self.before, self.depth = [] if before is None else before, 0
        names = getattr(network, "feature_names_in_", None)
        self.names = vars(network).pop("_names", names)
        if table is not None:
            self.adapt(table)

    def adapt(self, table):
        """Set the options of machines that depend on a table, or on its size alone."""
        network = self.network
        given = self.machines, network._options, table, network._UPDATES
        network._MODEL.adapt(*given)

    def complete(self):
        """Add the layers that training did not reach, at their initial parameters."""
        for number in range(len(self.network.layers_), len(self.machines)):
            machine = self.machine(number).set_params(n_iter=0)
            self.train(machine.fit, self.below(number), number, machine)

    def below(self, number):
        """Table that a layer learns from: means of the hidden units below it."""
        while self.depth < number:
            self.reached = above(self.network.layers_[self.depth], self.reached)
            self.depth += 1
        return self.reached

    def machine(self, number):
        """Machine of a layer about to be trained: the fitted one, or a new one."""
        new, layers = self.machines[number], self.network.layers_
        if number >= len(layers):
            if new.random_state is None:
                new.random_state = derived_seed(self.network._seed, LAYER, number)
            if number and self.network._options.init_layers == "transpose":
                rng = stream(self.network._seed, MORE, number)
                new._given = transposed(new, layers[number - 1], rng)
            return new
        # Copies of the estimator may share the old machine, so it stays unchanged.
        old = copy(layers[number])
        options = new.get_params() | {"random_state": old.random_state}
        return old.set_params(**options | {"warm_start": True})

    def train(self, method, table, number, machine):
        """Train a machine and add it; after errors, if it keeps learned parameters."""
        network = self.network
        if network._MODEL.labelled and number == len(self.machines) - 1:
            machine.classes_ = network.classes_
        if number == 0 and self.names is not None:
            machine._names = self.names
        try:
            method(table, None)
        except KEPT:
            if hasattr(machine, "n_iter_"):
                self._add(number, machine)
            raise
        self._add(number, machine)

    def _add(self, number, machine):
        with Held():
            if number == 0 and hasattr(self.network, "feature_names_in_"):
                machine.feature_names_in_ = self.network.feature_names_in_
            self.network._update(self.with_machine(number, machine))
            self.before.clear()

    def with_machine(self, number, machine):
        """Fitted attributes of the network with one of the machines."""
        layers = list(self.network.layers_)
        layers[number : number + 1] = [machine]
        return self.network._attributes(Stack(layers))


class Layer(Component):
    """Stage in which one layer learns from the means of the hidden units below it."""

    task = "layer"

    def __init__(self, training, number, method="fit"):
        self.training, self.number, self.method = training, number, method
        self.key = f"layer {number}"

    def begin(self, fit):
        """The machine; of an unfinished one the record takes the place."""
        network, number = fit.estimator, self.number
        self.training.before = fit.before
        if fit.record.at(self):
            left = fit.record.start["layers_"][number:]
            network.layers_ = [*network.layers_[:number], *left]
        self.table = self.training.below(number)
        return self.training.machine(number)

    def fit(self, component):
        method = getattr(component, self.method)
        self.training.train(method, self.table, self.number, component)
        return component._ended != "interrupted"

    def attributes(self, component):
        return self.training.with_machine(self.number, component)

    def component_of(self, source):
        return source.layers_[self.number]


class Refinement(Epochs):
    """Stage in which all layers learn jointly."""

    key = task = "refine"

    def __init__(self, network, table, n_iter, whole=True):
        self.network, self.table, self.epochs = network, table, range(n_iter)
        self.name = f"{type(network).__name__} refinement"
        self.n_epochs = n_iter if whole else None

    def begin(self, fit):
        network = self.network
        if fit.record.at(self):
            own, source = fit.record.start, fit.record.source
            stack = Stack(source.layers_, source._untied, own["_losses"])
            network._update(network._attributes(stack))
        model = network.density_
        rows = model.domain.seen(self.table.rows, model.columns)
        self.table, self.losses = self.table._replace(rows=rows), network._losses
        self.objective = network._objective(self.table, len(self.losses))
        return self.objective, None

    def attributes(self, state, progress=None):
        losses = [*self.losses, *(() if progress is None else progress.losses)]
        stack = Stack(*self.objective.fitted(state), losses)
        return self.network._attributes(stack)

    def restored(self, source, memory):
        """None: the objective begins with the layers as they are."""

    def keep(self, fit):
        with Held():
            self.network._update(self.attributes(self.learned.state, self.learned))
            fit.before.clear()

    def report(self, watch):
        rate = self.network._options.refine_learning_rate
        remedy = f"Lower refine_learning_rate (now {rate:g})."
        report(self.learned, len(self.epochs), self.name, remedy)


def above(machine, table):
    """Means of a fitted machine's hidden units, as the table of the next layer."""
    layer = machine.density_
    rows = layer.domain.seen(table.rows, layer.columns)
    if rows.density < 1:
        # The table alone decides on lists, not other rows of X.
        rows = rows._replace(density=filled(table))
    H = layer.features_of(rows, table.index)
    given = rows.given and rows.given.take(table.index)
    rows = Rows(H, H.dtype.type, complete=True, given=given)
    return table._replace(rows=rows, index=np.arange(len(H)))
