r"""Bracket of log Z by forward and reverse annealed importance sampling.

.. math:: \mathbb{E}[\log \hat Z_\text{forward}] \le \log Z \le
   \mathbb{E}[\log \hat Z_\text{reverse}]

The forward estimate is too low on average, and the reverse estimate is too high if its
chains start from samples of the model [1]_. If they do not, the reverse estimate can be
below the forward estimate. The difference of the two estimates thus shows their
reliability.

Base models have the means of the data, so that both estimates can miss probability mass
far from the data. Chains that start from fair coins check for such mass. If they find a
larger log Z, or if the two estimates disagree, the estimation is repeated without these
means.

References
----------
.. [1] Burda, Grosse and Salakhutdinov (2015). Accurate and conservative estimates
   of MRF log-likelihood using reverse annealing. AISTATS.
"""

from typing import NamedTuple

import numpy as np

from skdgm.exceptions import LikelihoodWarning
from skdgm.partition import ais, ladder, modes
from skdgm.partition.equilibrium import piloted, reach, without_means
from skdgm.partition.estimate import (
    MAX_GAP,
    MAX_SE,
    Estimate,
    agree,
    below,
    combined,
    complaint,
    consistent,
    elsewhere,
    exceeds,
    interval,
    missed,
)
from skdgm.utils import addresses
from skdgm.utils.threading.callers import warn

# More temperatures are tried if estimates differ by more than this share of max_gap.
_GOOD = 0.5
# Multiple of max_se above which no more temperatures are tried: three times as many
# temperatures only halve the standard error.
_HOPELESS = 2.0
# Nats by which a lower bound on log Z may exceed the bracket because of its error.
_SLIGHT = 0.1
# Standard errors by which log Z from fair coins must exceed the bracket. A low value
# suffices, because the estimation is then repeated.
_DOUBT = 2.0
_LADDER, _FORWARD, _REVERSE, _BOOTSTRAP, _MODES = addresses.BRACKET
_BLIND = addresses.BRACKET_WITHOUT_MEANS


class Bracket(NamedTuple):
    """Estimate of log Z with lower and upper ends.

    Parameters
    ----------
    log_Z : float
        Mean of the forward and reverse estimates, whose errors have opposite signs; the
        higher estimate if they disagree.
    se : float
        Standard error of log Z.
    lower, upper : float
        Ends of the hull of the two bootstrap intervals; equal if log Z is exact.
    ess : float
        Effective number of chains, the smaller of both estimates; their total number if
        log Z is exact.
    n_betas : int
        Number of inverse temperatures.
    forward, reverse, tempered : Estimate or None
        Estimates by annealing from the base model, by annealing from samples, and by
        parallel tempering.
    swap_rates : ndarray or None
        Acceptance rates of swaps in parallel tempering.
    means : tuple of ndarray or None
        Means of each block over the samples from which reverse chains start.
    """

    log_Z: float
    se: float
    lower: float
    upper: float
    ess: float
    n_betas: int = 0
    forward: Estimate = None
    reverse: Estimate = None
    tempered: Estimate = None
    swap_rates: np.ndarray = None
    means: tuple = None


class AISOptions(NamedTuple):
    """Options of annealed importance sampling.

    Parameters
    ----------
    n_betas : tuple of int
        Numbers of inverse temperatures, tried in turn until the estimates agree.
    schedule : {"linear", "quadratic", "sigmoid", "adaptive"}
    burn_in : int
        Number of Gibbs steps before parallel tempering.
    n_steps : int
        Number of steps of parallel tempering.
    confidence : float
        Confidence level of bootstrap intervals.
    max_gap : float
        Difference of the estimates, in nats, above which there is a warning.
    n_jobs : int or None
    n_pilot : int
        Number of inverse temperatures of the pilot run.
    max_se : float
        Standard error of log Z, in nats, above which the next number is also tried,
        unless the error is too large for this to suffice.
    """

    n_betas: tuple = (300, 1000, 3000)
    schedule: str | None = "quadratic"
    burn_in: int = 1000
    n_steps: int = 200
    confidence: float = 0.95
    max_gap: float = MAX_GAP
    n_jobs: int = None
    n_pilot: int = 200
    max_se: float = np.inf


# Options of a first attempt, at a quarter to a half of the usual cost.
BRIEF = AISOptions((100, 300), burn_in=100, n_steps=50, n_pilot=50, max_se=MAX_SE)


def exactly(log_Z, n_chains):
    """Bracket of a log Z that is known exactly."""
    return Bracket(log_Z, 0.0, log_Z, log_Z, float(n_chains))


def estimate(rng, problem, effort=None):
    """Estimate a bracket of log Z.

    A ``LikelihoodWarning`` is issued if the two estimates disagree, or if they miss
    probability mass that parallel tempering or a pilot run finds. By default the
    options are ``BRIEF``, and then ``AISOptions()`` if the first result is not
    reliable.
    """
    fair, modes_found = without_means(problem), _searched(rng, problem)
    if effort is None:
        bracket, complaints = _compared(rng, problem, BRIEF, fair, modes_found)
        if not complaints and _is_sure(bracket):
            return bracket
        effort = AISOptions()
    bracket, complaints = _compared(rng, problem, effort, fair, modes_found)
    if complaints and fair is not None:
        fair_rng = rng.fold(_BLIND)
        retry, remaining = _tried(fair_rng, fair, effort, _searched(fair_rng, fair))
        if not remaining or retry.log_Z > bracket.log_Z:
            bracket, complaints = retry, remaining
    if complaints:
        warn(complaints[0], LikelihoodWarning)
    return bracket


