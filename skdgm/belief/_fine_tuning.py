r"""Training of tuned belief networks: unsupervised first, then supervised.

.. math:: h^k = \sigma(c^k + h^{k-1} R^k), \qquad z = h^L W + b

The recognition of a belief network is a feed-forward net. With an output layer on top,
it is trained by back-propagation [1]_. A layer without pre-training starts from random
weights, as in an ordinary net.

References
----------
.. [1] Hinton and Salakhutdinov (2006). Reducing the dimensionality of data with neural
   networks. Science.
"""

import re

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base import KEPT, Component, Fit, Record, Task
from skdgm.base.attributes import shallow
from skdgm.base.fits import asked_of
from skdgm.belief._stack import check_same
from skdgm.belief._training import Training
from skdgm.data import for_callbacks, tabulate
from skdgm.data.streams import streamed
from skdgm.exceptions import DivergenceError
from skdgm.nets import Layer, NetState, Tuner, init
from skdgm.training import labelled
from skdgm.utils.counts import per_layer
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import Held

# Beginning of an error about a machine's option.
_OF_LAYER = re.compile(r".* layer (\d+): The '(\w+)' parameter of \w+ (.*)", re.S)
# Hidden units of restricted Boltzmann machines are logistic.
ACTIVATION = "logistic"
# Names of the pre-training parameters in a DBN.
PRETRAINING = {
    "pretrain_iter": "n_iter",
    "pretrain_learning_rate": "learning_rate",
    "pretrain_batch_size": "batch_size",
    "pretrain_gradient": "gradient",
    "pretrain_steps": "n_steps",
}


class Tuning:
    """Run of ``fit`` or ``partial_fit`` of a tuned network; ``before`` is as of a
    :class:`~skdgm.base.Fit`."""

    def __init__(self, network, before):
        self.network, self.before = network, before

    def fit(self, X, y, sample_weight):
        """Pre-train, unless training continues, and fine-tune."""
        network = self.network
        fresh = not (network.warm_start and hasattr(network, "coefs_"))
        dbn, rows, table = self.begin(X, y, sample_weight, fresh)
        if not len(table.index):
            raise ValueError(
                f"{type(network).__name__} has nothing to learn: no row with a target "
                "has a weight above zero."
            )
        data = for_callbacks(table.rows.X, y, sample_weight)
        task = Task.whole(network, data, 1 + fresh)
        record = Record.of(network, *([rows] if fresh else []), table)
        stages = self.stages(dbn, rows, table, range(network._n_epochs(table)), True)
        Fit(network, self.before, task, record).run(stages)
        task.end()

    def partial_fit(self, X, y, sample_weight, classes=None):
        """Pre-train at the first call, and fine-tune for one epoch."""
        network = self.network
        fresh = not hasattr(network, "coefs_")
        dbn, rows, table = self.begin(X, y, sample_weight, fresh, classes)
        epochs = range(network.n_iter_, network.n_iter_ + 1)
        stages = self.stages(dbn, rows, table, epochs, False)
        Fit(network, self.before).run(stages)

    def stages(self, dbn, rows, table, epochs, whole):
        """Pre-training, if there are rows for it, and back-propagation."""
        if rows is not None:
            yield PreTraining(self, dbn, rows)
        if len(table.index):
            seen = self.network._domain.seen(table.rows, self.network._columns)
            given = table._replace(rows=seen), epochs, False, whole
            for stage in self.network._stages(*given):
                stage.task = "fine-tuning"
                yield stage

    def begin(self, X, y, sample_weight, fresh, classes=None):
        """Validate all inputs, and only then change the network's attributes.

        Returns the unfitted DBN; a table of all rows, or None without pre-training; and
        one of the rows with a target, which is their label.
        """
        network, dbn = self.network, self.unfitted(fresh)
        X = streamed(X, network)
        rows = network._rows(X, fitting=True, reset=fresh)
        table, known = network._label(rows, y, fresh, classes)
        table = labelled(tabulate(table, sample_weight, in_memory=False))
        if not fresh:
            return dbn, None, table
        rows = tabulate(rows, sample_weight)
        self.start(known, table)
        network._remember(X)
        return dbn, rows, table

    def start(self, known, table):
        """Begin anew, given attributes that are known of targets, and a table with
        these."""
        network = self.network
        vars(network).update(known)
        network._count(table, True)
        network._seed = check_random_state(network.random_state).randint(MAX_SEED)
        network.n_iter_, network.loss_curve_, network.validation_curve_ = 0, [], []

    def unfitted(self, fresh):
        """Validate the options, and return the network to pre-train."""
        network = self.network
        network._asked = asked_of(network)
        network._check_options()
        dbn = self._unfitted_dbn()
        try:
            machines = dbn._machines()
        except ValueError as error:
            raise self._reworded(error) from error
        if not fresh:
            check_same(network.dbn_.layers_, machines)
        return dbn

    def _reworded(self, error):
        """Error about a machine's option by the name of the network's own, if it is
        that which gives it."""
        found = _OF_LAYER.fullmatch(str(error))
        names = {theirs: own for own, theirs in PRETRAINING.items()}
        if self.network._options.layers is not None or not found:
            return error
        number, option, rest = found.groups()
        if option not in names:
            return error
        who = type(self.network).__name__
        return ValueError(
            f"The {names[option]!r} parameter of {who}, of layer {number}, {rest}"
        )

    def _unfitted_dbn(self):
        network, asked = self.network, self.network._options
        if asked.layers is None:
            depth = network._depth(asked)
            for name in PRETRAINING:
                per_layer(name, getattr(asked, name), depth)
        options = {theirs: getattr(asked, name) for name, theirs in PRETRAINING.items()}
        options |= {name: getattr(asked, name) for name in network._STRUCTURE}
        dbn = network._NETWORK(feature_layer=-1, verbose=network.verbose, **options)
        # What tuning begins with need not be learned for longer than it takes itself.
        dbn._UPDATES = network._BUDGET.n_updates
        dbn._title = f"{type(network).__name__} pre-training"
        return dbn

    def pretrain(self, dbn, table, fit=None):
        """Pre-train an unfitted network, and begin the net with its recognition;
        ``fit()`` may train all layers in place of the network's own ``fit`` to a table.
        Return whether training ran to its end."""
        network, failure = self.network, None
        try:
            if hasattr(network, "feature_names_in_"):
                dbn._names = network.feature_names_in_
            dbn.fit(table) if fit is None else fit()
        except DivergenceError as error:
            name = type(network).__name__
            raise DivergenceError(
                f"{error.what}, and {name} is what it was before. {error.far}Lower "
                f"pretrain_learning_rate (now {network.pretrain_learning_rate}) or "
                f"raise pretrain_batch_size (now {network.pretrain_batch_size})."
            ) from error
        except KEPT as error:
            if fit is not None or not hasattr(dbn, "layers_"):
                raise
            failure = error
        finished = len(dbn.layers_) == len(dbn._machines())
        finished = finished and dbn.layers_[-1]._ended != "interrupted"
        with Held():
            if fit is None:
                Training(dbn, table).complete()
            if hasattr(network, "feature_names_in_"):
                for part in dbn, dbn.layers_[0]:
                    part.feature_names_in_ = network.feature_names_in_
            vars(network).update(self.given(dbn))
            self.before.clear()
        if failure:
            raise failure
        return finished

    def given(self, dbn):
        """Fitted attributes before fine-tuning, given the pre-trained network."""
        new = shallow(self.network)
        new.dbn_ = dbn
        return {"dbn_": dbn, **new._attributes(NetState(_initial_net(new)))}


