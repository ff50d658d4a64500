"""Samples of a model, and the base model of annealing.

Reverse annealing is only as good as its samples. They come from chains that run
independently first, and then by parallel tempering between the model and a base model
without couplings, at temperatures a unit of thermodynamic length apart: so close that
about a third of the swaps are accepted, for models of any size.

The base model of annealing has the means of the samples: the closer it is, the shorter
the path. That of tempering should reach states that the samples miss: all its units but
those with known means are fair coins.
"""

from typing import NamedTuple

import numpy as np

from skdgm.energies import Path
from skdgm.partition import ladder
from skdgm.partition.estimate import Estimate, of_weights
from skdgm.samplers import Gibbs, Ladder, State, Tempering

_RUN, _PILOT, _WARM, _TEMPER = range(4)
MIN_TEMPERATURES, MAX_TEMPERATURES = 3, 32
# Number of Gibbs steps at each temperature on the way from the base model.
_STEPS = 5


class Problem(NamedTuple):
    """A model whose log Z is estimated: energy, parameters, initial states of its
    chains, and for each block the moments that are known from data, or None."""

    energy: object
    params: object
    start: State
    moments: tuple


class Equilibrium(NamedTuple):
    """Input of annealing: a sample for each chain; a base model and its log Z; log Z by
    parallel tempering, with its swap rates, and by annealing from fair coins at few
    temperatures (``pilot``)."""

    samples: State
    base: tuple
    tempered: Estimate
    pilot: Estimate
    swap_rates: np.ndarray


def reach(rng, problem, burn_in, n_steps, n_pilot=200):
    """Run chains independently for ``burn_in`` steps, and then for ``n_steps`` at
    several temperatures, whose number a pilot run of ``n_pilot`` temperatures gives;
    the second half of them gives a log Z."""
    energy, params, state, _ = problem
    n_chains = len(state.x[0])
    if burn_in:
        alone = Gibbs(energy, colours=energy.backwards)
        state, _ = alone.step(rng.fold(_RUN).rows(n_chains), params, state, burn_in)
    base = _fair(problem)
    (betas, steps), first = piloted(rng.fold(_PILOT), problem, n_chains, n_pilot)
    betas = ladder.unit_lengths(betas, steps, MIN_TEMPERATURES, MAX_TEMPERATURES)
    rungs = Ladder(betas[::-1], base[0])
    sampler, trace, rates = Tempering(energy, rungs), [], 0.0
    replicas = _replicas(rng.fold(_WARM), problem, state, rungs)
    rows = rng.fold(_TEMPER).rows(len(replicas.x[0]))
    for number in range(n_steps):
        replicas, info = sampler.step(rows, params, replicas, first=number)
        trace.append(info.drive)
        rates = rates + info.swap_rates
    cold = (np.asarray(part) for part in sampler.coldest(replicas))
    samples = State(_packed(energy, cold))
    tempered = ladder.bridge(np.array(trace[n_steps // 2 :]), rungs, base[1])
    near = _near(problem, samples)
    return Equilibrium(samples, near, tempered, first, rates / n_steps)


def piloted(rng, problem, n_chains, n_betas):
    """Pilot run from fair coins, where means are not known, as
    :func:`~skdgm.partition.ladder.pilot` returns it, and the estimate of its log Z."""
    base = _fair(problem)
    run = ladder.pilot(rng, problem.energy, problem.params, base, n_chains, n_betas)
    return run, of_weights(run[1].sum(axis=0), base[1])


def without_means(problem):
    """The problem as if no means of bits and of categories were known; None if none
    are."""
    units = zip(problem.energy.units, problem.moments)
    known = [m is not None and u.form in ("bits", "sites") for u, m in units]
    if not any(known):
        return None
    moments = (None if k else m for k, m in zip(known, problem.moments))
    return problem._replace(moments=tuple(moments))


def _replicas(rng, problem, state, rungs):
    """Replicas annealed from the base model; the coldest are the chains of ``state``.

    Replicas that lag are too hot, and their log Z is too low.
    """
    energy, params, n_chains = problem.energy, problem.params, len(state.x[0])
    rows, levels = rng.rows(n_chains), [state.x]
    warm = Gibbs(energy).init(rows, rungs.base)
    for level, beta in enumerate(rungs.betas[:0:-1]):
        path = Path(rungs.base, params.dtype.type(beta))
        sampler = Gibbs(energy, colours=energy.backwards, path=path)
        warm, _ = sampler.step(rows.fold(level), params, warm, _STEPS)
        levels.insert(1, warm.x)
    parts = (np.concatenate(list(map(np.asarray, blocks))) for blocks in zip(*levels))
    return State(_packed(energy, parts))


def _packed(energy, parts):
    return tuple(unit.pack(part) for unit, part in zip(energy.units, parts))


def _fair(problem):
    """The base model with the means of known blocks, and equally likely states
    elsewhere: fair coins, where units are binary."""
    energy, params, _, known = problem
    moments = (
        unit.mean(unit.field(unit.init())) if moment is None else moment
        for unit, moment in zip(energy.units, known)
    )
    return energy.base(params, tuple(moments))


def _near(problem, state):
    """The base model with the means of known blocks, and of the samples for the others,
    smoothed as if either value had been seen once more."""
    energy, params, _, known = problem
    n_seen = len(state.x[0])
    moments = (
        (n_seen * np.asarray(x).mean(axis=0) + 1) / (n_seen + 2)
        if moment is None
        else moment
        for moment, x in zip(known, state.x)
    )
    return energy.base(params, tuple(moments))
