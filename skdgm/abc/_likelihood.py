r"""Neural likelihood: a conditional density of summaries given parameters.

.. math:: \max_\phi \sum_i \log q_\phi(s_i \mid \theta_i), \qquad
   p(\theta \mid s_o) \propto \pi(\theta) \, r(\theta) \, q_\phi(s_o \mid \theta)

Parameters of simulations may have any distribution [1]_. The rate of success r is
estimated by the nearest simulations. A sequential Monte Carlo sampler draws from the
posterior.

References
----------
.. [1] Papamakarios, Sterratt and Murray (2019). Sequential neural likelihood: fast
   likelihood-free inference with autoregressive flows. AISTATS.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np

from skdgm.abc._neural import SimulationSupport, as_row
from skdgm.abc._tempering import TemperedParticles
from skdgm.exceptions import DataRangeWarning

# Minimum number of particles.
_MIN_PARTICLES = 1000


class LikelihoodPosterior(NamedTuple):
    """Flow of summaries given parameters, the observed summaries, (1, n_summaries), the
    :class:`~skdgm.abc._neural.SimulationSupport`, None if all simulations succeeded,
    the log of the integral of the unnormalized density, and whether the flow is valid
    for other summaries."""

    estimator: Any
    observed: np.ndarray
    support: SimulationSupport | None
    log_evidence: float = 0.0
    is_amortized: bool = False
    RENAMED = {"tried": "support"}

    def given(self, summary):
        """The posterior given other summaries."""
        return self._replace(observed=as_row(summary))

    def draw(self, priors, n, source, minimum=None):
        """Draw n parameters with a RandomState."""
        return self.normalized(priors, n, source)[0]

    def normalized(self, priors, n, source):
        """Draw n parameters; return them and the posterior with the estimated
        ``log_evidence``."""
        n_particles = max(n, _MIN_PARTICLES)
        particles = TemperedParticles(self.log_likelihood, priors, n_particles, source)
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
        if self.support is not None and kept.any():
            log_p[kept] = self.support.log_rate(theta[kept])
            kept &= log_p > -np.inf
        if kept.any():
            rows = np.broadcast_to(self.observed, (kept.sum(), self.observed.shape[1]))
            with warnings.catch_warnings():
                # Draws from the prior are beyond the range of few simulations.
                warnings.simplefilter("ignore", DataRangeWarning)
                log_q = self.estimator.score_samples(rows, y=theta[kept])
            log_q = np.where(np.isnan(log_q), -np.inf, log_q)
            log_p[kept] = log_q if self.support is None else log_q + log_p[kept]
        return log_p
