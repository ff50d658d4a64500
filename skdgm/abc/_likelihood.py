r"""Neural likelihood: a conditional density of summaries given parameters.

.. math:: \max_\phi \sum_i \log q_\phi(s_i \mid \theta_i), \qquad
   p(\theta \mid s_o) \propto \pi(\theta) \, r(\theta) \, q_\phi(s_o \mid \theta)

Parameters of simulations may have any distribution [1]_. The rate of success r is
estimated by the nearest simulations. Draws from the posterior are those of a sequential
Monte Carlo sampler [2]_: particles from the prior are weighted and resampled at
increasing powers of the likelihood, and moved by a random walk at each power.

References
----------
.. [1] Papamakarios, Sterratt and Murray (2019). Sequential neural likelihood: fast
   likelihood-free inference with autoregressive flows. AISTATS.
.. [2] Del Moral, Doucet and Jasra (2006). Sequential Monte Carlo samplers. Journal of
   the Royal Statistical Society B.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import cholesky
from scipy.optimize import brentq
from scipy.special import logsumexp

from skdgm.abc._neural import SimulationSupport, as_row
from skdgm.abc._particles import within
from skdgm.exceptions import DataRangeWarning
from skdgm.utils.weighted import systematic

# Minimum number of particles; steps of the random walk at each power, and at the last;
# scales of its steps, in turn, relative to the optimal scale for normal distributions.
_MIN_PARTICLES, _N_STEPS, _N_LAST, _SCALES = 1000, 5, 20, (1.0, 1.0, 0.3)
# Least effective share of particles after an increase of the power; variance of the
# proposal's steps relative to that of the particle's, which keeps it regular.
_MIN_EFFECTIVE, _FLOOR = 0.5, 1e-10


class LikelihoodPosterior(NamedTuple):
    """Flow of summaries given parameters, the observed summaries, (1, n_summaries), the
    :class:`~skdgm.abc._neural.SimulationSupport`, None if all simulations succeeded,
    the log of the integral of the unnormalized density, and whether the flow is valid
    for other summaries."""

    estimator: Any
    observed: np.ndarray
    tried: SimulationSupport | None
    log_evidence: float = 0.0
    is_amortized: bool = False

    def given(self, summary):
        """The posterior given other summaries."""
        return self._replace(observed=as_row(summary))

    def draw(self, priors, n, source, least=None):
        """Draw n parameters with a RandomState."""
        return self.normalized(priors, n, source)[0]

    def normalized(self, priors, n, source):
        """Draw n parameters; return them and the posterior with the estimated
        ``log_evidence``."""
        particles = TemperedParticles(self, priors, max(n, _MIN_PARTICLES), source)
        while particles.power < 1:
            particles.step()
        theta = particles.theta[source.permutation(len(particles.theta))[:n]]
        return theta, self._replace(log_evidence=float(particles.log_evidence))

    def log_prob(self, priors, theta):
        """Log density of parameters, (n,); minus infinity if they are impossible."""
        log_prior = priors.log_prob(theta)
        return log_prior + self.log_likelihood(log_prior, theta) - self.log_evidence

    def log_likelihood(self, log_prior, theta):
        """Log density of the observed summaries and a success, (n,); minus infinity if
        parameters are impossible."""
        log_p, kept = np.full(len(theta), -np.inf), log_prior > -np.inf
        if self.tried is not None and kept.any():
            log_p[kept] = self.tried.log_rate(theta[kept])
            kept &= log_p > -np.inf
        if kept.any():
            rows = np.broadcast_to(self.observed, (kept.sum(), self.observed.shape[1]))
            with warnings.catch_warnings():
                # Draws from the prior are beyond the range of few simulations.
                warnings.simplefilter("ignore", DataRangeWarning)
                log_q = self.estimator.score_samples(rows, y=theta[kept])
            log_q = np.where(np.isnan(log_q), -np.inf, log_q)
            log_p[kept] = log_q if self.tried is None else log_q + log_p[kept]
        return log_p


class TemperedParticles:
    """Particles of :math:`\\pi(\\theta) L(\\theta)^\\beta`, with a ``power`` that
    increases from 0 to 1."""

    def __init__(self, posterior, priors, n, source):
        self.posterior, self.priors, self.source = posterior, priors, source
        self.theta, self.log_prior, _ = within(
            priors, lambda n: priors.draw(n, source), n
        )
        self.log_like = posterior.log_likelihood(self.log_prior, self.theta)
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
        weight = np.exp(log_weight - log_total)
        gaps = self.theta - weight @ self.theta
        covariance = (weight * gaps.T) @ gaps
        floor = _FLOOR * np.diag(covariance) + np.finfo(float).tiny ** 0.5
        root = cholesky(covariance + np.diag(floor), lower=True)
        index = systematic(weight, n, self.source.uniform())
        self._replace(slice(None), self.theta, self.log_prior, self.log_like, index)
        for number in range(_N_STEPS if self.power < 1 else _N_LAST):
            self._move(_SCALES[number % len(_SCALES)] * root)

    def _increase(self):
        """Largest increase of the power that leaves enough effective particles."""
        finite = self.log_like[self.log_like > -np.inf]

        def excess(increase):
            log_weight = increase * finite
            n_effective = 2 * logsumexp(log_weight) - logsumexp(2 * log_weight)
            return n_effective - np.log(_MIN_EFFECTIVE * len(finite))

        most = 1 - self.power
        if excess(most) >= 0:
            return most
        # On a logarithmic scale, as likelihoods differ by any number of nats.
        least = 1 / max(1.0, 1e3 * np.ptp(finite))
        log_power = brentq(lambda v: excess(np.exp(v)), np.log(least), np.log(most))
        return np.exp(log_power)

    def _move(self, root):
        """Move particles by a Metropolis step of a random walk."""
        n, width = self.theta.shape
        noise = self.source.standard_normal((n, width)) @ root.T
        theta = self.theta + 2.38 / width**0.5 * noise
        log_prior = self.priors.log_prob(theta)
        log_like = self.posterior.log_likelihood(log_prior, theta)
        gain = log_prior - self.log_prior + self.power * (log_like - self.log_like)
        accepted = np.flatnonzero(-self.source.standard_exponential(n) < gain)
        self._replace(accepted, theta, log_prior, log_like, accepted)

    def _replace(self, places, theta, log_prior, log_like, index):
        """Set the particles at some places to others at an index."""
        self.theta[places] = theta[index]
        self.log_prior[places], self.log_like[places] = (
            log_prior[index],
            log_like[index],
        )
