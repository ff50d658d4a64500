r"""Population Monte Carlo for approximate Bayesian computation.

The parameters nearest to the data are kept from each population, and new parameters are
drawn from a mixture of normal distributions around them, with twice their covariance
[1]_:

.. math:: q(\theta) = \sum_j W_j \, \mathcal{N}(\theta; \theta_j, 2 \hat\Sigma), \qquad
   w_i = \frac{\pi(\theta_i)}{q(\theta_i)}

Each generation is an importance sample with unnormalized weights. Generations are
pooled in proportion to their effective sample sizes.

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

# Minimum standard deviation of a proposal, relative to the prior; maximum number of
# rounds of proposals, which may fall outside the prior; minimum number of particles per
# parameter for the first kernel.
_FLOOR, _ROUNDS, _MIN_PER_PARAMETER = 1e-6, 100, 5


class SimulationPlan(NamedTuple):
    """Minimum number n of parameters to keep, numbers of simulations of the ``first``
    population and in total (``last``), share of particles or simulations to use, the
    tolerance of the distance, and the number of rounds for a flow."""

    n: int
    first: int
    last: int
    quantile: float
    tolerance: float = 0.0
    n_rounds: int = 1


class ParameterParticles(NamedTuple):
    """Parameters, (n_particles, n_parameters), with weights within their generation,
    distances and scaled gaps of their simulations, and generation numbers."""

    theta: np.ndarray
    weight: np.ndarray
    distance: np.ndarray
    gaps: np.ndarray | None
    generation: np.ndarray

    def take(self, index):
        """Return the particles at an index."""
        return self._make(None if values is None else values[index] for values in self)

    def joined(self, other):
        """Concatenate with other particles."""
        pairs = zip(self, other)
        return self._make(
            None if a is None else np.concatenate([a, b]) for a, b in pairs
        )

    def nearest(self, n, tolerance):
        """Return the n nearest particles, with ties and all particles within the
        tolerance, and their largest distance."""
        finite = self.distance[np.isfinite(self.distance)]
        n = min(n, len(finite))
        limit = max(np.partition(finite, n - 1)[n - 1], tolerance)
        kept = self.take(self.distance <= limit)
        return kept, float(kept.distance.max())

    def balanced(self):
        """Normalized weights over all generations."""
        total = np.bincount(self.generation, self.weight)
        squares = np.bincount(self.generation, self.weight**2)
        # The effective size is total**2 / squares, divided here by the total.
        share = np.divide(total, squares, out=np.zeros_like(total), where=squares > 0)
        weight = self.weight * share[self.generation]
        return weight / weight.sum()


class ProposalKernel:
    """Mixture of normal distributions around particles.

    ``theta`` is (n_particles, n_parameters), ``weight`` (n_particles,), and ``floor``
    (n_parameters,) the minimum standard deviations.
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
            solve_triangular(self.root, points.T, lower=True).T
            for points in (theta, self.theta)
        )
        return logsumexp(-0.5 * cdist(new, old, "sqeuclidean"), axis=1, b=self.weight)


def learn(simulations, priors, rng, plan, report):
    """Run the populations: ``plan.first`` simulations from the prior, then proposals
    until ``plan.last`` simulations or the tolerance is reached.

    ``report(n_simulations, n_accepted, distance)`` is called for each population.
    Returns at least ``plan.n`` nearest ParameterParticles, and the list of the largest
    distances.
    """
    n, tolerance = plan.n, plan.tolerance
    theta, raw = _first(simulations, priors, rng.fold(0).generator(), plan)
    floor = np.maximum(_FLOOR * theta.std(axis=0), np.finfo(float).tiny ** 0.5)
    distance, gaps = simulations.measured(raw)
    check(distance, tolerance)
    weight, generation = np.ones(len(theta)), np.zeros(len(theta), dtype=int)
    particles = ParameterParticles(theta, weight, distance, gaps, generation)
    particles, limit = particles.nearest(n, tolerance)
    report(simulations.n_done, len(particles.theta), limit)
    tolerances, n_each = [limit], int(np.ceil(n / plan.quantile - n))
    while limit > tolerance and (n_left := plan.last - simulations.n_done) > 0:
        number = len(tolerances)
        kernel = ProposalKernel(particles.theta, particles.balanced(), floor)
        generator = rng.fold(number).generator()
        draw = partial(kernel.draw, rng=generator)
        theta, log_prior, _ = within(priors, draw, min(n_each, n_left))
        if not len(theta):
            break
        log_weight = log_prior - kernel.log_prob(theta)
        weight = np.exp(log_weight - log_weight.max())
        distance, gaps = simulations(theta)
        generation = np.full(len(theta), number)
        proposed = ParameterParticles(theta, weight, distance, gaps, generation)
        particles, limit = particles.joined(proposed).nearest(n, tolerance)
        tolerances.append(limit)
        report(simulations.n_done, len(particles.theta), limit)
    return particles, tolerances


def _first(simulations, priors, rng, plan):
    """Draw ``plan.first`` parameters from the prior, or more until enough simulations
    succeed for a kernel; return parameters and raw results."""
    theta = priors.draw(plan.first, rng)
    raw = simulations.run(theta)
    n_needed = min(plan.n, _MIN_PER_PARAMETER * theta.shape[1])
    while 0 < np.isfinite(raw).all(axis=1).sum() < n_needed:
        n_left = plan.last - simulations.n_done
        if n_left <= 0:
            break
        more = priors.draw(min(plan.first, n_left), rng)
        theta = np.concatenate([theta, more])
        raw = np.concatenate([raw, simulations.run(more)])
    return theta, raw


def within(priors, draw, n, possible=None):
    """Return up to n draws of ``draw(n)`` that have a prior density and are
    ``possible``, their log prior densities, and the share of such draws."""
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
    theta, log_p = np.concatenate(kept_theta), np.concatenate(log_prior)
    return theta[:n], log_p[:n], len(theta) / (n * len(kept_theta))


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
    r"""Adjust parameters by a linear regression on the summaries; return them and their
    weights.

    .. math:: \theta_i' = \theta_i - B^\top (s_i - s_o), \qquad
       w_i' \propto w_i \left( 1 - \rho_i^2 / \epsilon^2 \right)
    """
    kernel = 1 - (particles.distance / limit) ** 2 if limit > 0 else np.zeros(1)
    if not (kernel > 0).any():
        return particles.theta, weight
    weight = weight * np.maximum(kernel, 0)
    weight = weight / weight.sum()
    n, n_summaries = (weight > 0).sum(), particles.gaps.shape[1]
    if n <= n_summaries + 1:
        raise ValueError(
            f'adjustment="linear" needs more than {n_summaries + 1} particles for '
            f"{n_summaries} summar{'y' if n_summaries == 1 else 'ies'}, and there are "
            f"{n}: raise n_particles."
        )
    root = np.sqrt(weight)[:, None]
    design = root * np.column_stack([np.ones(len(weight)), particles.gaps])
    slopes = np.linalg.lstsq(design, root * particles.theta)[0][1:]
    return particles.theta - particles.gaps @ slopes, weight
