"""Samples of a model and base models, which annealing needs.

Reverse annealing is only as good as its samples. Chains first run independently, and
then by parallel tempering between the model and a base model without couplings.
Temperatures are a unit of thermodynamic length apart, so that about a third of the
swaps are accepted for models of any size.

The base model of annealing has the means of the samples, since the path is short if the
base model is close to the model. The base model of tempering should reach states that
the samples miss, so that all units without known means are fair coins.
"""

from typing import Any, NamedTuple

import numpy as np

from skdgm.energies import Path
from skdgm.partition import ladder
from skdgm.partition.estimate import Estimate, of_weights
from skdgm.samplers import Gibbs, Ladder, ParallelTempering, State

_RUN, _PILOT, _WARM, _TEMPER = range(4)
MIN_TEMPERATURES, MAX_TEMPERATURES = 3, 32
# Number of Gibbs steps at each temperature when replicas are annealed.
_STEPS = 5


class Problem(NamedTuple):
    """A model whose log Z is estimated: energy, parameters, initial states of chains,
    and for each block the moments that are known from data, or None."""

    energy: object
    params: object
    start: State
    moments: tuple


class Equilibrium(NamedTuple):
    """Input of annealing.

    ``samples`` has a sample for each chain, and ``base`` is the base model and its log
    Z. ``tempered`` and ``pilot`` are estimates by parallel tempering, with its
    ``swap_rates``, and by annealing from fair coins at few temperatures.
    """

    samples: State
    base: tuple
    tempered: Estimate
    pilot: Estimate
    swap_rates: np.ndarray


def reach(rng, problem, burn_in, n_steps, n_pilot=200):
    """Run chains independently for ``burn_in`` steps, and then by parallel tempering
    for ``n_steps`` steps, of which the second half gives an estimate of log Z. A pilot
    run at ``n_pilot`` temperatures determines the number of temperatures."""
    energy, params, state, _ = problem
    n_chains = len(state.x[0])
    if burn_in:
        gibbs = Gibbs(energy, colors=energy.backwards)
        state, _ = gibbs.step(rng.fold(_RUN).rows(n_chains), params, state, burn_in)
    base = _fair(problem)
    (betas, steps), pilot = piloted(rng.fold(_PILOT), problem, n_chains, n_pilot)
    betas = ladder.unit_lengths(betas, steps, MIN_TEMPERATURES, MAX_TEMPERATURES)
    levels = Ladder(betas[::-1], base[0])
    sampler, trace = ParallelTempering(energy, levels), []
    rates: Any = 0.0
    replicas = _replicas(rng.fold(_WARM), problem, state, levels)
    rows = rng.fold(_TEMPER).rows(len(replicas.x[0]))
    for number in range(n_steps):
        replicas, info = sampler.step(rows, params, replicas, first=number)
        trace.append(info.drive)
        rates = rates + info.swap_rates
    coldest = (np.asarray(values) for values in sampler.coldest(replicas))
    samples = State(_packed(energy, coldest))
    tempered = ladder.bridge(np.array(trace[n_steps // 2 :]), levels, base[1])
    annealing_base = _near(problem, samples)
    return Equilibrium(samples, annealing_base, tempered, pilot, rates / n_steps)


def piloted(rng, problem, n_chains, n_betas):
    """Pilot run from fair coins, or known means, as returned by
    :func:`~skdgm.partition.ladder.pilot`, and its estimate of log Z."""
    base = _fair(problem)
    run = ladder.pilot(rng, problem.energy, problem.params, base, n_chains, n_betas)
    return run, of_weights(run[1].sum(axis=0), base[1])


def without_means(problem):
    """The problem without known means of bits and categories, or None."""
    units = zip(problem.energy.units, problem.moments)
    known = [m is not None and u.form in ("bits", "sites") for u, m in units]
    if not any(known):
        return None
    moments = (None if k else m for k, m in zip(known, problem.moments))
    return problem._replace(moments=tuple(moments))


def _replicas(rng, problem, state, rungs):
    """Replicas annealed from the base model; the coldest are the chains of ``state``.

    Replicas that have not equilibrated are too hot, so that their log Z is too low.
    """
    energy, params, n_chains = problem.energy, problem.params, len(state.x[0])
    rows, levels = rng.rows(n_chains), [state.x]
    replica = Gibbs(energy).init(rows, rungs.base)
    for level, beta in enumerate(rungs.betas[:0:-1]):
        path = Path(rungs.base, params.dtype.type(beta))
        sampler = Gibbs(energy, colors=energy.backwards, path=path)
        replica, _ = sampler.step(rows.fold(level), params, replica, _STEPS)
        levels.insert(1, replica.x)
    stacked = (np.concatenate(list(map(np.asarray, blocks))) for blocks in zip(*levels))
    return State(_packed(energy, stacked))


def _packed(energy, parts):
    return tuple(unit.pack(part) for unit, part in zip(energy.units, parts))


def _fair(problem):
    """Base model with the means of known blocks, and equally likely states elsewhere
    (fair coins for binary units)."""
    energy, params, _, known = problem
    moments = (
        unit.mean(unit.field(unit.init())) if moment is None else moment
        for unit, moment in zip(energy.units, known)
    )
    return energy.base(params, tuple(moments))


def _near(problem, state):
    """Base model with the means of known blocks, and elsewhere the means of the
    samples, smoothed by a pseudo-count of one for either value."""
    energy, params, _, known = problem
    n_seen = len(state.x[0])
    moments = (
        (n_seen * np.asarray(x).mean(axis=0) + 1) / (n_seen + 2)
        if moment is None
        else moment
        for moment, x in zip(known, state.x)
    )
    return energy.base(params, tuple(moments))
