"""Updates of a small binary machine, many in one call of a kernel.

They are those of :meth:`EnergyObjective.step`, from the same random numbers, without
the Python calls between its kernels: an update of a small machine costs what its
arithmetic costs. Interrupts wait for the end of a call, a fraction of a second.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.pass_over import FIXED, NO_OFFSETS, OF_BOTH, OF_DATA, pass_over
from skdgm.energies import forms
from skdgm.gradients import centering
from skdgm.inference import TOLERANCE
from skdgm.optim import learning_rate, piecewise
from skdgm.samplers import binary
from skdgm.utils.lists import Lists
from skdgm.utils.parallel import worthwhile
from skdgm.utils.random import stream

# Multiply-adds of one call: a fraction of a second.
_MOST = 1e9
_MODES = {
    None: NO_OFFSETS,
    "start": FIXED,
    "data": OF_DATA,
    "moving": OF_BOTH,
}


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
    recipe, energy = objective.recipe, objective.energy
    return (
        objective.plain
        and energy.is_binary_chain
        and reader.lists
        and recipe.gradient in ("pcd", "cd")
        and recipe.negative == "samples"
        and recipe.solver == "sgd"
        and recipe.max_norm is None
        and recipe.sparsity_target is None
        and np.max(recipe.n_steps) <= binary.MAX_STEPS
        and not worthwhile(_work(objective, reader))
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
    recipe, rows, real = objective.recipe, objective.rows, state.params.dtype.type
    sizes, persistent = list(map(len, run.batches)), recipe.gradient == "pcd"
    chains = state.chains
    if not persistent:
        chains = _listed(objective, max(sizes), real, binary=True)
    momentum = real(piecewise(recipe.momentum, clock))
    times = clock._replace(
        batch=run.first + np.arange(len(sizes)), n_batches=run.n_batches
    )
    rates = learning_rate(recipe.learning_rate, recipe.schedule, times, recipe.power_t)
    number = objective.epochs_before + clock.epoch
    key = stream(objective.seed, objective.STEP, number).root
    velocities = state.optimiser.couplings
    v = rows.present(np.concatenate(run.batches), True)
    resample = bool(recipe.resample and not rows.binary)
    pass_over(
        (v.index, v.value, v.count),
        np.cumsum([0, *sizes]),
        forms(state.params),
        tuple(part.up if momentum else part.up[:0] for part in velocities),
        (state.params.units, state.optimiser.units),
        (tuple(part.index for part in chains), tuple(part.count for part in chains)),
        state.offsets or state.params.units,
        _room(objective, max(sizes), len(chains[0]), real, resample),
        rates * np.ones(len(sizes)),
        np.uint64(key),
        run.first,
        piecewise(recipe.n_steps, clock),
        recipe.mean_field_steps,
        real(TOLERANCE),
        (momentum, real(recipe.l1), real(recipe.l2)),
        real(centering.RATE),
        resample,
        persistent,
        _MODES[recipe.centering],
    )
    if persistent:
        return state
    return state._replace(near=tuple(part[: sizes[-1]] for part in chains))


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
    lines = [tuple(np.empty(size, real) for size in sizes) for _ in range(4)]
    known = np.empty((most, sizes[1]), real)
    thin = arrays(2 if centred else 0)
    return means, arrays(most), known, arrays(0), bits, tuple(listed), thin, *lines


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
    return binary.DENSITY * (n_rows + n_chains) * n_weights