def _searched(rng, problem):
    """Search for the most probable states; None for machines without the search."""
    energy, params, start, _ = problem
    if not modes.can_search(energy, params):
        return None
    return modes.search(rng.fold(_MODES), energy, params, start)


def _tried(rng, problem, effort, found_modes):
    """Bracket of log Z from given chains, combined with chains from the most probable
    states if the two are in different regions; and a list of complaints."""
    bracket, samples, complaints = _from_chains(rng, problem, effort)
    if found_modes is None:
        return bracket, complaints
    if modes.are_separate(samples, found_modes.start):
        from_modes = problem._replace(start=found_modes.start)
        from_modes, _, doubts = _from_chains(rng.fold(_MODES, 1), from_modes, effort)
        bracket, complaints = _united(
            bracket, complaints, from_modes, doubts, effort.max_gap
        )
    if found_modes.floor > bracket.upper + _SLIGHT:
        complaints = [below(found_modes.floor, bracket.upper)]
    lower, upper = (
        max(bracket.lower, found_modes.floor),
        max(bracket.upper, found_modes.floor + bracket.se),
    )
    log_Z = max(bracket.log_Z, found_modes.floor + bracket.se / 2)
    return bracket._replace(log_Z=log_Z, lower=lower, upper=upper), complaints


def _united(found, complaints, other, its, max_gap):
    """Combine brackets and complaints from two sets of chains in different regions.

    The higher bracket is used if they differ by more than ``max_gap``. Otherwise the
    upper end is that of the sum of the two partition functions.
    """
    high, low = sorted((found, other), key=lambda own: -own.log_Z)
    if high.log_Z - low.log_Z > max_gap:
        if high is other:
            its = [elsewhere(found.log_Z, other.log_Z)]
        return high, its if high is other else complaints
    upper = float(np.logaddexp(found.upper, other.upper))
    lower = max(found.lower, other.lower)
    log_Z = max(high.log_Z, lower)
    return high._replace(log_Z=log_Z, lower=lower, upper=upper), complaints or its


def _is_sure(found):
    """Return whether forward, reverse and tempered estimates agree within their
    standard errors, and the standard error of log Z is small."""
    up, down, tempered = found.forward, found.reverse, found.tempered
    return (
        found.se <= BRIEF.max_se
        and consistent(up, down)
        and consistent(tempered, Estimate(found.log_Z, found.se, found.ess, ()))
    )


def _compared(rng, problem, effort, blind, found_modes):
    """Bracket of log Z, and a list of complaints, which includes a larger log Z from
    chains that start from fair coins."""
    bracket, complaints = _tried(rng, problem, effort, found_modes)
    if blind is not None and not complaints:
        n_chains = len(problem.start.x[0])
        pilot = piloted(rng.fold(_BLIND), blind, n_chains, effort.n_betas[0])[1]
        if exceeds(pilot, bracket.upper, _DOUBT):
            complaints = [missed("fair coins'", pilot, bracket.upper)]
    return bracket, complaints


def _from_chains(rng, problem, effort):
    """Bracket of log Z, samples from which reverse chains start, and complaints."""
    reached = reach(rng, problem, effort.burn_in, effort.n_steps, effort.n_pilot)
    n_chains = len(reached.samples.x[0])
    energy, params, base = problem.energy, problem.params, reached.base
    n_jobs = effort.n_jobs
    for n_betas in effort.n_betas:
        if effort.schedule == "adaptive":
            pilot = rng.fold(_LADDER)
            betas = ladder.adaptive(pilot, energy, params, base, n_chains, n_betas)
        else:
            betas = getattr(ladder, effort.schedule)(n_betas)
        up = ais.forward(
            rng.fold(_FORWARD), energy, params, base, n_chains, betas, n_jobs
        )
        down = ais.reverse(
            rng.fold(_REVERSE),
            energy,
            params,
            base,
            reached.samples,
            betas,
            effort.n_jobs,
        )
        se = combined(up, down, effort.max_gap)[1]
        is_enough = agree(up, down, _GOOD * effort.max_gap) and se <= effort.max_se
        if is_enough or se > _HOPELESS * effort.max_se:
            break
    generator, confidence = rng.fold(_BOOTSTRAP).generator(), effort.confidence
    ends = (
        *interval(up.log_w, generator, confidence),
        *interval(down.log_w, generator, confidence, sign=-1.0),
    )
    if not agree(up, down, effort.max_gap):
        complaints = [complaint(up, down, n_betas, effort.max_gap)]
    else:
        others = ("tempered", reached.tempered), ("pilot", reached.pilot)
        complaints = [
            missed(name, other, max(ends))
            for name, other in others
            if exceeds(other, max(ends))
        ]
    log_Z, se = combined(up, down, effort.max_gap)
    bracket = Bracket(
        log_Z,
        se,
        min(ends),
        max(ends),
        ess=min(up.ess, down.ess),
        n_betas=len(betas),
        forward=up,
        reverse=down,
        tempered=reached.tempered,
        swap_rates=reached.swap_rates,
        means=tuple(np.asarray(x, dtype=float).mean(axis=0) for x in reached.samples.x),
    )
    return bracket, reached.samples, complaints
