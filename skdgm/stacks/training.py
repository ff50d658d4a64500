"""Greedy training of stacks, layer by layer from the bottom up [1]_.

References
----------
.. [1] Bengio, Lamblin, Popovici and Larochelle (2007). Greedy layer-wise training of
   deep networks. NeurIPS.
"""

from copy import copy
from numbers import Real

import numpy as np

from skdgm.base import KEPT, Component
from skdgm.base.parts import (
    attributes_of,
    begins_a_net,
    in_units_of,
    model_of,
    options_of,
    seed_of,
    set_role,
    set_state,
    updates_of,
    was_interrupted,
)
from skdgm.exceptions import DivergenceError
from skdgm.stacks.model import derived_seed, unfitted_machines
from skdgm.training import filled
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows
from skdgm.utils.threading.threads import DeferredInterrupt

# Tags of the random streams of machines, and of their initial parameters.
LAYER, MORE = 100, 101
# Number of times that a layer starts again after divergence.
RESTARTS = 3


class Training:
    """Training of the machines of a network, each on the features of the machine below.

    A trained layer becomes a fitted attribute of the network at once, and ``before`` is
    cleared, as in :class:`~skdgm.base.Fit`. Training continues from the network's
    ``layers_``, which are empty at first. If there is no table, :meth:`adapt` takes its
    size.
    """

    def __init__(self, network, table=None, before=None):
        self.network, self.machines = network, unfitted_machines(network)
        for machine in self.machines:
            set_role(machine, begins_a_net=begins_a_net(network))
        self.table = self.reached = table
        self.before, self.depth = [] if before is None else before, 0
        names = getattr(network, "feature_names_in_", None)
        self.names = network.__dict__.pop("_names", names)
        if table is not None:
            self.adapt(table)

    def adapt(self, table):
        """Set the options of machines that depend on a table, or only on its size."""
        network, model = self.network, model_of(self.network)
        model.adapt(self.machines, options_of(network), table, updates_of(network))

    def complete(self):
        """Add the layers that training did not reach, with initial parameters."""
        for number in range(len(self.network.layers_), len(self.machines)):
            machine = self.machine(number).set_params(n_iter=0)
            self.train(machine.fit, self.below(number), number, machine)

    def below(self, number):
        """Table that a layer learns from: features of the layer below, in the units of
        the layer if it is fitted."""
        while self.depth < number:
            self.reached = above(self.network.layers_[self.depth], self.reached)
            self.depth += 1
        if number == len(self.network.layers_):
            return self.reached
        return in_units_of(self.network.layers_[number], self.reached)

    def machine(self, number):
        """Machine of a layer before training: the fitted machine, or a new one."""
        network, new = self.network, self.machines[number]
        layers = network.layers_
        if number >= len(layers):
            if new.random_state is None:
                new.random_state = derived_seed(seed_of(network), LAYER, number)
            if number:
                rng = stream(seed_of(network), MORE, number)
                model_of(network).begin(
                    new, layers[number - 1], options_of(network), rng
                )
            return new
        # Copies of the estimator may share the old machine, which must not change.
        old = copy(layers[number])
        options = new.get_params(deep=False) | {"random_state": old.random_state}
        return old.set_params(**options | {"warm_start": True})

    def train(self, method, table, number, machine):
        """Train a machine and add it to the network; after an error, add it if it has
        learned parameters."""
        network = self.network
        if model_of(network).labeled and number == len(self.machines) - 1:
            machine.classes_ = network.classes_
        if number == 0 and self.names is not None:
            set_role(machine, names=self.names)
        try:
            self._run(method, table, machine)
        except KEPT:
            if hasattr(machine, "n_iter_"):
                self._add(number, machine)
            raise
        self._add(number, machine)

    def _run(self, method, table, machine):
        """Run a method that trains a machine; after divergence, start again at half the
        learning rate, ``RESTARTS`` times at most."""
        rate = machine.learning_rate
        can_restart = method == machine.fit and not machine.warm_start
        can_restart &= isinstance(rate, Real)
        for left in reversed(range(RESTARTS + 1)):
            try:
                return method(table, None)
            except DivergenceError:
                if not (left and can_restart):
                    raise
                rate = rate / 2
                machine.set_params(learning_rate=rate)
                if machine.verbose:
                    print(f"Training diverged: it restarts with learning_rate={rate:g}")

    def _add(self, number, machine):
        with DeferredInterrupt():
            if number == 0 and hasattr(self.network, "feature_names_in_"):
                machine.feature_names_in_ = self.network.feature_names_in_
            set_state(self.network, self._stack_with(number, machine))
            self.before.clear()

    def _stack_with(self, number, machine):
        """State of the network with a machine in one of its layers."""
        layers = list(self.network.layers_)
        layers[number : number + 1] = [machine]
        return model_of(self.network).stack(layers)

    def with_machine(self, number, machine):
        """Fitted attributes of the network with a machine in one of its layers."""
        return attributes_of(self.network, self._stack_with(number, machine))


class LayerStage(Component):
    """Stage in which one layer learns from the features of the layer below."""

    task = "layer"

    def __init__(self, training, number, method="fit"):
        self.training, self.number, self.method = training, number, method
        self.key = f"layer {number}"

    def begin(self, fit):
        """Machine of the layer; a record replaces an unfinished machine."""
        network, number = fit.estimator, self.number
        self.training.before = fit.former
        if fit.record.at(self):
            left = fit.record.start["layers_"][number:]
            network.layers_ = [*network.layers_[:number], *left]
        self.table = self.training.below(number)
        return self.training.machine(number)

    def fit(self, component):
        method = getattr(component, self.method)
        self.training.train(method, self.table, self.number, component)
        return not was_interrupted(component)

    def attributes(self, component):
        return self.training.with_machine(self.number, component)

    def component_of(self, source):
        return source.layers_[self.number]


def above(machine, table):
    """Features of a fitted machine, as the table of the next layer."""
    layer = machine.density_
    rows = layer.domain.in_units(table.rows, layer.columns)
    if rows.density < 1:
        # The format follows from the rows of the table, not from other rows of X.
        rows = rows._replace(density=filled(table))
    H = layer.features_of(rows, table.index)
    given = rows.given and rows.given.take(table.index)
    rows = Rows(H, H.dtype.type, complete=True, given=given)
    return table._replace(rows=rows, index=np.arange(len(H)))
