r"""Fine-tuning of a deep Boltzmann machine as a feed-forward network.

.. math:: h^1 = \sigma(c_1 + W^{1 \top} v + W^2 q^2), \qquad h^l = \sigma(c_l +
   W^{l \top} h^{l - 1}), \qquad p(y \mid v) = \operatorname{softmax}_y(d + U^\top h^L)

The machine infers the means :math:`q^2` of the second hidden layer by mean field
without the label. They are additional inputs of the network, which stay fixed [1]_
[2]_. The network is initialized with the machine's weights, and then trained
separately.

References
----------
.. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
.. [2] Goodfellow, Bengio and Courville (2016). Deep Learning, figure 20.4. MIT Press.
"""

from types import SimpleNamespace

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skdgm.base import Epochs, by_blocks, report
from skdgm.base.parts import facts_of
from skdgm.energies import Params, layered, plain
from skdgm.inference import mean_field
from skdgm.nets import (
    Layer,
    NetState,
    Tuner,
    dropped,
    forward,
    softmax_cross_entropy,
)
from skdgm.training import Budget, Run
from skdgm.utils.threading.callers import warn

_ACTIVATION = "logistic"
# Number of epochs with n_iter="auto".
_BUDGET = Budget(1_500, 50, 300)
# Fitted attributes of the network.
NET = "net_coefs_", "net_intercepts_", "net_loss_curve_", "net_validation_curve_"


class Inputs:
    """Inputs of the network for rows at an index: data and inferred means, side by
    side. ``of_rows(v)`` returns both, with missing entries imputed. Means are computed
    once."""

    def __init__(self, rows, index, of_rows):
        self.rows, self.place = rows, np.empty(rows.shape[0], dtype=int)
        self.place[index] = np.arange(len(index))
        # Complete data are not stored, but read again when they are needed.
        self.n_read = rows.shape[1] if rows.complete else 0
        means = [
            of_rows(rows.present(index[batch]))[:, self.n_read :].copy()
            for batch in rows.blocks(len(index))
        ]
        self.kept = np.concatenate(means)

    def __call__(self, index):
        means = self.kept[self.place[index]]
        if not self.n_read:
            return means
        return np.concatenate([self.rows.take(index), means], axis=1)


class NetEpochs(Epochs):
    """Stage that trains the network of a fitted machine, given a table of labeled
    rows."""

    key, shown = "net", False

    def __init__(self, machine, table):
        self.machine, self.table, facts = machine, table, facts_of(machine)
        self.options, self.seed = facts.options.net, facts.seed
        self.name, self.early_stopping = (
            f"{facts.name}, net",
            self.options.early_stopping,
        )
        self.n_epochs = epochs_of(self.options, table)
        self.epochs = range(self.n_epochs)

    def begin(self, fit):
        tuner = tuner_of(self.machine, self.table, self.options, self.seed)
        return tuner, NetState(unfolded(self.machine.density_))

    def attributes(self, state, progress=None):
        if progress is None:
            return attributes_of(state, [], [])
        held_out = progress.validation if progress.stopping else []
        return attributes_of(state, progress.losses, held_out)

    def memory(self, state):
        averaged = (state.params, state.mean) if state.mean else ()
        return {"optimizer": state.optimizer, "averaged": averaged}

    def restored(self, source, memory):
        net = tuple(map(Layer, source.net_coefs_, source.net_intercepts_))
        params, mean = memory["averaged"] or (net, ())
        return NetState(params, memory["optimizer"], mean=mean)

    def keep(self, fit):
        state, losses, validation, *_ = self.learned
        vars(self.machine).update(attributes_of(state, losses, validation))

    def report(self, watch):
        report_tuning(self.machine, self.learned, self.n_epochs)


def tuner_of(machine, table, options, seed):
    """Objective of the network of a fitted machine, for labeled rows."""
    density, rows = machine.density_, table.rows
    of_rows = inputs_of(density, density.params_for(rows))
    inputs = Inputs(rows, table.index, of_rows)
    targets = np.eye(len(machine.classes_), dtype=bool)[rows.given.values]
    options = SimpleNamespace(**vars(options), activation=_ACTIVATION)
    dropout_center = dropped(options.dropout, inputs, table)
    return Tuner(
        Run(options, None, seed),
        inputs=inputs,
        targets=targets,
        loss=softmax_cross_entropy,
        center=dropout_center,
    )


def epochs_of(options, table):
    """Number of epochs of a network."""
    return _BUDGET.epochs(options.n_iter, table, options.batch_size)


def report_tuning(machine, tuned, n_epochs):
    """Raise an error or warn if training of a machine's network failed."""
    facts = facts_of(machine)
    options, name = facts.options.net, f"the net of {facts.name}"
    remedy = f"Lower learning_rate (now {options.learning_rate:g})."
    report(tuned, n_epochs, name, remedy)
    if tuned.is_useless:
        warn(f"Training made {name} worse. {remedy}", ConvergenceWarning)


def attributes_of(state, losses, validation):
    """Fitted attributes of a network, with its loss curves."""
    coefs, intercepts = map(list, zip(*state.learned))
    return dict(zip(NET, (coefs, intercepts, losses, validation)))


def logits(density, rows, coefs, intercepts):
    """Outputs of a network: log probabilities of labels up to a constant for each row,
    float64 of shape (n_rows, n_classes). ``density`` is that of the machine that
    initialized the network."""
    of_rows = inputs_of(density, density.params_for(rows))
    net = tuple(map(Layer, coefs, intercepts))
    return by_blocks(
        lambda v: forward(net, of_rows(v), _ACTIVATION).astype(np.float64), rows
    )


def unfolded(density):
    """Layers of the network that computes an upward mean-field sweep, a tuple."""
    (visible, *biases), (W, *above) = plain(density.params)
    # Statistics are linear in the visible values, which are the network's input.
    W = density.energy.units[0].statistic(visible, W.T).T
    if len(above) > 1:
        W = np.concatenate([W, above[0].T])
    return tuple(
        Layer(np.array(W, order="C"), np.array(b))
        for W, b in zip([W, *above], biases, strict=True)
    )


def inputs_of(density, params):
    """Function from rows to the inputs of the network: the data with missing entries
    imputed, and the means of the second hidden layer, if there is one. ``params`` may
    be tiled."""
    *units, _ = density.energy.units
    energy = layered([[unit] for unit in units])
    params = Params(params.units[:-1], params.couplings[:-1])
    limits = density.limits

    def of_rows(v):
        x, clamp = density.clamp_rows(v)
        means, _ = mean_field(energy, params, x[:-1], clamp[:-1], **limits)
        return np.concatenate([np.asarray(values) for values in means[0:3:2]], axis=1)

    return of_rows
