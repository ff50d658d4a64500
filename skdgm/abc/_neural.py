r"""Neural posterior estimation: a conditional density of parameters given summaries.

.. math:: \max_\phi \sum_i \log q_\phi(\theta_i \mid s_i), \qquad
   \theta_i \sim \pi, \quad s_i = s(x_i), \quad x_i \sim p(x \mid \theta_i)

With many simulations, q approximates the posterior for any summaries [1]_. Only
simulations with summaries close to the observed summaries are used: the selection does
not change the density of parameters conditional on summaries, and makes it easier to
fit. Draws must have a positive prior density, and must lie in regions where a large
enough share of simulations succeeded.

References
----------
.. [1] Papamakarios and Murray (2016). Fast epsilon-free inference of simulation models
   with Bayesian conditional density estimation. NeurIPS.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from sklearn.neighbors import NearestNeighbors

from skdgm.abc._particles import within

# Number of nearest simulations of a parameter, and the quantile of their success rate,
# over successful simulations, below which a parameter counts as impossible.
_N_NEAREST, _MIN_QUANTILE = 10, 0.01


class SimulationSupport(NamedTuple):
    """Parameters of simulations divided by ``scale``, (n, n_parameters), which of them
    succeeded, and the minimum success rate of the neighbors of a possible parameter."""

    theta: np.ndarray
    succeeded: np.ndarray
    scale: np.ndarray
    min_rate: float
    # Names of fields in older files.
    RENAMED = {"gave": "succeeded", "least": "min_rate"}

    @classmethod
    def of(cls, theta, succeeded):
        """Learn the scale and the minimum success rate from simulations."""
        scale = theta[succeeded].std(axis=0)
        scale = np.where(scale > 0, scale, 1)
        support = cls(theta / scale, succeeded, scale, 0.0)
        # A simulation does not count as its own neighbor.
        near = support.near(1 + _N_NEAREST)
        rates = near(support.theta[succeeded])[:, 1:].mean(axis=1)
        if rates.size:
            min_rate = float(np.quantile(rates, _MIN_QUANTILE, method="lower"))
            support = support._replace(min_rate=min_rate)
        return support

    def possible(self):
        """Return a function that masks parameters close to successful simulations."""
        near = self.near(_N_NEAREST)
        return lambda theta: near(theta / self.scale).mean(axis=1) >= self.min_rate

    def log_rate(self, theta):
        """Log success rate of the simulations next to parameters, (n,); minus infinity
        if it is too low."""
        rate = self.near(_N_NEAREST)(theta / self.scale).mean(axis=1)
        kept = (rate >= self.min_rate) & (rate > 0)
        return np.log(rate, out=np.full(len(theta), -np.inf), where=kept)

    def near(self, n):
        """Return a function to (n_rows, n) success flags of the n nearest
        simulations."""
        n = min(n, len(self.theta))
        near = NearestNeighbors(n_neighbors=n).fit(self.theta)
        return lambda theta: self.succeeded[
            near.kneighbors(theta, return_distance=False)
        ]


def as_row(summary):
    """Summaries of a data set as a row, (1, n_summaries)."""
    return np.reshape(np.asarray(summary, dtype=float), (1, -1))


class FlowPosterior(NamedTuple):
    """Flow of parameters given summaries, the observed summaries, (1, n_summaries), the
    :class:`SimulationSupport`, None if all simulations succeeded, the share of the
    flow's draws that are possible, and whether the flow is valid for other
    summaries."""

    estimator: Any
    observed: np.ndarray
    support: SimulationSupport | None
    share: float = 1.0
    is_amortized: bool = False
    RENAMED = {"tried": "support"}

    def given(self, summary):
        """The posterior given other summaries."""
        return self._replace(observed=as_row(summary))

    def draw(self, priors, n, source, minimum=None):
        """Draw n parameters that are possible under the priors and the simulator, or at
        least ``minimum``, with a RandomState."""
        return self._draw(priors, n, source, n if minimum is None else minimum)[0]

    def normalized(self, priors, n, source):
        """Draw n possible parameters; return them and the posterior with the share of
        possible draws."""
        theta, share = self._draw(priors, n, source, n)
        return theta, self._replace(share=share)

    def _draw(self, priors, n, source, minimum):
        draw = partial(self.estimator.sample, random_state=source, y=self.observed)
        theta, _, share = within(priors, draw, n, self._possible())
        if len(theta) < minimum:
            raise ValueError(
                f"Only {len(theta)} of {n} parameters that are possible under the "
                "priors were drawn from the flow: raise n_simulations, or choose "
                "summaries that determine the parameters."
            )
        return theta.astype(float), share

    def log_prob(self, priors, theta):
        """Log density of parameters, (n,); minus infinity if they are impossible."""
        log_prob = np.full(len(theta), -np.inf)
        kept, possible = priors.log_prob(theta) > -np.inf, self._possible()
        if possible is not None and kept.any():
            kept[kept] = possible(theta[kept])
        if kept.any():
            log_q = self.estimator.score_samples(theta[kept], y=self.observed)
            log_prob[kept] = log_q - np.log(self.share)
        return log_prob

    def _possible(self):
        """Function that masks parameters close to successful simulations, or None."""
        return None if self.support is None else self.support.possible()
