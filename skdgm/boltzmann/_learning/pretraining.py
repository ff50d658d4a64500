"""Layer-wise pre-training of deep Boltzmann machines.

Pairs of neighbouring layers are trained one after the other, from below, by
:func:`~skdgm.gradients.layer_pair`; the data of the next pair are the means of the
layer that it shares with the last one. A label above the last layer is trained with the
last pair, as a block beside its lower layer [1]_. In the joint machine, a layer that
belongs to two pairs gets the mean of its biases in both: in each pair, half of its
input stood in for the neighbour that only the other pair has. Of maps the next pair
has the pooled units, whose biases become those of the blocks below them.

References
----------
.. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
"""

from itertools import pairwise

import numpy as np

from skdgm.boltzmann._learning.monitor import cost_of_far, far_columns
from skdgm.boltzmann._learning.objective import EnergyObjective
from skdgm.boltzmann._learning.phases import CD
from skdgm.boltzmann._learning.state import density
from skdgm.distributions import Pooled
from skdgm.energies import Energy, Params, Path, layered, plain
from skdgm.exceptions import DivergenceError
from skdgm.gradients import layer_pair
from skdgm.inference import mean_field
from skdgm.training import Batch, Table, column_sums, optimise
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows

_PRETRAINING, _PROBE_ROWS = 2**16, 1000
# Training diverged if the loss has risen by this many nats per unit.
_DIVERGED = 2.0


class _Pair(CD):
    """Phases of two layers that will be part of a deeper machine."""

    fused = False

    def __init__(self, objective):
        super().__init__(objective)
        self.gains = objective.gains

    def phases(self, rng, state, x, clamp, clock):
        given = self.energy, state.params, x, clamp, self.n_steps(clock)
        phases, chains, _ = layer_pair(rng, *given, self.gains)
        return phases, state._replace(chains=chains.x)


class PairObjective(EnergyObjective):
    """Log-likelihood of two neighbouring layers of a deeper machine.

    Parameters
    ----------
    *arguments, **options
        As for :class:`~skdgm.boltzmann._learning.objective.EnergyObjective`.
    gains : tuple of float
        Factor on the input of each block; the last block is the upper layer.
    """

    quantity = "log-likelihood given the layer above"

    def __init__(self, *arguments, gains, **options):
        self.gains = gains
        super().__init__(*arguments, **options)

    def watch(self, table, held_out, state):
        """Loss of some rows given the layer above."""
        return PairWatch(self, table.index[:_PROBE_ROWS], state)

    def phase_of(self, options):
        """Chains that start at the data, with gains."""
        return _Pair

    def above(self, params, index):
        """Values of the lower layer for some rows, and means of the upper layer.

        Parameters
        ----------
        params : Params
        index : ndarray of int
            Rows to take.

        Returns
        -------
        lower : {ndarray, Lists} of shape (n_rows, n_lower)
            Missing entries are filled by mean field.
        upper : ndarray of shape (n_rows, n_upper)
        """
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

        Parameters
        ----------
        params : Params
        index : ndarray of int
            Rows to take.

        Returns
        -------
        loss : float
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
    """Loss of a pair of layers.

    Parameters
    ----------
    objective : PairObjective
    index : ndarray of int
        Rows to watch.
    state : TrainState
        Initial state.
    """

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


