"""Updates of a machine, many in one call of a kernel, by one or several threads.

They are those of :meth:`EnergyObjective.step`, from the same random numbers, without
the Python calls between its kernels: an update of a small machine costs what its
arithmetic costs. Interrupts wait for the end of a call, a fraction of a second.

Binary machines learn the same parameters to the last bit. Those with real units or a
label differ by rounding: NumPy and the kernels have each their own exponential
function, and order of sums.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.machines.phases import FIXED, NO_OFFSETS, OF_BOTH, OF_DATA
from skdgm.boltzmann._fused_epochs.updates import (
    Updates,
    bernoulli_updates,
    gaussian_updates,
    label_updates,
    lines,
    listed,
)
from skdgm.couplings import Dense
from skdgm.optim import learning_rate, piecewise
from skdgm.samplers import binary
from skdgm.utils.random import stream
from skdgm.utils.threading.parallel import crew

# Multiply-adds of one call: a fraction of a second.
_MOST = 1e9
# Multiply-adds of an update by Adam up to which a kernel makes it.
_SMALL = 1e7
_MODES = {
    None: NO_OFFSETS,
    "start": FIXED,
    "data": OF_DATA,
    "moving": OF_BOTH,
}


class BatchRun(NamedTuple):
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
        work, n_batches = max(1.0, _work(objective, reader.batches)), len(reader)
        most = _MOST * crew(work) / work
        turns = np.max(objective.options.n_steps)
        if len(objective.energy.layers) > 2:
            # Means are not 0, as states are, and go both ways.
            turns = turns + objective.options.mean_field_steps / binary.DENSITY
        parts = reader.parts(max(1, int(most / turns)))
        self.runs = [BatchRun(first, some, n_batches) for first, some in parts]
        self.n_updates = n_batches

    def __len__(self):
        return len(self.runs)

    def __iter__(self):
        return iter(self.runs)


def in_runs(objective, reader):
    """Join the batches of an epoch to runs, where a kernel serves.

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
    """Return whether a kernel makes the updates that options ask for.

    Parameters
    ----------
    objective : EnergyObjective
    reader : Reader
        The batches of an epoch.

    Returns
    -------
    serves : bool
    """
    options, energy = objective.options, objective.energy
    if not (
        objective.phase.fused
        and energy.has_matrices
        and options.negative == "samples"
        and options.sparsity_target is None
        and np.max(options.n_steps) <= binary.MAX_STEPS
    ):
        return False
    if objective.label is not None:
        update = updates_of(objective) if reader.lists else None
        small = _work(objective, reader.batches) <= _SMALL
        known = update and objective.rows.given.known.all()
        return bool(known and (small or update is bernoulli_updates))
    by_momentum = options.solver == "sgd"
    if energy.is_binary_chain:
        return by_momentum and reader.lists
    return by_momentum and _is_real(objective)


def updates_of(objective):
    """Function that makes the updates of a machine of known labels, or of another."""
    energy, options = objective.energy, objective.options
    if objective.label is None:
        binary_below = energy.units[0].form == "bits"
        return bernoulli_updates if binary_below else gaussian_updates
    if energy.is_labelled_chain:
        return bernoulli_updates if options.solver == "sgd" else None
    if (
        [unit.form for unit in energy.units] != ["bits", "one", "bits"]
        or tuple(map(type, energy.couplings)) != (Dense, Dense)
        or options.objective is None
    ):
        return None
    if options.solver == "sgd":
        return bernoulli_updates if options.objective == "generative" else None
    return label_updates if objective.centering is None else None


def _is_real(objective):
    """Return whether a machine has complete real units under one binary layer."""
    energy = objective.energy
    return (
        [unit.form for unit in energy.units] == ["normal", "bits"]
        and tuple(map(type, energy.couplings)) == (Dense,)
        and not objective.options.quadratic
        and objective.rows.complete
    )


def learn(objective, state, run, clock):
    """Make the updates of a run.

    Parameters
    ----------
    objective : EnergyObjective
    state : TrainState
        Parameters, chains and running means change in place.
    run : BatchRun
    clock : Clock
        Of the epoch.

    Returns
    -------
    state : TrainState
    """
    options, real, most = objective.options, state.params.dtype.type, run.longest
    persistent, update = objective.phase.persistent, updates_of(objective)
    chains = state.chains if persistent else listed(objective, most, real)
    if not persistent and update is gaussian_updates:
        chains = np.empty((most, objective.energy.units[0].size), real), chains[1]
    number = objective.epochs_before + clock.epoch
    times = clock._replace(
        batch=run.first + np.arange(len(run.batches)), n_batches=run.n_batches
    )

    def rates(initial):
        rate = learning_rate(initial, options.schedule, times, options.power_t)
        return rate * np.ones(len(run.batches))

    update(
        Updates(
            objective=objective,
            state=state,
            run=run,
            chains=chains,
            offsets=state.offsets or lines(objective, real),
            rates=rates,
            root=stream(objective.seed, objective.STEP, number),
            n_steps=piecewise(options.n_steps, clock),
            momentum=piecewise(options.momentum, clock),
            persistent=persistent,
            centering=_MODES[objective.centering],
            work=_work(objective, run.batches),
        )
    )
    return state


def _work(objective, batches):
    """Multiply-adds of the largest part of an update."""
    n_rows, n_chains = len(batches[0]), objective.options.n_chains
    if n_chains is None or not objective.phase.persistent:
        n_chains = n_rows
    real = objective.energy.units[0].form == "normal"
    density = 1.0 if real else binary.DENSITY
    return density * (n_rows + n_chains) * _n_weights(objective.energy)


def _n_weights(energy):
    """Number of weights of all links."""
    sizes = [unit.size for unit in energy.units]
    return sum(sizes[i] * float(sizes[j]) for i, j, _ in energy.links)
