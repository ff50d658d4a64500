r"""Populations of parameters whose simulations are near the data.

The nearest of each population are kept, and new parameters are drawn from a mixture of
normal distributions around these, with twice their covariance [1]_:

.. math:: q(\theta) = \sum_j W_j \, \mathcal{N}(\theta; \theta_j, 2 \hat\Sigma), \qquad
   w_i = \frac{\pi(\theta_i)}{q(\theta_i)}

Those drawn at the same time are a sample by importance, with weights up to a factor.
Such samples are joined in proportion to their effective sizes.

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

# Least deviation of a step, as a share of the prior's; rounds of proposals, of which
# some are outside of the prior; least number of particles of the first kernel for each
# parameter.
_FLOOR, _ROUNDS, _LEAST = 1e-6, 100, 5


class Particles(NamedTuple):
    """Parameters, a row for each: their weights within their generation, the distances
    and scaled gaps of their simulations, and the number of the generation."""

    theta: np.ndarray
    weight: np.ndarray
    distance: np.ndarray
    gaps: np.ndarray | None
    generation: np.ndarray

    def take(self, index):
        """Some of the particles."""
        return Particles(*(None if part is None else part[index] for part in self))

    def joined(self, other):
        """These and others."""
        both = zip(self, other)
        return Particles(*(None if a[0] is None else np.concatenate(a) for a in both))

    def nearest(self, n, tolerance):
        """The nearest n or more, all within the tolerance or as near as one of these,
        and the largest distance that is kept."""
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


class Kernel:
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
            solve_triangular(self.root, own.T, lower=True).T
            for own in (theta, self.theta)
        )
        return logsumexp(-0.5 * cdist(new, old, "sqeuclidean"), axis=1, b=self.weight)


def learn(simulations, priors, rng, *, n, first, last, quantile, tolerance, tell):
    """Simulate ``first`` data sets from the prior, or more if few of them give numbers,
    then from kernels until there are ``last``, or the tolerance is reached.
    ``tell(what, n_simulations, distance)`` is told of each population.

    Returns
    -------
    particles : Particles
        At least n, the nearest.
    tolerances : list of float
        The largest distance of each population.
    """
    theta, raw = _first(simulations, priors, rng.fold(0).generator(), n, first, last)
    floor = np.maximum(_FLOOR * theta.std(axis=0), np.finfo(float).tiny ** 0.5)
    distance, gaps = simulations.measured(raw)
    check(distance, tolerance)
    same = np.ones(len(theta)), np.zeros(len(theta), dtype=int)
    found = Particles(theta, same[0], distance, gaps, same[1])
    found, limit = found.nearest(n, tolerance)
    tell("Population 1", simulations.n_done, limit)
    tolerances, each = [limit], int(np.ceil(n / quantile - n))
    while limit > tolerance and (left := last - simulations.n_done) > 0:
        number = len(tolerances)
        kernel = Kernel(found.theta, found.balanced(), floor)
        generator = rng.fold(number).generator()
        draw = partial(kernel.draw, rng=generator)
        theta, log_prior = within(priors, draw, min(each, left))
        if not len(theta):
            break
        log_weight = log_prior - kernel.log_prob(theta)
        weight = np.exp(log_weight - log_weight.max())
        generation = np.full(len(theta), number)
        new = Particles(theta, weight, *simulations(theta), generation)
        found, limit = found.joined(new).nearest(n, tolerance)
        tolerances.append(limit)
        tell(f"Population {len(tolerances)}", simulations.n_done, limit)
    return found, tolerances


def _first(simulations, priors, rng, n, first, last):
    """Parameters from the prior, and what their simulations gave: of more than
    ``first`` where some of these, but too few for a kernel, gave numbers."""
    theta = priors.draw(first, rng)
    raw, least = simulations.run(theta), min(n, _LEAST * theta.shape[1])
    while 0 < np.isfinite(raw).all(axis=1).sum() < least and simulations.n_done < last:
        more = priors.draw(min(first, last - simulations.n_done), rng)
        theta = np.concatenate([theta, more])
        raw = np.concatenate([raw, simulations.run(more)])
    return theta, raw


def within(priors, draw, n, possible=None):
    """Up to n draws by ``draw(n)`` that the prior can have and that are ``possible``, a
    function of draws; and their log densities by the prior."""
    found, log_prior = [], []
    for _ in range(_ROUNDS):
        theta = draw(n)
        log_p = priors.log_prob(theta)
        kept = log_p > -np.inf
        if possible is not None:
            kept[kept] = possible(theta[kept]) if kept.any() else False
        found.append(theta[kept])
        log_prior.append(log_p[kept])
        if sum(map(len, found)) >= n:
            break
    return np.concatenate(found)[:n], np.concatenate(log_prior)[:n]


def check(distance, tolerance):
    """Raise a ValueError if distances of simulations from the prior tell nothing."""
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
    r"""Parameters moved to where a line has them at the data, and their weights.

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
