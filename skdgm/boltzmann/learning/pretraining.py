"""Layer-wise pre-training of deep Boltzmann machines.

Pairs of neighboring layers are trained from bottom to top by
:func:`~skdgm.gradients.layer_pair`. The means of the upper layer are the data of the
next pair. A label above the last layer is trained with the last pair, in its lower
layer [1]_. A layer that belongs to two pairs gets the mean of its biases in both,
because in each pair half of its input replaced that of the missing neighbor. Above
maps, the data of the next pair are pooled units, whose biases become those of their
blocks.

References
----------
.. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from skdgm.base import Epochs
from skdgm.boltzmann.learning.monitor import cost_of_far, far_columns
from skdgm.boltzmann.learning.objective import EnergyObjective
from skdgm.boltzmann.learning.phases import DataChains
from skdgm.boltzmann.learning.state import TrainState
from skdgm.distributions import Pooled
from skdgm.energies import Energy, Params, Path, layered, plain
from skdgm.exceptions import DivergenceError
from skdgm.gradients import layer_pair
from skdgm.inference import mean_field
from skdgm.training import Batch, Run, column_sums, filled, monitored_rows
from skdgm.utils.random import PROBE, stream
from skdgm.utils.rows import Rows
from skdgm.utils.threading.threads import one_blas_thread

_PRETRAINING = 2**16
# Training has diverged if the loss has risen by this many nats per unit.
_DIVERGED = 2.0


class PairPhase(DataChains):
    """Phases of two layers of a deeper machine."""

    fused = False

    def __init__(self, objective):
        super().__init__(objective)
        self.gains = objective.gains

    def phases(self, rng, state, x, clamp, clock):
        params, n_steps = state.params, self.n_steps(clock)
        phases, chains, _ = layer_pair(
            rng, self.energy, params, x, clamp, n_steps, self.gains
        )
        return phases, state._replace(chains=chains.x)


class PairObjective(EnergyObjective):
    """Log-likelihood of two neighboring layers of a deeper machine. ``gains`` are
    factors on the inputs of the blocks; the last block is the upper layer."""

    quantity = "log-likelihood given the layer above"

    def __init__(self, run, *, energy, initial_data, gains):
        self.gains = gains
        super().__init__(run, energy=energy, initial_data=initial_data)

    def watch(self, table, held_out, state):
        return PairWatch(self, monitored_rows(table, stream(self.seed, PROBE)), state)

    def phase_of(self, options):
        return PairPhase

    def above(self, params, index):
        """Values of the lower layer with missing entries imputed by mean field, and
        means of the upper layer, (n_rows, n_upper)."""
        batch = Batch(self.rows.present(index), self.rows.accompanying(index))
        x, clamp = self.clamp_rows(batch)
        if clamp[0] is not True:
            x, _ = mean_field(self.energy, params, x, clamp)
        upper = len(self.gains) - 1
        return x[0], self.energy.units[upper].mean(self._field(params, x, upper))

    def loss(self, params, index):
        r"""Mean negative log-likelihood of rows given the layer above, in nats.

        .. math:: -\frac1n \sum_i \log p(v_i \mid \mathbb{E}[h \mid v_i])

        where the input of each layer is multiplied by its gain.
        """
        total, unit = 0.0, self.energy.units[0]
        for batch in self.rows.blocks(len(index)):
            v, h = self.above(params, index[batch])
            eta = self._field(params, (None,) * (len(self.gains) - 1) + (h,), 0)
            total += (unit.log_partition(eta) - unit.log_weight(eta, v)).sum()
        return total / len(index)

    def _field(self, params, x, block):
        """Natural parameters of a block, with its input multiplied by its gain."""
        path = Path(params.units, params.dtype.type(self.gains[block]))
        received = self.energy.received(params, x, block)
        return self.energy.field(params, block, received, path)


class PairWatch:
    """Monitor of the loss of a pair of layers, for the rows at an index."""

    # Attributes that a resumed fit restores.
    MEMORY = ("limit",)

    def __init__(self, objective, index, state):
        self.objective, self.index = objective, index
        self.limit, _ = self(state)
        self.limit += _DIVERGED * objective.energy.units[0].size
        columns = far_columns(objective)
        for batch in objective.rows.blocks(len(index)) if len(columns) else ():
            z = objective.rows.take(index[batch])[:, columns].astype(np.float64)
            self.limit += cost_of_far(z, objective) / len(index)

    def __call__(self, state):
        """Loss in nats per row, and None."""
        return self.objective.loss(state.params, self.index), None

    def is_useless(self, loss):
        """False, since joint training may improve it."""
        return False


class PairStage(Epochs):
    """Stage that pre-trains a pair of layers. ``before`` are the complete pairs below.
    ``whole(params)`` returns fitted attributes of the machine, given the parameters of
    the pairs up to this one; layers above have their initial parameters. A completed
    stage has ``params`` and ``losses``."""

    shown = False
    params: Any = None
    losses: Any = None

    def __init__(self, objective, table, before, whole=None):
        self.objective, self.table = objective, table
        self.whole: Any = whole
        self.before, self.number = [*before], len(before)
        self.n_epochs = objective.options.n_iter
        self.epochs = range(self.n_epochs)
        self.key = f"hidden layer {self.number + 1}"

    def begin(self, fit):
        self.machine = fit.estimator
        self.name = f"{fit.name}, {self.key}"
        return self.objective, None

    def attributes(self, state, progress=None):
        params = [*(pair.params for pair in self.before), state.kept().params]
        curves = [*(pair.losses for pair in self.before), progress.losses]
        return self.whole(params) | {"pretrain_loss_curves_": curves}

    def memory(self, state):
        pairs = [(pair.params, pair.losses) for pair in self.before]
        return {"pairs": pairs, "state": (*state.kept(),)}

    def restored(self, source, memory):
        return TrainState._make(memory["state"])

    def skip(self, record):
        pairs = record.known.get("memory", {}).get("pairs")
        if pairs is not None:
            self.params, self.losses = pairs[self.number]

    def keep(self, fit):
        """Keep the parameters and losses; attributes need all pairs."""
        self.params, self.losses = plain(self.learned.state.params), self.learned.losses

    def report(self, watch):
        if self.learned.ended == "diverged":
            outliers = vars(self.machine).get("_outlier_text", "")
            raise DivergenceError(
                f"Pretraining of {self.key} diverged after {len(self.losses)} of "
                f"{self.n_epochs} epochs. {outliers}Lower pretrain__learning_rate (now "
                f"{self.objective.options.learning_rate:g})."
            )
        if self.learned.ended == "interrupted":
            raise KeyboardInterrupt
        self.machine.pretrain_loss_curves_ = [
            pair.losses for pair in (*self.before, self)
        ]


def layerwise(energy, of_pairs, table, seed, initial_data, whole=None):
    """Generate the stages that pre-train a machine, a :class:`PairStage` for each pair.
    ``energy`` has the data, a hidden layer for each pair, and an optional label.
    ``of_pairs`` has the training options of each pair, ``initial_data`` belongs to the
    machine's objective, and ``whole`` is as for :class:`PairStage`. The generator
    returns the parameters of the joint machine, or None if a later stage continues with
    its own parameters."""
    pairs, n_pairs = [], len(of_pairs)
    below, above = initial_data.moments[0], slice(1 + n_pairs, None)
    label, frequencies = energy.units[above], initial_data.moments[above]
    for number, options in enumerate(of_pairs):
        # Outer layers have one neighbor, so that their input is not doubled.
        is_last = number == n_pairs - 1
        gain_below, gain_above = 1.0 if number == 0 else 2.0, 1.0 if is_last else 2.0
        label_units, label_moments = (label, frequencies) if is_last else ((), ())
        moments = below, *label_moments, None
        objective = PairObjective(
            Run(options, table.rows, stream(seed, _PRETRAINING, number).root),
            energy=_pair(energy, number, label_units),
            initial_data=initial_data._replace(
                moments=moments, means=moments, nonzero_share=filled(table), table=None
            ),
            gains=(gain_below, *(1.0 for _ in label_units), gain_above),
        )
        pair = PairStage(objective, table, pairs, whole)
        yield pair
        if pair.params is None:
            return None
        pairs.append(pair)
        if not is_last:
            table = _next(objective, pair.params, table)
            n_seen, total = column_sums(table)
            below = (total + 1) / (n_seen + 2)
            initial_data = initial_data._replace(
                missing_values=below, max_magnitudes=None
            )
    return joined(energy, [pair.params for pair in pairs])


def _pair(energy, number, extra):
    """Energy of two neighboring layers; for maps, the lower layer has the pooled
    units."""
    lower, upper = energy.units[number : number + 2]
    if not isinstance(upper, Pooled):
        return layered([[lower, *extra], [upper]])
    lower = lower.tops if number else lower
    coupling = energy.couplings[number]._replace(pooled=None)
    return Energy([lower, upper], [(0, 1, 0)], [coupling])


def _next(objective, params, table):
    """Table with the means of the upper layer, or of its pooled units, for the same
    rows."""
    params, index = objective.for_kernels(params), table.index
    with one_blas_thread():
        blocks = table.rows.blocks(len(index))
        means = [objective.above(params, index[batch])[1] for batch in blocks]
    h, labels = np.concatenate(means), table.rows.given
    upper = objective.energy.units[-1]
    h = upper.pool(h) if isinstance(upper, Pooled) else h
    labels = labels and labels.take(table.index)
    rows = Rows(h, h.dtype.type, complete=True, given=labels)
    return table._replace(rows=rows, index=np.arange(len(h)))


def joined(energy, pairs, rest=None):
    """Parameters of the joint machine from all pairs, or from the lowest pairs and, for
    the layers above, from ``rest``."""
    half, between = pairs[0].dtype.type(0.5), []
    for unit, (below, above) in zip(energy.units[1:], pairwise(pairs)):
        middle = above.units[0]
        middle = unit.under(middle) if isinstance(unit, Pooled) else middle
        between.append(half * (below.units[-1] + middle))
    # In the machine, the label is above the upper layer of the last pair.
    _, *label, highest = pairs[-1].units
    units = pairs[0].units[0], *between, highest, *label
    weights, label_weights = (
        [pair.couplings[0] for pair in pairs],
        pairs[-1].couplings[1:],
    )
    weights = *weights, *(U.T.copy() for U in label_weights)
    if rest is not None:
        units += rest.units[len(units) :]
        weights += rest.couplings[len(weights) :]
    return Params(units, weights)
