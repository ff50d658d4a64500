"""Layer-wise pre-training of deep Boltzmann machines.

Pairs of neighbouring layers are trained one after the other, from below, by
:func:`~skdgm.gradients.layer_pair`; the data of the next pair are the means of the
layer that it shares with the last one. A label above the last layer is trained with the
last pair, in the layer of its lower units [1]_. In the joint machine, a layer that
belongs to two pairs gets the mean of its biases in both: in each pair, half of its
input stood in for the neighbour that only the other pair has. The next pair after maps
sees their pooled units, whose biases become those of the blocks below them.

References
----------
.. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
"""

from itertools import pairwise

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
from skdgm.training import Batch, Run, column_sums, filled
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows
from skdgm.utils.threading.threads import one_blas_thread

_PRETRAINING, _PROBE_ROWS = 2**16, 1000
# Training diverged if the loss has risen by this many nats per unit.
_DIVERGED = 2.0


class PairPhase(DataChains):
    """Phases of two layers that will be part of a deeper machine."""

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
    """Log-likelihood of two neighbouring layers of a deeper machine; ``gains`` are
    factors on the input of each block, of which the last is the upper layer."""

    quantity = "log-likelihood given the layer above"

    def __init__(self, run, *, energy, beginning, gains):
        self.gains = gains
        super().__init__(run, energy=energy, beginning=beginning)

    def watch(self, table, held_out, state):
        """Loss of some rows given the layer above."""
        return PairWatch(self, table.index[:_PROBE_ROWS], state)

    def phase_of(self, options):
        """Chains that start at the data, with gains."""
        return PairPhase

    def above(self, params, index):
        """Values of the lower layer for some rows, missing entries filled by mean
        field, and means of the upper layer, of shape (n_rows, n_upper)."""
        batch = Batch(self.rows.present(index), self.rows.beside(index))
        x, clamp = self.present(batch)
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
        for part in self.rows.blocks(len(index)):
            v, h = self.above(params, index[part])
            eta = self._field(params, (None,) * (len(self.gains) - 1) + (h,), 0)
            total += (unit.log_partition(eta) - unit.log_weight(eta, v)).sum()
        return total / len(index)

    def _field(self, params, x, block):
        """Natural parameters of a block, its input multiplied by its gain."""
        path = Path(params.units, params.dtype.type(self.gains[block]))
        received = self.energy.received(params, x, block)
        return self.energy.field(params, block, received, path)


class PairWatch:
    """Loss of a pair of layers, of the rows at an index, from an initial state on."""

    # Attributes that come from earlier states.
    MEMORY = ("limit",)

    def __init__(self, objective, index, state):
        self.objective, self.index = objective, index
        self.limit, _ = self(state)
        self.limit += _DIVERGED * objective.energy.units[0].size
        columns = far_columns(objective)
        for part in objective.rows.blocks(len(index)) if len(columns) else ():
            z = objective.rows.take(index[part])[:, columns].astype(np.float64)
            self.limit += cost_of_far(z, objective) / len(index)

    def __call__(self, state):
        """Loss in nats per row, and None."""
        return self.objective.loss(state.params, self.index), None

    def is_useless(self, loss):
        """False: the joint training may repair it."""
        return False


class PairStage(Epochs):
    """Stage in which a pair of layers is trained: pre-training of a machine. ``before``
    are the pairs below, which are complete; ``whole(params)`` returns fitted attributes
    of the machine, given the parameters of pairs up to this one: a model, whose layers
    above have learned nothing. Once it has run, it has ``params`` and ``losses``."""

    shown, params, losses = False, None, None

    def __init__(self, objective, table, before, whole=None):
        self.objective, self.table, self.whole = objective, table, whole
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
        return TrainState(*memory["state"])

    def skip(self, record):
        pairs = record.known.get("memory", {}).get("pairs")
        if pairs is not None:
            self.params, self.losses = pairs[self.number]

    def keep(self, fit):
        """Keep the parameters; of a pair alone, attributes would be of no use."""
        self.params, self.losses = plain(self.learned.state.params), self.learned.losses

    def report(self, watch):
        if self.learned.ended == "diverged":
            raise DivergenceError(
                f"Pretraining of {self.key} diverged after {len(self.losses)} of "
                f"{self.n_epochs} epochs. {vars(self.machine).get('_far', '')}Lower "
                "pretrain__learning_rate (now "
                f"{self.objective.options.learning_rate:g})."
            )
        if self.learned.ended == "interrupted":
            raise KeyboardInterrupt
        self.machine.pretrain_loss_curves_ = [
            pair.losses for pair in (*self.before, self)
        ]


