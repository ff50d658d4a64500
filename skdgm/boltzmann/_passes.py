"""Updates of a small machine, many in one call of a kernel.

They are those of :meth:`EnergyObjective.step`, from the same random numbers, without
the Python calls between its kernels: an update of a small machine costs what its
arithmetic costs. Interrupts wait for the end of a call, a fraction of a second.

Binary machines learn the same parameters to the last bit. Those with real units differ
by rounding: NumPy and the kernels have each their own exponential function, and order
of sums.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.pass_over import pass_over
from skdgm._kernels.phases import FIXED, MODEL, NO_OFFSETS, OF_BOTH, OF_DATA
from skdgm._kernels.real_pass import DIAGONAL, FIXED_PRECISION, SCALAR, real_pass
from skdgm.couplings import Dense, Weights
from skdgm.distributions import Bernoulli, Gaussian
from skdgm.energies import forms
from skdgm.gradients.centering import RATE
from skdgm.inference import TOLERANCE
from skdgm.optim import learning_rate, piecewise
from skdgm.samplers import binary
from skdgm.utils.lists import Lists
from skdgm.utils.parallel import worthwhile
from skdgm.utils.random import stream

# Multiply-adds of one call: a fraction of a second.
_MOST = 1e9
# Multiply-adds of an update with real units up to which a kernel makes it.
_SMALL = 1e7
_MODES = {
    None: NO_OFFSETS,
    "start": FIXED,
    "data": OF_DATA,
    "moving": OF_BOTH,
}
_PRECISIONS = {"fixed": FIXED_PRECISION, "scalar": SCALAR, "diagonal": DIAGONAL}


class Run(NamedTuple):
    """Consecutive batches of an epoch.

    Parameters
    ----------
    first : int
        Number of the first of them.
    batches : list of ndarray of int
        Row numbers of each.
    n_batches : int
        Number of batches of the epoch.
    """

    first: int
    batches: list
    n_batches: int

    @property
    def longest(self):
        """Number of rows of the largest batch."""
        return max(map(len, self.batches))

    @property
    def edges(self):
        """Place of each batch's first row where they are joined, and their end."""
        return np.cumsum([0, *map(len, self.batches)])


class Runs:
    """Sized iterable of the runs that an epoch consists of.

    Parameters
    ----------
    objective : EnergyObjective
    reader : Reader
        The batches of the epoch.
    """

    def __init__(self, objective, reader):
        most, n_batches = _MOST / max(1.0, _work(objective, reader)), len(reader)
        turns, deep = np.max(objective.recipe.n_steps), len(objective.energy.units) > 2
        if deep:  # Means are not 0, as states are, and go both ways.
            turns += objective.recipe.mean_field_steps / binary.DENSITY
        parts = reader.parts(max(1, int(most / turns)))
        self.runs = [Run(first, some, n_batches) for first, some in parts]

    def __len__(self):
        return len(self.runs)

    def __iter__(self):
        return iter(self.runs)


def in_runs(objective, reader):
    """Join the batches of an epoch to runs, where the kernel serves.

    Parameters
    ----------
    objective : EnergyObjective
    reader : Reader

    Returns
    -------
    batches : Runs or Reader
    """
    return Runs(objective, reader) if serves(objective, reader) else reader


def serves(objective, reader):
    """Return whether the kernel makes the updates that a recipe asks for.

    Parameters
    ----------
    objective : EnergyObjective
    reader : Reader
        The batches of an epoch.

    Returns
    -------
    serves : bool
    """
    recipe = objective.recipe
    if objective.energy.is_binary_chain:
        fits = reader.lists and not worthwhile(_work(objective, reader))
    else:
        fits = _is_real(objective) and _work(objective, reader) <= _SMALL
    return (
        fits
        and objective.plain
        and recipe.gradient in ("pcd", "cd")
        and recipe.negative == "samples"
        and recipe.solver == "sgd"
        and recipe.sparsity_target is None
        and np.max(recipe.n_steps) <= binary.MAX_STEPS
    )


def _is_real(objective):
    """Return whether a machine has complete real units under one binary layer."""
    energy = objective.energy
    return (
        tuple(map(type, energy.units)) == (Gaussian, Bernoulli)
        and tuple(map(type, energy.couplings)) == (Dense,)
        and not objective.recipe.quadratic
        and objective.rows.complete
    )


