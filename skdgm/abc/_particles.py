r"""Populations of parameters whose simulations are near the data.

The nearest of each population are kept, and new parameters are drawn from a mixture of
normal distributions around these, with twice their covariance [1]_:

.. math:: q(\theta) = \sum_j W_j \, \mathcal{N}(\theta; \theta_j, 2 \hat\Sigma), \qquad
   w_i = \frac{\pi(\theta_i)}{q(\theta_i)}

Each generation of parameters is an importance sample, with weights up to a factor.
Samples are joined in proportion to their effective sizes.

References
----------
.. [1] Beaumont, Cornuet, Marin and Robert (2009). Adaptive approximate Bayesian
   computation. Biometrika.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

# Least deviation of a step, as a share of the prior's; most rounds of proposals, some
# of which are outside the prior; least number of particles of the first kernel for each
# parameter.
_FLOOR, _ROUNDS, _LEAST = 1e-6, 100, 5


class SimulationPlan(NamedTuple):
    """Number n of parameters to keep, at least; numbers of simulations in the ``first``
    population and in all, the ``last``; share of particles, or of simulations, that is
    used; and the distance that is near enough."""

    n: int
    first: int
    last: int
    quantile: float
    tolerance: float = 0.0


class ParameterParticles(NamedTuple):
    """Parameters, (n_particles, n_parameters), their weights within their generation,
    the distances and scaled gaps of their simulations, and the number of the
    generation."""

    theta: np.ndarray
    weight: np.ndarray
    distance: np.ndarray
    gaps: np.ndarray | None
    generation: np.ndarray

    def take(self, index):
        """Some of the particles."""
        return self._make(None if part is None else part[index] for part in self)

    def joined(self, other):
        """Union with others."""
        pairs = zip(self, other)
        return self._make(
            None if a is None else np.concatenate([a, b]) for a, b in pairs
        )

    def nearest(self, n, tolerance):
        """The nearest n particles, others as near, and all within the tolerance; and
        the largest distance among them."""
        finite = self.distance[np.isfinite(self.distance)]
        n = min(n, len(finite))
        limit = max(np.partition(finite, n - 1)[n - 1], tolerance)
        kept = self.take(self.distance <= limit)
        return kept, float(kept.distance.max())

    def balanced(self):
        """Weights of all generations together, which sum to one."""
        total = np.bincount(self.generation, self.weight)
        squares = np.bincount(self.generation, self.weight**2)
        # The effective size is total**2 / squares, divided here by the total.
        share = np.divide(total, squares, out=np.zeros_like(total), where=squares > 0)
        weight = self.weight * share[self.generation]
        return weight / weight.sum()


class ProposalKernel:
    """Mixture of normal distributions around particles.

    Parameters
    ----------
    theta : ndarray of shape (n_particles, n_parameters)
    weight : ndarray of shape (n_particles,)
    floor : ndarray of shape (n_parameters,)
        Least deviation of each parameter.
    """

    def __init__(self, theta, weight, floor):
        self.theta, self.weight = theta, weight
        gaps = theta - weight @ theta
        covariance = 2 * (weight * gaps.T) @ gaps + np.diag(floor**2)
        self.root = cholesky(covariance, lower=True)

    def draw(self, n, rng):
        """Draw n parameters."""
        picked = rng.choice(len(self.theta), n, p=self.weight)
        noise = rng.standard_normal((n, len(self.root)))
        return self.theta[picked] + noise @ self.root.T

    def log_prob(self, theta):
        """Log density of parameters, up to a constant."""
        new, old = (
            solve_triangular(self.root, part.T, lower=True).T
            for part in (theta, self.theta)
        )
        return logsumexp(-0.5 * cdist(new, old, "sqeuclidean"), axis=1, b=self.weight)


def learn(simulations, priors, rng, plan, report):
    """Simulate ``plan.first`` data sets from the prior, or more if few of them give
    numbers, then from kernels until there are ``plan.last``, or the tolerance is
    reached. ``report(text, n_simulations, distance)`` is called for each population.

    Returns
    -------
    particles : ParameterParticles
        At least ``plan.n``, the nearest.
    tolerances : list of float
        The largest distance of each population.
    """
    n, tolerance = plan.n, plan.tolerance
    theta, raw = _first(simulations, priors, rng.fold(0).generator(), plan)
    floor = np.maximum(_FLOOR * theta.std(axis=0), np.finfo(float).tiny ** 0.5)
    distance, gaps = simulations.measured(raw)
    check(distance, tolerance)
    weight, generation = np.ones(len(theta)), np.zeros(len(theta), dtype=int)
    particles = ParameterParticles(theta, weight, distance, gaps, generation)
    particles, limit = particles.nearest(n, tolerance)
    report("Population 1", simulations.n_done, limit)
    tolerances, each = [limit], int(np.ceil(n / plan.quantile - n))
    while limit > tolerance and (left := plan.last - simulations.n_done) > 0:
        number = len(tolerances)
        kernel = ProposalKernel(particles.theta, particles.balanced(), floor)
        generator = rng.fold(number).generator()
        draw = partial(kernel.draw, rng=generator)
        theta, log_prior = within(priors, draw, min(each, left))
        if not len(theta):
            break
        log_weight = log_prior - kernel.log_prob(theta)
        weight = np.exp(log_weight - log_weight.max())
        distance, gaps = simulations(theta)
        generation = np.full(len(theta), number)
        new = ParameterParticles(theta, weight, distance, gaps, generation)
        particles, limit = particles.joined(new).nearest(n, tolerance)
        tolerances.append(limit)
        report(f"Population {len(tolerances)}", simulations.n_done, limit)
    return particles, tolerances


def _first(simulations, priors, rng, plan):
    """``plan.first`` parameters from the prior, or more if some simulations gave
    numbers, but too few for a kernel; and results of their simulations."""
    theta = priors.draw(plan.first, rng)
    raw, least = simulations.run(theta), min(plan.n, _LEAST * theta.shape[1])
    while 0 < np.isfinite(raw).all(axis=1).sum() < least:
        left = plan.last - simulations.n_done
        if left <= 0:
            break
        new = priors.draw(min(plan.first, left), rng)
        theta = np.concatenate([theta, new])
        raw = np.concatenate([raw, simulations.run(new)])
    return theta, raw


def within(priors, draw, n, possible=None):
    """Up to n draws by ``draw(n)`` that have a prior density and are ``possible``, a
    function of draws; and their log prior densities."""
    kept_theta, log_prior = [], []
    for _ in range(_ROUNDS):
        theta = draw(n)
        log_p = priors.log_prob(theta)
        kept = log_p > -np.inf
        if possible is not None:
            kept[kept] = possible(theta[kept]) if kept.any() else False
        kept_theta.append(theta[kept])
        log_prior.append(log_p[kept])
        if sum(map(len, kept_theta)) >= n:
            break
    return np.concatenate(kept_theta)[:n], np.concatenate(log_prior)[:n]


def check(distance, tolerance):
    """Raise ValueError if distances of simulations from the prior are useless."""
    finite = distance[np.isfinite(distance)]
    if not len(finite):
        raise ValueError(
            f"All {len(distance)} simulations gave NaN or infinity: try the simulator "
            "with draws from the priors."
        )
    if len(finite) > 1 and finite.min() == finite.max() > tolerance:
        raise ValueError(
            f"All {len(finite)} simulations are equally far from X, {finite[0]:g}: the "
            "summaries or the distance do not depend on the parameters, or priors are "
            "too far off to have an effect."
        )


def regressed(particles, weight, limit):
    r"""Parameters moved along a linear regression to the data, and their weights.

    .. math:: \theta_i' = \theta_i - B^\top (s_i - s_o), \qquad
       w_i' \propto w_i \left( 1 - \rho_i^2 / \epsilon^2 \right)
    """
    near = 1 - (particles.distance / limit) ** 2 if limit > 0 else np.zeros(1)
    if not (near > 0).any():
        return particles.theta, weight
    weight = weight * np.maximum(near, 0)
    weight = weight / weight.sum()
    n, n_summaries = (weight > 0).sum(), particles.gaps.shape[1]
    if n <= n_summaries + 1:
        raise ValueError(
            f'adjustment="linear" needs more than {n_summaries + 1} particles for '
            f"{n_summaries} summaries, and there are {n}: raise n_particles."
        )
    root = np.sqrt(weight)[:, None]
    lines = root * np.column_stack([np.ones(len(weight)), particles.gaps])
    slopes = np.linalg.lstsq(lines, root * particles.theta)[0][1:]
    return particles.theta - particles.gaps @ slopes, weight
