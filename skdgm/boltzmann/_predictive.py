"""Multi-prediction training of machines."""

import numpy as np

from skdgm.base import by_blocks
from skdgm.boltzmann._labels import label_of
from skdgm.energies import contrast
from skdgm.gradients import joined, multi_prediction
from skdgm.gradients.multi_prediction import parts
from skdgm.inference import unroll
from skdgm.optim import piecewise
from skdgm.samplers import gibbs

_PARTS, _CHAINS = range(2**20 + 2, 2**20 + 4)


def predictive(objective, rng, state, x, clamp, clock):
    """Gradient of predictions of some entries from the others, and the state with
    updated chains, of which the gradient makes no use: samples start from them.

    Parameters
    ----------
    objective : EnergyObjective
    rng : Stream
    state : TrainState
    x, clamp : tuple
        Rows, as ``objective.present`` returns them.
    clock : Clock

    Returns
    -------
    grad : Params
    state : TrainState
    """
    recipe, energy, params = objective.recipe, objective.energy, state.params
    x = tuple(None if part is None else np.asarray(part) for part in x)
    drawn = parts(rng.fold(_PARTS), energy, x, clamp)
    grad, means = multi_prediction(energy, params, x, *drawn, recipe.mean_field_steps)
    data = tuple(
        mean if known is None else np.where(known, part, mean)
        for part, known, mean in zip(x, clamp, means, strict=True)
    )
    penalised, state = objective.with_running_means(state, data)
    if state.activity:
        # What is left of the difference is the penalty.
        grad = joined(grad, contrast(energy, params, penalised, data), 1.0)
    chains, _ = gibbs.run(
        rng.fold(_CHAINS).rows(len(state.chains[0])),
        energy,
        params,
        gibbs.State(state.chains),
        piecewise(recipe.n_steps, clock),
    )
    return grad, state._replace(chains=chains.x)


def predicted(density, rows, n_sweeps):
    """Log probabilities of labels up to a constant for each row, as the sweeps predict
    them.

    Parameters
    ----------
    density : DeepDensity
    rows : Rows
    n_sweeps : int

    Returns
    -------
    logits : ndarray of shape (n_rows, n_classes)
    """
    energy, params = density.energy, density.params_for(rows, rows.dtype)
    label = label_of(energy)

    def logits(v):
        (v, *others), (clamped, *_) = density.present(v)
        x = np.asarray(v), *others
        seen = np.broadcast_to(clamped, x[0].shape), *[None] * len(others)
        updates = unroll(energy, params, x, seen, n_sweeps)
        last = next(update for update in reversed(updates) if update.block == label)
        return energy.field(params, label, energy.received(params, last.before, label))

    return by_blocks(logits, rows)
