"""Layer by layer: how a deep Boltzmann machine may begin.

Two neighbouring layers learn at a time, from below, by
:func:`~skdgm.gradients.lopsided`; the next pair's data are the means of the layer
between. Put together, a layer that belongs to two pairs takes the mean of the biases
that it has in them: half of what it heard in each came from the layer that the other
pair brings.
"""

from itertools import pairwise

import numpy as np

from skdgm.boltzmann._trainer import Trainer, density
from skdgm.energies import LayeredEnergy, Params, Path, plain
from skdgm.exceptions import DivergenceError
from skdgm.gradients import lopsided
from skdgm.inference import mean_field
from skdgm.optim import staircase
from skdgm.training import Batch, Table, column_sums, train
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows

_PRETRAINING, _PROBE_ROWS = 2**16, 1000
# In nats a unit: what weights that have exploded lose at least.
_DIVERGED = 2.0


class PairTrainer(Trainer):
    """Learns two neighbouring layers of a deeper machine.

    Parameters
    ----------
    gains : pair of float
        How often counts what the lower layer receives, and what the upper one does.
    """

    def __init__(self, *arguments, gains):
        super().__init__(*arguments)
        self.gains = gains

    def _phases(self, rng, state, x, clamp, clock):
        n_steps = staircase(self.recipe.n_steps, clock)
        given = rng, self.energy, state.params, x, clamp, n_steps
        phases, chains = lopsided(*given, self.gains)
        return phases, state._replace(chains=chains.x)

    def above(self, params, index):
        """Values of the lower layer for some rows, holes filled, and means of the upper
        one."""
        x, clamp = self.present(Batch(self.rows.present(index)))
        if clamp[0] is not True:
            x, _ = mean_field(self.energy, params, x, clamp)
        return x[0], self.energy.units[1].mean(self._field(params, x, 1))

    def loss(self, params, index):
        """Minus the log probability of rows given the means of the layer above, which
        are those that they give it."""
        total, unit = 0.0, self.energy.units[0]
        for part in self.rows.blocks(len(index)):
            v, h = self.above(params, index[part])
            eta = self._field(params, (None, h), 0)
            total += (unit.log_partition(eta) - unit.log_weight(eta, v)).sum()
        return total / len(index)

    def _field(self, params, x, block):
        """A layer's natural parameters, what it receives counting as often as it is
        to."""
        path = Path(params.units, params.dtype.type(self.gains[block]))
        received = self.energy.received(params, x, block)
        return self.energy.field(params, block, received, path)


def layerwise(energy, recipes, table, seed, fill, moments, hooks):
    """Parameters of a chain of layers that learned pair by pair.

    Parameters
    ----------
    energy : LayeredEnergy
    recipes : sequence
        For each pair what :class:`~skdgm.boltzmann._trainer.Trainer` is told.
    table : Table
    seed : int
    fill, moments : ndarray, pair
        Of the data, as the trainer takes them.
    hooks : callable
        ``hooks(number)`` returns those of a pair's training.

    Returns
    -------
    params : Params
    losses : list of list of float
        For each pair, one for each epoch.

    Raises
    ------
    DivergenceError
        A pair's parameters are no longer numbers.
    """
    pairs, losses, n_pairs = [], [], len(energy.units) - 1
    for number, recipe in enumerate(recipes):
        # Layers at the ends of the chain hear from one side only.
        gains = 1.0 if number == 0 else 2.0, 1.0 if number == n_pairs - 1 else 2.0
        lower, upper = energy.units[number], energy.units[number + 1]
        trainer = PairTrainer(
            LayeredEnergy([[lower], [upper]]),
            recipe,
            table.rows,
            stream(seed, _PRETRAINING, number).root,
            fill,
            (moments, None),
            0,
            density(table),
            gains=gains,
        )
        probe, start = table.index[:_PROBE_ROWS], trainer.start((moments, None))
        outcome = train(
            start,
            trainer.step,
            lambda epoch, trainer=trainer, table=table: trainer.draw(table, epoch),
            lambda state, trainer=trainer, probe=probe: (
                trainer.loss(state.params, probe),
                None,
            ),
            epochs=range(recipe.n_iter),
            n_epochs=recipe.n_iter,
            loss_limit=trainer.loss(start.params, probe) + _DIVERGED * lower.size,
            hooks=hooks(number),
        )
        if outcome.ended == "diverged":
            raise DivergenceError(
                f"Pretraining of hidden layer {number + 1} diverged after "
                f"{len(outcome.losses)} of {recipe.n_iter} epochs: lower "
                f"pretrain_learning_rate (now {recipe.learning_rate:g})."
            )
        params = outcome.state.params
        losses.append(outcome.losses)
        pairs.append(plain(params))
        if number < n_pairs - 1:
            table = _next(trainer, params, table)
            seen, total = column_sums(table)
            fill = moments = (total + 1) / (seen + 2)
    return _joined(pairs), losses


def _next(trainer, params, table):
    """The upper layer's means as a table of the same rows."""
    parts = [
        trainer.above(params, table.index[part])[1]
        for part in table.rows.blocks(len(table.index))
    ]
    h = np.concatenate(parts)
    return Table(Rows(h, h.dtype.type, complete=True), np.arange(len(h)), *table[2:])


def _joined(pairs):
    """One machine of pairs of layers."""
    half = pairs[0].dtype.type(0.5)
    between = (
        half * (below.units[1] + above.units[0]) for below, above in pairwise(pairs)
    )
    units = pairs[0].units[0], *between, pairs[-1].units[1]
    return Params(units, tuple(W for pair in pairs for W in pair.couplings))
