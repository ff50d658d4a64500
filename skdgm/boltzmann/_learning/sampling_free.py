"""Gradients that need no negative phase, as ways of learning.

A way is a function ``way(objective, rng, state, x, clamp, clock)`` of an
:class:`~skdgm.boltzmann._learning.objective.EnergyObjective`, a Stream, the training
state, rows as ``objective.present`` returns them, and a Clock. It returns the gradient
of what it maximises, a tuple with a value of each block for the rows (means where
nothing is known), and the state.
"""

from functools import partial

import numpy as np

from skdgm.base import by_blocks
from skdgm.boltzmann._structure.labels import label_of
from skdgm.couplings import Contrast
from skdgm.energies import Params, contrast
from skdgm.gradients import complete, joined, multi_prediction
from skdgm.gradients.sampling_free import probability_flow, pseudo, ratio_matching
from skdgm.gradients.sampling_free.blocks import blocks
from skdgm.gradients.sampling_free.flips import flips, sites
from skdgm.gradients.sampling_free.multi_prediction import parts
from skdgm.gradients.sampling_free.noise_contrastive import noise_contrastive
from skdgm.gradients.sampling_free.scores import denoising, score_matching
from skdgm.inference import last_means, unroll
from skdgm.optim import learning_rate, piecewise
from skdgm.samplers import gibbs
from skdgm.utils.tree import tree_map

_DRAWN, _CHAINS, _HOLES, _BITS = range(2**20 + 2, 2**20 + 6)
# Bits of a block of the generalised pseudo-likelihood, and blocks in an update.
_BLOCK, _N_BLOCKS = 5, 16
# Noise of denoising score matching, in standard deviations of columns.
NOISE = 0.2


def without_phases(objective, rng, state, x, clamp, clock):
    """Gradient by the way that the options name, and the state with updated chains, of
    which the gradient makes no use: samples start from them.

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
    way = WAYS[recipe.gradient]
    grad, data, state = way(objective, rng, state, x, clamp, clock)
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


def predictive(objective, rng, state, x, clamp, clock):
    """Multi-prediction: parts of rows from the others, by unrolled mean field."""
    energy, n_sweeps = objective.energy, objective.recipe.mean_field_steps
    x = tuple(None if part is None else np.asarray(part) for part in x)
    drawn = parts(rng.fold(_DRAWN), energy, x, clamp)
    grad, means = multi_prediction(energy, state.params, x, *drawn, n_sweeps)
    data = tuple(
        mean if known is None else np.where(known, part, mean)
        for part, known, mean in zip(x, clamp, means, strict=True)
    )
    return grad, data, state


def _completed(objective, rng, state, x, clamp, bits=True):
    """Complete rows, with drawn bits in the place of grey values, and hidden means."""
    energy, params = objective.energy, state.params
    x, _ = complete(rng.fold(_HOLES), energy, params, x, clamp, n_steps=1)
    v = np.asarray(x[0])
    if bits and not objective.rows.binary:
        uniform = rng.fold(_BITS).rows(len(v)).uniform(v.shape[1], v.dtype.type)
        v = (uniform < v).astype(v.dtype)
    return v, last_means(energy, params, (v, None), (True, None))


def _of_neighbours(slope, objective, rng, state, x, clamp, clock):
    v, data = _completed(objective, rng, state, x, clamp)
    sizes = len(v), *(unit.size for unit in objective.energy.units)
    index = sites(rng.fold(_DRAWN).generator(), *sizes)
    return flips(state.params, v, index, slope), data, state


def _of_blocks(objective, rng, state, x, clamp, clock):
    v, data = _completed(objective, rng, state, x, clamp)
    order = rng.fold(_DRAWN).generator().permutation(v.shape[1])
    drawn = np.array_split(order, -(-len(order) // _BLOCK))
    grad = blocks(state.params, v, drawn[:_N_BLOCKS])
    scale = max(1.0, len(drawn) / _N_BLOCKS)
    return joined(grad, grad, scale - 1) if scale > 1 else grad, data, state


def _of_noise(objective, rng, state, x, clamp, clock):
    v, data = _completed(objective, rng, state, x, clamp)
    log_Z, q = state.noise
    q = q.astype(v.dtype)
    uniform = rng.fold(_DRAWN).rows(len(v)).uniform(v.shape[1], v.dtype.type)
    noise = (uniform < q).astype(v.dtype)

    def log_q(rows):
        return rows @ np.log(q) + (1 - rows) @ np.log(1 - q)

    given = objective.energy, state.params, log_Z[0], v, noise, log_q
    grad, of_log_Z = noise_contrastive(*given)
    recipe = objective.recipe
    rate = learning_rate(recipe.learning_rate, recipe.schedule, clock, recipe.power_t)
    return grad, data, state._replace(noise=(log_Z + rate * of_log_Z, state.noise[1]))


def _of_scores(objective, rng, state, x, clamp, clock):
    v, data = _completed(objective, rng, state, x, clamp, bits=False)
    unit, params = objective.energy.units[0], state.params
    if objective.recipe.gradient == "score-matching":
        grad = score_matching(unit, params, v)
    else:
        noise = rng.fold(_DRAWN).rows(len(v)).normal(v.shape[1], v.dtype)
        grad = denoising(unit, params, v, noise, NOISE)
    # Slopes grow with precisions: each column takes steps in its own units.
    (own, c), (G,) = grad
    variance = np.exp(-params.units[0].log_precision)
    own = tree_map(lambda part: part * variance, own)
    scaled = Contrast.of(np.asarray(G) * variance[:, None])
    return Params((own, c * variance.mean()), (scaled,)), data, state


OF_BITS = {
    "pseudo-likelihood": partial(_of_neighbours, pseudo.slope),
    "block-pseudo-likelihood": _of_blocks,
    "ratio-matching": partial(_of_neighbours, ratio_matching.slope),
    "probability-flow": partial(_of_neighbours, probability_flow.slope),
    "noise-contrastive": _of_noise,
}
OF_REALS = {"score-matching": _of_scores, "denoising": _of_scores}
WAYS = {"multi-prediction": predictive} | OF_BITS | OF_REALS


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