def layerwise(
    energy,
    of_pairs,
    table,
    seed,
    fill,
    moments,
    hooks,
    initial=None,
    record=None,
    reach=None,
    far="",
):
    """Pre-train the layers of a machine pair by pair.

    Parameters
    ----------
    energy : Energy
        Of the data, of a hidden layer for each pair, and optionally of a label.
    of_pairs : sequence
        Training options of each pair, as an :class:`~skdgm.training.Objective` reads
        them.
    table : Table
        Training rows.
    seed : int
    fill : ndarray of shape (n_visible,)
        Values from which missing entries start.
    moments : tuple
        For each block of the energy the means (or moments) without couplings, or None.
    hooks : callable
        ``hooks(number)`` returns the hooks for the training of a pair.
    initial : callable, optional
        Of each pair, as of an
        :class:`~skdgm.boltzmann._learning.objective.EnergyObjective`.
    record : PairsRecord, optional
        What is kept, and from which pre-training continues.
    reach : dict, optional
        Of the lowest block, as of an
        :class:`~skdgm.boltzmann._learning.objective.EnergyObjective`.
    far : str, optional
        Words about values far out, for the error.

    Returns
    -------
    params : Params
        Parameters of the joint machine.
    losses : list of list of float
        For each pair its loss after each epoch.

    Raises
    ------
    DivergenceError
        Training of a pair diverged.
    KeyboardInterrupt
        Training of a pair was interrupted: with layers above it that have learned
        nothing, partial results would be useless.
    """
    pairs, losses, n_pairs = [], [], len(of_pairs)
    below, above = moments[0], slice(1 + n_pairs, None)
    for number, options in enumerate(of_pairs):
        # Outer layers have a neighbour on one side only: their input is not doubled.
        last = number == n_pairs - 1
        down, up = 1.0 if number == 0 else 2.0, 1.0 if last else 2.0
        beside, known = (energy.units[above], moments[above]) if last else ((), ())
        known = below, *known, None
        objective = PairObjective(
            _pair(energy, number, beside),
            options,
            table.rows,
            stream(seed, _PRETRAINING, number).root,
            fill,
            known,
            0,
            density(table),
            means=known,
            gains=(down, *(1.0 for _ in beside), up),
            initial=initial,
            reach=None if number else reach,
        )
        outcome, _ = optimise(
            objective,
            table,
            range(options.n_iter),
            n_epochs=options.n_iter,
            hooks=hooks(number),
            **({} if record is None else record.options()),
        )
        if outcome.ended == "diverged":
            raise DivergenceError(
                f"Pretraining of hidden layer {number + 1} diverged after "
                f"{len(outcome.losses)} of {options.n_iter} epochs. {far}Lower "
                f"pretrain_learning_rate (now {options.learning_rate:g})."
            )
        if outcome.ended == "interrupted":
            raise KeyboardInterrupt
        params = outcome.state.params
        losses.append(outcome.losses)
        pairs.append(plain(params))
        if record is not None:
            record.add(pairs[-1], losses[-1])
        if number < n_pairs - 1:
            table = _next(objective, params, table)
            seen, total = column_sums(table)
            fill = below = (total + 1) / (seen + 2)
    return joined(energy, pairs), losses


def _pair(energy, number, beside):
    """Energy of two neighbouring layers; of maps the lower one has the pooled units."""
    lower, upper = energy.units[number : number + 2]
    if not isinstance(upper, Pooled):
        return layered([[lower, *beside], [upper]])
    lower = lower.tops if number else lower
    coupling = energy.couplings[number]._replace(pooled=None)
    return Energy([lower, upper], [(0, 1, 0)], [coupling])


def _next(objective, params, table):
    """Means of the upper layer, or its pooled units, as a table of the same rows."""
    parts = [
        objective.above(params, table.index[part])[1]
        for part in table.rows.blocks(len(table.index))
    ]
    h, given = np.concatenate(parts), table.rows.given
    upper = objective.energy.units[-1]
    h = upper.pool(h) if isinstance(upper, Pooled) else h
    given = given and given.take(table.index)
    rows = Rows(h, h.dtype.type, complete=True, given=given)
    return Table(rows, np.arange(len(h)), *table[2:])


def joined(energy, pairs, rest=None):
    """Parameters of the joint machine, from those of all pairs; or of the lowest ones,
    and for the layers above from parameters of the machine."""
    half, between = pairs[0].dtype.type(0.5), []
    for unit, (below, above) in zip(energy.units[1:], pairwise(pairs)):
        own = above.units[0]
        own = unit.under(own) if isinstance(unit, Pooled) else own
        between.append(half * (below.units[-1] + own))
    # A label beside the last pair's lower layer belongs above the upper one.
    _, *label, highest = pairs[-1].units
    units = pairs[0].units[0], *between, highest, *label
    weights, sent = [pair.couplings[0] for pair in pairs], pairs[-1].couplings[1:]
    weights = *weights, *(U.T.copy() for U in sent)
    if rest is not None:
        units += rest.units[len(units) :]
        weights += rest.couplings[len(weights) :]
    return Params(units, weights)
