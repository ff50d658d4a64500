"""Training of belief networks: layer by layer [1]_, then of all layers jointly.

References
----------
.. [1] Hinton, Osindero and Teh (2006). A fast learning algorithm for deep belief nets.
   Neural Computation.
"""

from copy import copy

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base import KEPT, Stage, report
from skdgm.base.fits import asked_of
from skdgm.belief._record import StackRecord
from skdgm.belief._stack import (
    Stack,
    check_same,
    requested,
    set_epochs,
    transposed,
)
from skdgm.boltzmann._learning.state import density
from skdgm.data import for_callbacks, tabulate
from skdgm.data.streams import streamed
from skdgm.training import Table, optimise
from skdgm.utils.counts import chosen, count
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.rows import Rows
from skdgm.utils.threading.threads import Held, one_blas_thread

# Tags of the random streams of a seed: of machines, of extra weights, of refinement.
_LAYER, _MORE, REFINE = range(100, 103)


class Training:
    """Run of ``fit`` or ``partial_fit`` of a network.

    Each layer that is trained becomes a fitted attribute of the network at once.

    Parameters
    ----------
    network : BeliefNetwork
        Its attributes ``layers_``, ``_untied`` and ``_losses`` are those to continue
        from, empty at first.
    before : list, optional
        Record of :func:`~skdgm.base.rollback`, cleared when a layer has been trained.
    """

    def __init__(self, network, before=None):
        self.network, self.names = network, None
        self.before = [] if before is None else before

    def fit(self, X, y, sample_weight):
        """Train layer by layer, then refine all layers if the options say so."""
        network = self.network
        fresh = not (network.warm_start and hasattr(network, "layers_"))
        self.begin(X, y, sample_weight, fresh)
        record = StackRecord(network, self.table)
        depth, n_epochs = len(self.machines), network._options.refine_iter
        # With a single layer there is nothing to learn jointly.
        refining = network._options.refine is not None and depth > 1
        data = for_callbacks(self.table.rows.X, y, sample_weight)
        stage, finished = Stage.whole(network, data, depth + refining), True
        if not (network._untied or record.complete):
            finished = self.fit_layers(stage, record)
        if refining and finished and not record.complete:
            with stage.part("refine", n_epochs) as part:
                finished = self.refine(n_epochs, part, record)
            finished = finished and not part.stopped
        if finished:
            record.finish()
        stage.end()

    def partial_fit(self, X, y, sample_weight, classes=None, layer=None):
        """Train all layers, or one of them, by one pass over the rows."""
        network = self.network
        fresh = not hasattr(network, "layers_")
        untied = not fresh and bool(network._untied)
        if untied and layer is not None:
            raise ValueError(
                f"layer={layer}, but the layers were refined: they learn together now."
            )
        self.begin(X, y, sample_weight, fresh, classes)
        table, last = self.table, len(self.machines) - 1
        if layer is not None:
            layer = last = count(layer, "layer", 0, min(len(network.layers_), last))
        if untied:
            self.refine(1)
            return
        for number in range(last + 1):
            table = table if number == 0 else self._above(number - 1, table)
            if layer in (None, number):
                machine = self.machine(number)
                self.train(machine.partial_fit, table, number, machine)

    def begin(self, X, y, sample_weight, fresh, classes=None):
        """Validate all inputs, and only then change the network's attributes."""
        network = self.network
        network._asked = options = asked_of(network)
        self.machines = machines = requested(network)
        network._check_options()
        chosen(options.feature_layer, len(machines))
        if not fresh:
            check_same(network.layers_, machines)
        if isinstance(X, Table):
            table, known, X = X, {}, X.rows.X
        else:
            X = streamed(X, network)
            rows = network._rows(X, fitting=True, reset=fresh)
            rows, known = network._label(rows, y, fresh, classes)
            table = tabulate(rows, sample_weight)
        self.table = table
        self.adapt(table)
        if fresh:
            network._remember(X)
            network._seed = check_random_state(network.random_state).randint(MAX_SEED)
            vars(network).update(known, layers_=[], _untied=(), _losses=[])
            network._count(table, fresh)
        names = getattr(network, "feature_names_in_", None)
        self.names = vars(network).pop("_names", names)

    def adapt(self, table):
        """Set the options of machines that depend on a table, or on its size alone."""
        network = self.network
        network._adapt(self.machines, table.rows.shape[1])
        set_epochs(self.machines, network._options, table, network._UPDATES)

    def fit_layers(self, stage, record):
        """Train all layers to their end, one by one from the bottom up.

        Parameters
        ----------
        stage : Stage
        record : StackRecord
            Layers before its ``number`` are complete.

        Returns
        -------
        finished : bool
            False if a callback asked to stop, or training was interrupted.
        """
        table = self.table
        for number in range(len(self.machines)):
            table = table if number == 0 else self._above(number - 1, table)
            if number < record.number:
                continue
            machine = self.machine(number)
            machine._part_of = record.part(number)
            with stage.part("layer", component=machine) as part:
                self.train(machine.fit, table, number, machine)
            if part.stopped or machine._ended == "interrupted":
                return False
        return True

    def complete(self, table):
        """Add the layers that training did not reach, at their initial parameters."""
        self.begin(table, None, None, fresh=False)
        for number in range(len(self.machines)):
            table = table if number == 0 else self._above(number - 1, table)
            if number >= len(self.network.layers_):
                machine = self.machine(number).set_params(n_iter=0)
                self.train(machine.fit, table, number, machine)

    def refine(self, n_iter, stage=None, record=None):
        """Run epochs of joint refinement.

        Parameters
        ----------
        n_iter : int
        stage : Stage, optional
            Stage of ``fit``; by default the total number of epochs is unknown.
        record : StackRecord, optional
            Of ``fit``. Where it knows of an earlier run, the layers are those at the
            end of it.

        Returns
        -------
        finished : bool
            False if training was interrupted.
        """
        network, asked = self.network, self.network._options
        model = network.density_
        rows = model.domain.seen(self.table.rows, model.columns)
        table, losses = self.table._replace(rows=rows), network._losses
        objective = network._objective(table, len(losses))

        def attributes(state, more=()):
            stack = Stack(*objective.fitted(state), [*losses, *more])
            return network._attributes(stack)

        name, options = f"{type(network).__name__} refinement", {}
        if stage is not None:
            hooks = stage.hooks(name, objective, attributes)
            options = {"n_epochs": n_iter, "hooks": hooks}
        if record is not None:
            options["keeper"] = record.refinement(attributes)
        with one_blas_thread():
            learned, _ = optimise(objective, table, range(n_iter), **options)
        with Held():
            network._update(attributes(learned.state, learned.losses))
            self.before.clear()
        rate = asked.refine_learning_rate
        remedy = f"Lower refine_learning_rate (now {rate:g})."
        report(learned, n_iter, name, remedy)
        return learned.ended != "interrupted"

    def machine(self, number):
        """Machine of a layer about to be trained: the fitted one, or a new one."""
        new, layers = self.machines[number], self.network.layers_
        if number >= len(layers):
            if new.random_state is None:
                seed = derived_seed(self.network._seed, _LAYER, number)
                new.random_state = seed
            if number and self.network._options.init_layers == "transpose":
                rng = stream(self.network._seed, _MORE, number)
                new._given = transposed(new, layers[number - 1], rng)
            return new
        # Copies of the estimator may share the old machine, so it stays unchanged.
        old = copy(layers[number])
        options = new.get_params() | {"random_state": old.random_state}
        return old.set_params(**options | {"warm_start": True})

    def train(self, method, table, number, machine):
        """Train a machine and add it; after errors, if it keeps learned parameters."""
        network = self.network
        if network._LABELLED and number == len(self.machines) - 1:
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
        layers = list(self.network.layers_)
        layers[number : number + 1] = [machine]
        with Held():
            if number == 0 and hasattr(self.network, "feature_names_in_"):
                machine.feature_names_in_ = self.network.feature_names_in_
            self.network._update(self.network._attributes(Stack(layers)))
            self.before.clear()

    def _above(self, number, table):
        return above(self.network.layers_[number], table)


def above(machine, table):
    """Means of a fitted machine's hidden units, as the table of the next layer."""
    layer = machine.density_
    rows = layer.domain.seen(table.rows, layer.columns)
    if rows.density < 1:
        # The table alone decides on lists, not other rows of X.
        rows = rows._replace(density=density(table))
    H = layer.features_of(rows, table.index)
    given = rows.given and rows.given.take(table.index)
    rows = Rows(H, H.dtype.type, complete=True, given=given)
    return table._replace(rows=rows, index=np.arange(len(H)))


def derived_seed(seed, *tags):
    """Seed of a component, derived from a seed and tags."""
    return stream(seed, *tags).root % MAX_SEED
