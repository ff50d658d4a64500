"""Updates of a small machine, many in one call of a kernel.

They are those of :meth:`EnergyObjective.step`, from the same random numbers, without
the Python calls between its kernels: an update of a small machine costs what its
arithmetic costs. Interrupts wait for the end of a call, a fraction of a second.

Binary machines learn the same parameters to the last bit. Those with real units or a
label differ by rounding: NumPy and the kernels have each their own exponential
function, and order of sums.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.phases import FIXED, NO_OFFSETS, OF_BOTH, OF_DATA
from skdgm.boltzmann._updates import binary_pass, lines, listed, real_pass_over
from skdgm.couplings import Dense
from skdgm.data.labels import UNKNOWN
from skdgm.distributions import Bernoulli, Gaussian, Softmax
from skdgm.optim import learning_rate, piecewise
from skdgm.samplers import binary
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
        turns, deep = np.max(objective.recipe.n_steps), len(objective.energy.layers) > 2
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
        # Else mean field is not that of the kernel, on several threads.
        deep = len(objective.energy.units) > 2
        fits = fits and (not deep or _n_weights(objective.energy) <= binary.SMALL)
    elif objective.label is not None:
        fits = _is_labelled(objective) and reader.lists
        fits = fits and _work(objective, reader) <= _SMALL
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


def _is_labelled(objective):
    """Return whether a machine has one binary hidden layer, binary visible units and
    beside them a label, which is known, and learns their joint distribution."""
    energy = objective.energy
    return (
        tuple(map(type, energy.units)) == (Bernoulli, Softmax, Bernoulli)
        and tuple(map(type, energy.couplings)) == (Dense, Dense)
        and getattr(objective.recipe, "objective", None) == "generative"
        and bool((objective.rows.labels != UNKNOWN).all())
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
    persistent, pass_by = recipe.gradient == "pcd", real_pass_over
    chains, offsets = state.chains, state.offsets or lines(objective, real)
    if type(objective.energy.units[0]) is Bernoulli:
        pass_by = binary_pass
    if not persistent:
        chains = listed(objective, most, real)
        if pass_by is real_pass_over:
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

    def rates(initial):
        rate = learning_rate(initial, recipe.schedule, times, recipe.power_t)
        return rate * np.ones(len(run.batches))

    pass_by(objective, state, run, chains, offsets, rates, **how)
    if persistent:
        return state
    n_last = len(run.batches[-1])
    return state._replace(near=tuple(part[:n_last] for part in chains))


def _work(objective, reader):
    """Multiply-adds of the largest part of an update."""
    n_rows, n_chains = len(reader.batches[0]), objective.recipe.n_chains
    if objective.recipe.gradient == "cd" or n_chains is None:
        n_chains = n_rows
    real = type(objective.energy.units[0]) is Gaussian
    density = 1.0 if real else binary.DENSITY
    return density * (n_rows + n_chains) * _n_weights(objective.energy)


def _n_weights(energy):
    """Number of weights of all links."""
    sizes = [unit.size for unit in energy.units]
    return sum(sizes[i] * float(sizes[j]) for i, j, _ in energy.links)
