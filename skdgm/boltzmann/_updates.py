"""Calls of the kernels that make many updates of a small machine.

They get their arguments from an objective and its training state, which changes in
place; see :mod:`skdgm.boltzmann._passes`.
"""

import numpy as np

from skdgm._kernels.pass_over import pass_over
from skdgm._kernels.phases import MODEL
from skdgm._kernels.real_pass import DIAGONAL, FIXED_PRECISION, SCALAR, real_pass
from skdgm.couplings import Weights
from skdgm.distributions import one_hot
from skdgm.energies import forms
from skdgm.gradients.centering import RATE
from skdgm.inference import TOLERANCE
from skdgm.utils.lists import Lists

_PRECISIONS = {"fixed": FIXED_PRECISION, "scalar": SCALAR, "diagonal": DIAGONAL}


def binary_pass(
    objective,
    state,
    run,
    chains,
    offsets,
    rates,
    *,
    root,
    n_steps,
    numbers,
    persistent,
    centering,
):
    """Updates of a chain of binary layers, above which a label may be; that is beside
    the visible units in the energy."""
    recipe, rows, real = objective.recipe, objective.rows, state.params.dtype.type
    n_layers, index = len(objective.energy.units), np.concatenate(run.batches)
    (ups, downs), blocks = forms(state.params), tuple(range(n_layers))
    v, resample = rows.present(index, True), bool(recipe.resample and not rows.binary)
    y = Lists.empty(0, 0, real)
    if objective.label is not None:
        y = one_hot(
            rows.labels[index], objective.energy.units[objective.label].size, real
        )
        blocks, ups, downs = (0, 2, 1), (ups[0], downs[1]), (downs[0], ups[1])

    def placed(parts):
        return tuple(parts[block] for block in blocks)

    velocities, units = state.optimiser.couplings, state.params.units
    pass_over(
        (v.index, v.value, v.count),
        (y.index, y.count),
        run.edges,
        (ups, downs),
        tuple(part.up if numbers[0] else part.up[:0] for part in velocities),
        (placed(units), placed(state.optimiser.units)),
        tuple(placed([getattr(x, of) for x in chains]) for of in ("index", "count")),
        placed(offsets),
        _room(objective, blocks, run.longest, len(chains[0]), real, resample),
        rates(recipe.learning_rate),
        np.uint64(root.root),
        run.first,
        np.array(blocks),
        n_steps,
        recipe.mean_field_steps,
        real(TOLERANCE),
        numbers,
        _limit(recipe.max_norm),
        real(RATE),
        resample,
        persistent,
        centering,
    )


def real_pass_over(
    objective,
    state,
    run,
    chains,
    offsets,
    rates,
    *,
    root,
    n_steps,
    numbers,
    persistent,
    centering,
):
    """Updates of real units under one binary layer, whose weights are ndarrays."""
    (mean, log_precision), c = state.params.units
    (mean_speed, precision_speed), c_speed = state.optimiser.units
    W, velocity = state.params.couplings[0], state.optimiser.couplings[0]
    weights, speeds = Weights.of(W), Weights.of(velocity).up
    unit, real = objective.energy.units[0], W.dtype.type
    noise = np.empty((len(run.batches), n_steps, len(chains[0]), unit.size), W.dtype)
    for turn, batch in enumerate(run.batches):
        rows = root.fold(run.first + turn, MODEL)
        rows = rows.rows(len(chains[0]) if persistent else len(batch))
        for k, part in enumerate(noise[turn]):
            part[: len(rows.ids)] = rows.fold(k, 0).normal(unit.size, W.dtype)
    real_pass(
        np.ascontiguousarray(objective.rows.take(np.concatenate(run.batches))),
        run.edges,
        tuple(weights),
        speeds if numbers[0] else speeds[:0],
        (mean, log_precision, c),
        (mean_speed, precision_speed, c_speed),
        (chains[0], chains[1].index, chains[1].count),
        offsets,
        noise,
        objective.recipe.learning_rate,
        rates(1.0),
        np.uint64(root.root),
        run.first,
        n_steps,
        numbers,
        real(RATE),
        real(-np.log(unit.min_variance) if unit.min_variance else np.inf),
        _limit(objective.recipe.max_norm),
        _PRECISIONS[unit.precision],
        persistent,
        centering,
    )
    W[...] = weights.W
    if numbers[0]:
        velocity[...] = Weights(speeds, weights.down).W


def _limit(max_norm):
    """A limit that may be missing."""
    return np.inf if max_norm is None else float(max_norm)


def _room(objective, blocks, n_rows, n_chains, real, resample):
    """Arrays that the kernel works with, for so many rows of data and so many chains:
    means, what layers receive, and what the first hidden one receives from data; values
    that are not there; bits of the data; means as lists; the few rows by which centring
    changes the gradient, and four rows for each layer."""
    sizes = [objective.energy.units[block].size for block in blocks]
    most, deep = max(n_rows, n_chains), len(sizes) > 2
    some, centred = n_rows if resample else 0, objective.recipe.centering is not None

    def arrays(n):
        return tuple(np.empty((n, size), real) for size in sizes)

    def lists(n):
        index = tuple(np.empty((n, size), np.uint32) for size in sizes)
        return index, arrays(n), np.empty(n, np.int64)

    means = np.empty((some, sizes[0]), real), *arrays(n_rows)[1:]
    bits = np.empty((some, sizes[0]), np.uint32), np.empty(some, np.int64)
    listed = *lists(n_rows if deep else 0), *lists(n_chains if deep else 0)
    lines = [tuple(np.empty(size, real) for size in sizes) for _ in range(4)]
    known, thin = np.empty((most, sizes[1]), real), arrays(2 if centred else 0)
    return means, arrays(most), known, arrays(0), bits, listed, thin, *lines


def lines(objective, real):
    """Room for a number for each unit of each layer."""
    return tuple(np.empty(unit.size, real) for unit in objective.energy.units)


def listed(objective, n_rows, real):
    """Lists for all blocks."""
    units = objective.energy.units
    return tuple(Lists.empty(n_rows, unit.size, real) for unit in units)
