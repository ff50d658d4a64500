r"""Draws from a prior times a likelihood, by sequential Monte Carlo.

.. math:: p_\beta(\theta) \propto \pi(\theta) \, L(\theta)^\beta, \qquad
   0 = \beta_0 < \beta_1 < \dots < 1

Particles from the prior are weighted and resampled at increasing powers of the
likelihood, and moved at each power by Metropolis-Hastings steps [1]_. Proposals are
independent draws from a mixture of normal distributions that is fitted to the
particles, and differences of two other particles [2]_: both move particles between
modes.

References
----------
.. [1] Del Moral, Doucet and Jasra (2006). Sequential Monte Carlo samplers. Journal of
   the Royal Statistical Society B.
.. [2] Ter Braak (2006). A Markov chain Monte Carlo version of the genetic algorithm
   differential evolution: easy Bayesian computing for real parameter spaces. Statistics
   and Computing.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp

from skdgm.abc._particles import within
from skdgm.flows.mixture import fit_mixture
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.weighted import effective_sample_size, systematic

# Least effective share of particles after an increase of the power.
_MIN_EFFECTIVE = 0.5
# Fits of mixtures at the last power; steps by mixtures before each step by differences;
# scales of differences after a fit, and after a fit at the last power, relative to the
# optimal scale for normal distributions.
_N_LAST_FITS, _N_DRAWS, _SCALES, _LAST_SCALES = 4, 2, (1.0,), (1.0, 0.3)
# Share of whole differences, which lead from mode to mode; noise of a step, relative to
# the standard deviations of particles.
_WHOLE_SHARE, _NOISE = 0.1, 1e-3
# Limits on components, on particles of a fit, and on particles per component and
# parameter; weight of the pooled covariance, in particles per parameter.
_MAX_COMPONENTS, _MAX_FIT_ROWS, _MIN_FIT_ROWS, _PRIOR = 16, 3000, 10, 1.0


class TemperedParticles:
    """Particles of :math:`\\pi(\\theta) L(\\theta)^\\beta`, with a ``power`` that
    increases from 0 to 1. ``log_likelihood(log_prior, theta)`` is minus infinity for
    impossible parameters, and ``source`` is a RandomState."""

    def __init__(self, log_likelihood, priors, n, source):
        self.log_likelihood, self.priors, self.source = log_likelihood, priors, source
        self.theta, self.log_prior, _ = within(
            priors, lambda n: priors.draw(n, source), n
        )
        self.log_like = log_likelihood(self.log_prior, self.theta)
        if not (self.log_like > -np.inf).any():
            raise ValueError(
                "The flow gives no draw from the priors a positive likelihood: raise "
                "n_simulations, or choose summaries that determine the parameters."
            )
        self.power, self.log_evidence = 0.0, 0.0

    def step(self):
        """Increase the power, resample and move the particles."""
        n, increase = len(self.theta), self._increase()
        # The last power is 1 exactly.
        self.power = 1.0 if increase >= 1 - self.power else self.power + increase
        log_weight = increase * self.log_like
        log_total = logsumexp(log_weight)
        self.log_evidence += log_total - np.log(n)
        index = systematic(np.exp(log_weight - log_total), n, self.source.uniform())
        self._replace(slice(None), self.theta, self.log_prior, self.log_like, index)
        if self.power < 1:
            self._sweep(_SCALES)
        else:
            for _ in range(_N_LAST_FITS):
                self._sweep(_LAST_SCALES)

    def _increase(self):
        """Largest increase of the power that leaves enough effective particles."""
        finite = self.log_like[self.log_like > -np.inf]

        def excess(increase):
            effective = effective_sample_size(increase * finite)
            return effective - _MIN_EFFECTIVE * len(finite)

        most = 1 - self.power
        if excess(most) >= 0:
            return most
        # On a logarithmic scale, as likelihoods differ by any number of nats.
        least = 1 / max(1.0, 1e3 * np.ptp(finite))
        log_power = brentq(lambda v: excess(np.exp(v)), np.log(least), np.log(most))
        return np.exp(log_power)

    def _sweep(self, scales):
        """Move all particles by mixtures, and by differences of ``scales``. Proposals
        for each half of the particles depend on the other half: a mixture that had been
        fitted to the same particles would draw them together. Resampling leaves copies
        of a particle in one half."""
        halves = np.array_split(np.arange(len(self.theta)), 2)
        if not len(halves[1]):
            return
        pairs = halves, halves[::-1]
        mixtures = [
            ParticleMixture.of(self.theta[others], self.source) for _, others in pairs
        ]
        for scale in scales:
            for _ in range(_N_DRAWS):
                for (half, _), mixture in zip(pairs, mixtures):
                    if mixture is not None:
                        self._move_by(mixture, half)
            for half, others in pairs:
                self._move_by_differences(half, others, scale)

    def _move_by(self, mixture, half):
        """Propose independent draws from a mixture."""
        theta = mixture.draw(len(half), self.source)
        log_ratio = mixture.log_prob(self.theta[half]) - mixture.log_prob(theta)
        self._accept(half, theta, log_ratio)

    def _move_by_differences(self, half, others, scale):
        """Propose steps by differences of two ``others``, which are symmetric."""
        width = self.theta.shape[1]
        pairs = self.source.randint(len(others), size=(2, len(half)))
        first, second = self.theta[others[pairs]]
        is_whole = self.source.uniform(size=(len(half), 1)) < _WHOLE_SHARE
        factor = np.where(is_whole, 1.0, scale * 2.38 / (2 * width) ** 0.5)
        noise = self.source.standard_normal((len(half), width))
        noise *= _NOISE * self.theta[others].std(axis=0)
        theta = self.theta[half] + factor * (first - second) + noise
        self._accept(half, theta, 0.0)

    def _accept(self, places, theta, log_ratio):
        """Metropolis-Hastings step of the particles at some places to ``theta``, with
        log ratios of the probabilities of the move back and of the move."""
        log_prior = self.priors.log_prob(theta)
        log_like = self.log_likelihood(log_prior, theta)
        gain = log_prior - self.log_prior[places] + log_ratio
        gain += self.power * (log_like - self.log_like[places])
        index = np.flatnonzero(-self.source.standard_exponential(len(theta)) < gain)
        self._replace(places[index], theta, log_prior, log_like, index)

    def _replace(self, places, theta, log_prior, log_like, index):
        """Set the particles at some places to others at an index."""
        self.theta[places] = theta[index]
        self.log_prior[places] = log_prior[index]
        self.log_like[places] = log_like[index]


class ParticleMixture(NamedTuple):
    """Mixture of normal distributions (``base``) of standardized particles, which have
    a ``mean`` and a standard deviation ``scale``."""

    base: Any
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, theta, source):
        """Mixture fitted to some particles, or None if they are too close to a
        subspace."""
        n, width = theta.shape
        rows = theta[source.permutation(n)[:_MAX_FIT_ROWS]]
        mean, scale = rows.mean(axis=0), rows.std(axis=0)
        if not scale.all():
            return None
        k = np.clip(len(rows) // (_MIN_FIT_ROWS * width), 1, _MAX_COMPONENTS)
        try:
            return cls(
                fit_mixture((rows - mean) / scale, k, _PRIOR * width), mean, scale
            )
        except np.linalg.LinAlgError:
            return None

    def draw(self, n, source):
        """Draw n parameters with a RandomState."""
        rng = stream(source.randint(MAX_SEED)).rows(n)
        return self.mean + self.scale * self.base.draw(rng, len(self.mean), np.float64)

    def log_prob(self, theta):
        """Log density of parameters, plus the sum of the logs of ``scale``."""
        return self.base.log_p((theta - self.mean) / self.scale)
