"""Runs of updates of a machine, each in one call of a kernel, by one or several
threads.

The updates are those of :meth:`EnergyObjective.step`, from the same random numbers, but
without Python calls between kernels, which would dominate the cost of small machines.
Interrupts are handled at the end of a call, after a fraction of a second.

Parameters of binary machines are equal to the last bit. With real units or a label they
differ by rounding, since NumPy and the kernels have different exponential functions and
orders of summation.
"""

from typing import Any, NamedTuple

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
from skdgm.utils.threading.parallel import n_efficient_threads

# Maximum number of multiply-adds of a call, which takes a fraction of a second.
_MAX_WORK = 1e9
# Maximum number of multiply-adds of an update by Adam in a kernel.
_SMALL = 1e7
_MODES = {
    None: NO_OFFSETS,
    "start": FIXED,
    "data": OF_DATA,
    "moving": OF_BOTH,
}


class BatchRun(NamedTuple):
    """Consecutive batches of an epoch: number of the first batch, row numbers of each
    batch, and number of batches of the epoch."""

    first: int
    batches: list
    n_batches: int

    @property
    def longest(self):
        """Number of rows of the largest batch."""
        return max(map(len, self.batches))

    @property
    def edges(self):
        """Position of the first row of each batch in the joined batches, and their
        total length."""
        return np.cumsum([0, *map(len, self.batches)])


class Runs:
    """Sized iterable of the runs of an epoch, whose batches are those of a reader."""

    def __init__(self, objective, reader):
        work, n_batches = max(1.0, _work(objective, reader.batches)), len(reader)
        max_work = _MAX_WORK * n_efficient_threads(work) / work
        n_turns = np.max(objective.options.n_steps)
        if len(objective.energy.layers) > 2:
            # Unlike states, means are seldom 0, and sweeps go in both directions.
            n_turns = n_turns + objective.options.mean_field_steps / binary.DENSITY
        parts = reader.parts(max(1, int(max_work / n_turns)))
        self.runs = [BatchRun(first, batches, n_batches) for first, batches in parts]
        self.n_updates = n_batches

    def __len__(self):
        return len(self.runs)

    def __iter__(self):
        return iter(self.runs)


def in_runs(objective, reader):
    """The batches of an epoch as :class:`Runs` if a kernel exists, otherwise the
    reader."""
    return Runs(objective, reader) if supports_epoch(objective, reader) else reader


def supports_epoch(objective, reader):
    """Return whether a kernel can make the updates for the options of an objective."""
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
        is_small = _work(objective, reader.batches) <= _SMALL
        known = update and objective.rows.given.known.all()
        return bool(known and (is_small or update is bernoulli_updates))
    is_sgd = options.solver == "sgd"
    if energy.is_binary_chain:
        return is_sgd and reader.lists
    return is_sgd and _is_real(objective)


def updates_of(objective):
    """Function that makes the updates of a machine with known labels or without a
    label; None if there is no kernel."""
    energy, options = objective.energy, objective.options
    if objective.label is None:
        binary_below = energy.units[0].form == "bits"
        return bernoulli_updates if binary_below else gaussian_updates
    if energy.is_labeled_chain:
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
    """Return whether a machine has complete real units below one binary layer."""
    energy = objective.energy
    return (
        [unit.form for unit in energy.units] == ["normal", "bits"]
        and tuple(map(type, energy.couplings)) == (Dense,)
        and not objective.options.quadratic
        and objective.rows.complete
    )


def learn(objective, state, run, clock):
    """Make the updates of a run, and return the state, which changes in place.
    ``clock`` is that of the epoch."""
    options, dtype, n_rows = objective.options, state.params.dtype.type, run.longest
    persistent: bool = objective.phase.persistent
    update: Any = updates_of(objective)
    chains = state.chains if persistent else listed(objective, n_rows, dtype)
    if not persistent and update is gaussian_updates:
        chains = np.empty((n_rows, objective.energy.units[0].size), dtype), chains[1]
    epoch = objective.epochs_before + clock.epoch
    clocks = clock._replace(
        batch=run.first + np.arange(len(run.batches)), n_batches=run.n_batches
    )

    def rates(initial):
        rate = learning_rate(initial, options.schedule, clocks, options.power_t)
        return rate * np.ones(len(run.batches))

    update(
        Updates(
            objective=objective,
            state=state,
            run=run,
            chains=chains,
            offsets=state.offsets or lines(objective, dtype),
            rates=rates,
            root=stream(objective.seed, objective.STEP, epoch),
            n_steps=piecewise(options.n_steps, clock),
            momentum=piecewise(options.momentum, clock),
            persistent=persistent,
            centering=_MODES[objective.centering],
            work=_work(objective, run.batches),
        )
    )
    return state


def _work(objective, batches):
    """Approximate number of multiply-adds of an update."""
    n_rows, n_chains = len(batches[0]), objective.options.n_chains
    if n_chains is None or not objective.phase.persistent:
        n_chains = n_rows
    is_real = objective.energy.units[0].form == "normal"
    density = 1.0 if is_real else binary.DENSITY
    return density * (n_rows + n_chains) * _n_weights(objective.energy)


def _n_weights(energy):
    """Number of weights of all links."""
    sizes = [unit.size for unit in energy.units]
    return sum(sizes[i] * float(sizes[j]) for i, j, _ in energy.links)