class PreTraining(Component):
    """Stage in which the network is trained whose recognition the net begins with."""

    key = task = "pre-training"

    def __init__(self, tuning, dbn, rows):
        self.tuning, self.dbn, self.rows = tuning, dbn, rows

    def begin(self, fit):
        # The seed may be that of an earlier run.
        return self.dbn.set_params(random_state=fit.estimator._seed)

    def fit(self, component):
        return self.tuning.pretrain(component, self.rows)

    def attributes(self, component):
        return self.tuning.given(component)

    def component_of(self, source):
        return source.dbn_


def _initial_net(network):
    """Layers of a net before fine-tuning; its output layer is zero."""
    machines, dtype = network.dbn_.layers_, network._dtype
    layers = network.density_.directed(n_layers=len(machines))
    rng = stream(network._seed, Tuner.INIT).generator()
    given = []
    for machine, layer in zip(machines, layers):
        shape = layer.recognition.couplings[0].shape
        (first,) = init(rng, shape, ACTIVATION, dtype)
        given.append(_as_net(layer, dtype) if machine.n_iter_ else first)
    n_outputs = network.n_outputs_
    W = np.zeros((network.density_.widths[-1], n_outputs), dtype)
    return (*given, Layer(W, np.zeros(n_outputs, dtype)))


def _as_net(layer, dtype):
    """Convert a layer's recognition to a layer of a net.

    The weights of real units apply to their statistics, which are multiples of the
    values.
    """
    (below, above), (W,) = layer.recognition
    ones = np.ones((1, layer.units[0].size), dtype)
    scale = np.asarray(layer.units[0].statistic(below, ones)).reshape(-1, 1)
    if len(scale) != len(W):
        # Filters are the same at all pixels, of which none has a scale of its own.
        scale = scale[:1]
    return Layer((W * scale).astype(dtype), above.astype(dtype))
