r"""One log Z from both sides of annealed importance sampling.

.. math:: \mathbb{E}[\log \hat Z_\text{forward}] \le \log Z \le
   \mathbb{E}[\log \hat Z_\text{reverse}]

The forward estimate tends to be too low, so that likelihoods are too high; the reverse
one too high, if its chains start at samples of the model [1]_. If they do not, the
reverse estimate is below the forward one. So the difference of the two shows how
reliable they are.

Both sides can miss the same part of a model whose probability is not where the data
are, as their base models have the means of data. Chains from fair coins do not; where
they find more, or the sides disagree, all is done again without these means.

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

# More temperatures are tried if sides differ by more than this share of max_gap.
_GOOD = 0.5
# Share of max_se above which no more temperatures are tried: with three times as many
# the standard error is about a half.
_HOPELESS = 2.0
# Nats by which a lower bound on log Z may be above the bracket by the latter's error.
_SLIGHT = 0.1
# Standard errors by which chains from fair coins must find more: a doubt is enough, as
# all is then done again.
_DOUBT = 2.0
_LADDER, _FORWARD, _REVERSE, _BOOTSTRAP, _MODES = addresses.BRACKET
_BLIND = addresses.BRACKET_WITHOUT_MEANS


class Bracket(NamedTuple):
    """Log Z, and an interval for it.

    Parameters
    ----------
    log_Z : float
        The mean of both sides, as their errors have opposite signs; if they are too
        far apart, the higher one.
    se : float
        Its standard error.
    lower, upper : float
        The ends of the hull of both sides' bootstrap intervals; equal if log Z is
        exact.
    ess : float
        Effective number of chains, on the side where it is lower; all of them if
        log Z is exact.
    n_betas : int
        Number of temperatures.
    forward, reverse, tempered : Estimate or None
        By annealing from the base model, by annealing from samples, and, as a third
        estimate, by parallel tempering.
    swap_rates : ndarray or None
        Acceptance rates of swaps in parallel tempering.
    means : tuple of ndarray or None
        Of each block, in the samples where reverse chains start, one a chain.
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
        Numbers of temperatures; the next is tried while the sides disagree.
    schedule : {"linear", "quadratic", "sigmoid", "adaptive"}
    burn_in : int
        Number of Gibbs steps before parallel tempering.
    n_steps : int
        Number of steps of parallel tempering.
    confidence : float
        Of bootstrap intervals.
    max_gap : float
        Difference of the sides, in nats, above which a warning is given.
    n_jobs : int or None
    n_pilot : int
        Number of temperatures of the pilot run.
    max_se : float
        Standard error of log Z, in nats, above which the next number is tried, too,
        unless it is so far above that this would not do.
    """

    n_betas: tuple = (300, 1000, 3000)
    schedule: str = "quadratic"
    burn_in: int = 1000
    n_steps: int = 200
    confidence: float = 0.95
    max_gap: float = MAX_GAP
    n_jobs: int = None
    n_pilot: int = 200
    max_se: float = np.inf


# A first attempt, of a quarter to a half of the usual effort.
BRIEF = AISOptions((100, 300), burn_in=100, n_steps=50, n_pilot=50, max_se=MAX_SE)


def exactly(log_Z, n_chains):
    """Bracket of a log Z that is known exactly."""
    return Bracket(log_Z, 0.0, log_Z, log_Z, float(n_chains))


def estimate(rng, problem, effort=None):
    """Bracket log Z, with a ``LikelihoodWarning`` if both sides disagree, or miss a
    part of the model that parallel tempering or a pilot run finds.

    Parameters
    ----------
    rng : Stream
    problem : Problem
    effort : AISOptions, optional
        By default that of ``BRIEF`` where this is sure, else that of ``AISOptions()``,
        with the result of it alone.

    Returns
    -------
    bracket : Bracket
    """
    blind, there = without_means(problem), _searched(rng, problem)
    if effort is None:
        found, complaints = _compared(rng, problem, BRIEF, blind, there)
        if not complaints and _is_sure(found):
            return found
        effort = AISOptions()
    found, complaints = _compared(rng, problem, effort, blind, there)
    if complaints and blind is not None:
        anew = rng.fold(_BLIND)
        again, others = _tried(anew, blind, effort, _searched(anew, blind))
        if not others or again.log_Z > found.log_Z:
            found, complaints = again, others
    if complaints:
        warn(complaints[0], LikelihoodWarning)
    return found


def _searched(rng, problem):
    """The most probable states; None for machines that are not searched."""
    energy, params, start, _ = problem
    if not modes.serves(energy, params):
        return None
    return modes.search(rng.fold(_MODES), energy, params, start)


def _tried(rng, problem, effort, there):
    """Bracket of log Z from given chains, and from the most probable states where these
    are elsewhere; and complaints about it, a list."""
    found, samples, complaints = _from_chains(rng, problem, effort)
    if there is None:
        return found, complaints
    if modes.apart(samples, there.start):
        other = problem._replace(start=there.start)
        other, _, its = _from_chains(rng.fold(_MODES, 1), other, effort)
        found, complaints = _united(found, complaints, other, its, effort.max_gap)
    if there.floor > found.upper + _SLIGHT:
        complaints = [below(there.floor, found.upper)]
    lower, upper = (
        max(found.lower, there.floor),
        max(found.upper, there.floor + found.se),
    )
    log_Z = max(found.log_Z, there.floor + found.se / 2)
    return found._replace(log_Z=log_Z, lower=lower, upper=upper), complaints


def _united(found, complaints, other, its, max_gap):
    """Bracket from two sets of chains that are not in the same part of a model, and
    complaints: the higher of both, or a hull of either and their sum."""
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
    """Return whether both sides, and tempering as a third estimate, agree within their
    standard errors, and that of log Z is small."""
    up, down, tempered = found.forward, found.reverse, found.tempered
    return (
        found.se <= BRIEF.max_se
        and consistent(up, down)
        and consistent(tempered, Estimate(found.log_Z, found.se, found.ess, ()))
    )


def _compared(rng, problem, effort, blind, there):
    """Bracket of log Z, and complaints about it, a list: among them, that chains from
    fair coins find more than those which know means."""
    found, complaints = _tried(rng, problem, effort, there)
    if blind is not None and not complaints:
        n_chains = len(problem.start.x[0])
        other = piloted(rng.fold(_BLIND), blind, n_chains, effort.n_betas[0])[1]
        if exceeds(other, found.upper, _DOUBT):
            complaints = [missed("fair coins'", other, found.upper)]
    return found, complaints


def _from_chains(rng, problem, effort):
    """Bracket of log Z, the samples where reverse chains start, and complaints."""
    there = reach(rng, problem, effort.burn_in, effort.n_steps, effort.n_pilot)
    n_chains = len(there.samples.x[0])
    energy, params, base = problem.energy, problem.params, there.base
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
            there.samples,
            betas,
            effort.n_jobs,
        )
        se = combined(up, down, effort.max_gap)[1]
        enough = agree(up, down, _GOOD * effort.max_gap) and se <= effort.max_se
        if enough or se > _HOPELESS * effort.max_se:
            break
    generator, confidence = rng.fold(_BOOTSTRAP).generator(), effort.confidence
    ends = (
        *interval(up.log_w, generator, confidence),
        *interval(down.log_w, generator, confidence, sign=-1.0),
    )
    if not agree(up, down, effort.max_gap):
        complaints = [complaint(up, down, n_betas, effort.max_gap)]
    else:
        others = ("tempered", there.tempered), ("pilot", there.pilot)
        complaints = [
            missed(way, other, max(ends))
            for way, other in others
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
        tempered=there.tempered,
        swap_rates=there.swap_rates,
        means=tuple(np.asarray(x, dtype=float).mean(axis=0) for x in there.samples.x),
    )
    return bracket, there.samples, complaints