def layerwise(energy, of_pairs, table, seed, beginning, whole=None):
    """Stages that pre-train the layers of a machine, a :class:`PairStage` for each
    pair. The energy is that of the data, of a hidden layer for each pair, and
    optionally of a label; ``of_pairs`` are the training options of each pair, as an
    :class:`~skdgm.training.Objective` reads them; ``beginning`` is that of an objective
    of the machine, and ``whole`` as of a :class:`PairStage`. The generator returns the
    parameters of the joint machine; or None if a later stage continues, which has its
    own."""
    pairs, n_pairs = [], len(of_pairs)
    below, above = beginning.moments[0], slice(1 + n_pairs, None)
    label, frequencies = energy.units[above], beginning.moments[above]
    for number, options in enumerate(of_pairs):
        # Outer layers have a neighbour on one side only: their input is not doubled.
        last = number == n_pairs - 1
        down, up = 1.0 if number == 0 else 2.0, 1.0 if last else 2.0
        extra, known = (label, frequencies) if last else ((), ())
        moments = below, *known, None
        objective = PairObjective(
            Run(options, table.rows, stream(seed, _PRETRAINING, number).root),
            energy=_pair(energy, number, extra),
            beginning=beginning._replace(
                moments=moments, means=moments, filled=filled(table), table=None
            ),
            gains=(down, *(1.0 for _ in extra), up),
        )
        pair = PairStage(objective, table, pairs, whole)
        yield pair
        if pair.params is None:
            return None
        pairs.append(pair)
        if not last:
            table = _next(objective, pair.params, table)
            seen, total = column_sums(table)
            below = (total + 1) / (seen + 2)
            beginning = beginning._replace(fill=below, reach=None)
    return joined(energy, [pair.params for pair in pairs])


def _pair(energy, number, extra):
    """Energy of two neighbouring layers; of maps the lower one has the pooled units."""
    lower, upper = energy.units[number : number + 2]
    if not isinstance(upper, Pooled):
        return layered([[lower, *extra], [upper]])
    lower = lower.tops if number else lower
    coupling = energy.couplings[number]._replace(pooled=None)
    return Energy([lower, upper], [(0, 1, 0)], [coupling])


def _next(objective, params, table):
    """Means of the upper layer, or its pooled units, as a table of the same rows."""
    params, index = objective.for_kernels(params), table.index
    with one_blas_thread():
        blocks = table.rows.blocks(len(index))
        parts = [objective.above(params, index[part])[1] for part in blocks]
    h, labels = np.concatenate(parts), table.rows.given
    upper = objective.energy.units[-1]
    h = upper.pool(h) if isinstance(upper, Pooled) else h
    labels = labels and labels.take(table.index)
    rows = Rows(h, h.dtype.type, complete=True, given=labels)
    return table._replace(rows=rows, index=np.arange(len(h)))


def joined(energy, pairs, rest=None):
    """Parameters of the joint machine, from all pairs; or from the lowest ones,
    and for the layers above from parameters of the machine."""
    half, between = pairs[0].dtype.type(0.5), []
    for unit, (below, above) in zip(energy.units[1:], pairwise(pairs)):
        middle = above.units[0]
        middle = unit.under(middle) if isinstance(unit, Pooled) else middle
        between.append(half * (below.units[-1] + middle))
    # The label of the last pair is above its upper layer in the machine.
    _, *label, highest = pairs[-1].units
    units = pairs[0].units[0], *between, highest, *label
    weights, sent = [pair.couplings[0] for pair in pairs], pairs[-1].couplings[1:]
    weights = *weights, *(U.T.copy() for U in sent)
    if rest is not None:
        units += rest.units[len(units) :]
        weights += rest.couplings[len(weights) :]
    return Params(units, weights)