def learn(objective, state, run, clock):
    """Make the updates of a run.

    Parameters
    ----------
    objective : EnergyObjective
    state : TrainState
        Parameters, chains and running means change in place.
    run : Run
    clock : Clock
        Of the epoch.

    Returns
    -------
    state : TrainState
    """
    recipe, real, most = objective.recipe, state.params.dtype.type, run.longest
    persistent, pass_by = recipe.gradient == "pcd", _real_pass
    chains, offsets = state.chains, state.offsets or _lines(objective, real)
    if objective.energy.is_binary_chain:
        pass_by = _binary_pass
    if not persistent:
        chains = _listed(objective, most, real, binary=True)
        if pass_by is _real_pass:
            chains = np.empty((most, objective.energy.units[0].size), real), chains[1]
    numbers = piecewise(recipe.momentum, clock), recipe.l1, recipe.l2
    number = objective.epochs_before + clock.epoch
    how = {
        "root": stream(objective.seed, objective.STEP, number),
        "n_steps": piecewise(recipe.n_steps, clock),
        "numbers": tuple(map(real, numbers)),
        "persistent": persistent,
        "centering": _MODES[recipe.centering],
    }
    times = clock._replace(
        batch=run.first + np.arange(len(run.batches)), n_batches=run.n_batches
    )
    shares = learning_rate(1.0, recipe.schedule, times, recipe.power_t)
    shares = shares * np.ones(len(run.batches))
    pass_by(objective, state, run, chains, offsets, shares, **how)
    if persistent:
        return state
    n_last = len(run.batches[-1])
    return state._replace(near=tuple(part[:n_last] for part in chains))


def _binary_pass(
    objective,
    state,
    run,
    chains,
    offsets,
    shares,
    *,
    root,
    n_steps,
    numbers,
    persistent,
    centering,
):
    """Updates of a chain of binary layers."""
    recipe, rows, real = objective.recipe, objective.rows, state.params.dtype.type
    velocities = state.optimiser.couplings
    v = rows.present(np.concatenate(run.batches), True)
    resample = bool(recipe.resample and not rows.binary)
    pass_over(
        (v.index, v.value, v.count),
        run.edges,
        forms(state.params),
        tuple(part.up if numbers[0] else part.up[:0] for part in velocities),
        (state.params.units, state.optimiser.units),
        (tuple(part.index for part in chains), tuple(part.count for part in chains)),
        offsets,
        _room(objective, run.longest, len(chains[0]), real, resample),
        recipe.learning_rate * shares,
        np.uint64(root.root),
        run.first,
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


def _real_pass(
    objective,
    state,
    run,
    chains,
    offsets,
    shares,
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
    noise = np.empty((len(shares), n_steps, len(chains[0]), unit.size), W.dtype)
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
        shares,
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


def _room(objective, n_rows, n_chains, real, resample):
    """Arrays that the kernel works with, for so many rows of data and so many chains:
    means, what layers receive, and what the first hidden one receives from data; values
    that are not there; bits of the data; means as lists; the few rows by which centring
    changes the gradient, and six rows for each layer."""
    sizes = [unit.size for unit in objective.energy.units]
    most, deep = max(n_rows, n_chains), len(sizes) > 2
    some, centred = n_rows if resample else 0, objective.recipe.centering is not None

    def arrays(n):
        return tuple(np.empty((n, size), real) for size in sizes)

    means = np.empty((some, sizes[0]), real), *arrays(n_rows)[1:]
    bits = np.empty((some, sizes[0]), np.uint32), np.empty(some, np.int64)
    listed = []
    for n in (n_rows, n_chains):
        lists = _listed(objective, n if deep else 0, real, binary=False)
        listed += [tuple(part.index for part in lists)]
        listed += [tuple(part.value for part in lists), np.empty(n, np.int64)]
    lines = [_lines(objective, real) for _ in range(4)]
    known = np.empty((most, sizes[1]), real)
    thin = arrays(2 if centred else 0)
    return means, arrays(most), known, arrays(0), bits, tuple(listed), thin, *lines


def _lines(objective, real):
    """Room for a number for each unit of each layer."""
    return tuple(np.empty(unit.size, real) for unit in objective.energy.units)


def _listed(objective, n_rows, real, binary):
    """Lists for all layers."""
    units = objective.energy.units
    return tuple(Lists.empty(n_rows, unit.size, real, binary) for unit in units)


def _work(objective, reader):
    """Multiply-adds of the largest part of an update."""
    n_rows, n_chains = len(reader.batches[0]), objective.recipe.n_chains
    if objective.recipe.gradient == "cd" or n_chains is None:
        n_chains = n_rows
    sizes = [unit.size for unit in objective.energy.units]
    n_weights = sum(sizes[i] * float(sizes[j]) for i, j, _ in objective.energy.links)
    density = binary.DENSITY if objective.energy.is_binary_chain else 1.0
    return density * (n_rows + n_chains) * n_weights
