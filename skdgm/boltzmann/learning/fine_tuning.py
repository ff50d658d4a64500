r"""Fine-tuning of a deep Boltzmann machine as a feed-forward network.

.. math:: h^1 = \sigma(c_1 + W^{1 \top} v + W^2 q^2), \qquad h^l = \sigma(c_l +
   W^{l \top} h^{l - 1}), \qquad p(y \mid v) = \operatorname{softmax}_y(d + U^\top h^L)

where :math:`q^2` are the means of the second hidden layer, which the machine infers by
mean field without the label. They are further inputs of the network, which stay fixed
[1]_ [2]_. The network starts from the machine's weights and is then trained on its own.

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
# Attributes of a machine that are the network's.
NET = "net_coefs_", "net_intercepts_", "net_loss_curve_", "net_validation_curve_"


class Inputs:
    """Inputs of the network for rows at an index: data and inferred means, side by
    side. ``of_rows(v)`` returns the data, with missing entries filled, and the means,
    which are computed once."""

    def __init__(self, rows, index, of_rows):
        self.rows, self.place = rows, np.empty(rows.shape[0], dtype=int)
        self.place[index] = np.arange(len(index))
        # Complete data are not kept, but read again each time they are needed.
        self.n_read = rows.shape[1] if rows.complete else 0
        parts = [
            of_rows(rows.present(index[part]))[:, self.n_read :].copy()
            for part in rows.blocks(len(index))
        ]
        self.kept = np.concatenate(parts)

    def __call__(self, index):
        kept = self.kept[self.place[index]]
        if not self.n_read:
            return kept
        return np.concatenate([self.rows.take(index), kept], axis=1)


class NetEpochs(Epochs):
    """Stage in which the network of a fitted machine is trained.

    Parameters
    ----------
    machine : DBMClassifier
    table : Table
        Rows with a label.
    """

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
        return {"optimiser": state.optimiser, "averaged": averaged}

    def restored(self, source, memory):
        net = tuple(map(Layer, source.net_coefs_, source.net_intercepts_))
        params, mean = memory["averaged"] or (net, ())
        return NetState(params, memory["optimiser"], mean=mean)

    def keep(self, fit):
        state, losses, validation, *_ = self.learned
        vars(self.machine).update(attributes_of(state, losses, validation))

    def report(self, watch):
        report_tuning(self.machine, self.learned, self.n_epochs)


def tuner_of(machine, table, options, seed):
    """Objective of the network of a fitted machine, given rows with a label, options of
    the network and a seed."""
    density, rows = machine.density_, table.rows
    of_rows = inputs_of(density, density.params_for(rows))
    inputs = Inputs(rows, table.index, of_rows)
    targets = np.eye(len(machine.classes_), dtype=bool)[rows.given.values]
    options = SimpleNamespace(**vars(options), activation=_ACTIVATION)
    center = dropped(options.dropout, inputs, table)
    return Tuner(
        Run(options, None, seed),
        inputs=inputs,
        targets=targets,
        loss=softmax_cross_entropy,
        center=center,
    )


def epochs_of(options, table):
    """Number of epochs of a network, given its options and rows with a label."""
    return _BUDGET.epochs(options.n_iter, table, options.batch_size)


def report_tuning(machine, tuned, n_epochs):
    """Raise an error or warn where training of a machine's network failed."""
    facts = facts_of(machine)
    options, name = facts.options.net, f"the net of {facts.name}"
    remedy = f"Lower learning_rate (now {options.learning_rate:g})."
    report(tuned, n_epochs, name, remedy)
    if tuned.useless:
        warn(f"Training made {name} worse. {remedy}", ConvergenceWarning)


def attributes_of(state, losses, validation):
    """Fitted attributes of a network, and its curves."""
    coefs, intercepts = map(list, zip(*state.learned))
    return dict(zip(NET, (coefs, intercepts, losses, validation)))


def logits(density, rows, coefs, intercepts):
    """Outputs of a network: log probabilities of labels, up to a constant in each row,
    float64 of shape (n_rows, n_classes); the density is that of the machine that it was
    initialised from."""
    of_rows = inputs_of(density, density.params_for(rows))
    net = tuple(map(Layer, coefs, intercepts))
    return by_blocks(
        lambda v: forward(net, of_rows(v), _ACTIVATION).astype(np.float64), rows
    )


def unfolded(density):
    """Layers of the network that computes a mean-field sweep from below, a tuple."""
    (visible, *biases), (W, *above) = plain(density.params)
    # Statistics are linear in the visible values, which the network takes instead.
    W = density.energy.units[0].statistic(visible, W.T).T
    if len(above) > 1:
        W = np.concatenate([W, above[0].T])
    return tuple(
        Layer(np.array(W, order="C"), np.array(b))
        for W, b in zip([W, *above], biases, strict=True)
    )


def inputs_of(density, params):
    """Function from rows to the data, with missing entries filled, and the means of the
    second hidden layer, where there is one; parameters of the density may be in
    tiles."""
    *units, _ = density.energy.units
    energy = layered([[unit] for unit in units])
    params = Params(params.units[:-1], params.couplings[:-1])
    limits = density.limits

    def of_rows(v):
        x, clamp = density.present(v)
        means, _ = mean_field(energy, params, x[:-1], clamp[:-1], **limits)
        return np.concatenate([np.asarray(part) for part in means[0:3:2]], axis=1)

    return of_rows
