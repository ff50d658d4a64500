r"""Neural estimation of posteriors: a conditional density of parameters.

.. math:: \max_\phi \sum_i \log q_\phi(\theta_i \mid s_i), \qquad
   \theta_i \sim \pi, \quad s_i = s(x_i), \quad x_i \sim p(x \mid \theta_i)

With many simulations q approximates the posterior given any summaries [1]_. Only
simulations with summaries near the observed ones are used: selection by summaries does
not change the density of parameters conditional on summaries, and q must fit fewer of
them.

Draws are possible where the prior has a density, and where a large enough share of the
nearest simulations gave numbers.

References
----------
.. [1] Papamakarios and Murray (2016). Fast epsilon-free inference of simulation models
   with Bayesian conditional density estimation. NeurIPS.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.neighbors import NearestNeighbors

from skdgm.abc._particles import check, within
from skdgm.utils.random import MAX_SEED

_PRIOR, _FIT, _DRAWS = range(3)
# Least number of simulations that a flow learns from, if there are as many.
LEAST = 1000
# Number of simulations nearest to a parameter; and quantile, over successful ones, of
# the share of successful neighbours, below which a parameter is impossible.
_NEXT, _RARE = 10, 0.01


class Tried(NamedTuple):
    """Scaled parameters of simulations; ``gave``, whether these gave numbers; and the
    least share of neighbours that did, for possible parameters."""

    theta: np.ndarray
    gave: np.ndarray
    scale: np.ndarray
    least: float

    @classmethod
    def of(cls, theta, gave):
        """Parameters of simulations, some of which gave no numbers."""
        scale = theta[gave].std(axis=0)
        scale = np.where(scale > 0, scale, 1)
        tried = cls(theta / scale, gave, scale, 0.0)
        # A simulation is its own neighbour, and does not count.
        share = tried.near(1 + _NEXT)(tried.theta[gave])[:, 1:].mean(axis=1)
        least = np.quantile(share, _RARE, method="lower") if share.size else 0.0
        return tried._replace(least=float(least))

    def possible(self):
        """Function that returns a mask of parameters near which simulations gave
        numbers."""
        near = self.near(_NEXT)
        return lambda theta: near(theta / self.scale).mean(axis=1) >= self.least

    def near(self, n):
        """Function that returns whether each of the n simulations nearest to a
        parameter gave numbers."""
        n = min(n, len(self.theta))
        near = NearestNeighbors(n_neighbors=n).fit(self.theta)
        return lambda theta: self.gave[near.kneighbors(theta, return_distance=False)]


class FlowPosterior(NamedTuple):
    """Flow of parameters given summaries, observed summaries, (1, n_summaries), and
    :class:`Tried` parameters, None if all simulations gave numbers."""

    estimator: object
    observed: np.ndarray
    tried: Tried | None

    def draw(self, priors, n, source):
        """Draw n parameters that are possible, also under the priors, by a
        RandomState."""
        draw = partial(self.estimator.sample, random_state=source, y=self.observed)
        possible = None if self.tried is None else self.tried.possible()
        theta, _ = within(priors, draw, n, possible)
        if len(theta) < n:
            raise ValueError(
                f"{len(theta)} of the density's draws given X, in place of {n}, are "
                "possible under the priors: simulate more, with summaries that tell "
                "the parameters."
            )
        return theta.astype(float)


def learn(simulations, priors, rng, plan, *, estimator, report):
    """Fit a conditional density to simulations from the prior, the share
    ``plan.quantile`` nearest to the data, and draw parameters from it given the
    observed summaries. ``report(text, n_simulations, distance)`` is called once.

    Returns
    -------
    theta : ndarray of shape (plan.n, n_parameters)
    posterior : FlowPosterior
    """
    theta = priors.draw(plan.first, rng.fold(_PRIOR).generator())
    distance, gaps = simulations(theta)
    check(distance, 0.0)
    gave = np.isfinite(distance)
    n_near = min(gave.sum(), max(LEAST, int(np.ceil(plan.quantile * gave.sum()))))
    limit = np.partition(distance, n_near - 1)[n_near - 1]
    near = distance <= limit
    report(f"{near.sum()} nearest to learn from", simulations.n_done, limit)
    observed = simulations.digest.observed.ravel()
    summaries = gaps[near] * simulations.scale + observed
    fit_seed, draw_seed = (
        int(rng.fold(tag).generator().integers(MAX_SEED)) for tag in (_FIT, _DRAWS)
    )
    if estimator.random_state is None:
        estimator.set_params(random_state=fit_seed)
    # Summaries are real numbers, even if all are whole.
    if getattr(estimator, "attribute_types", None) == "auto":
        estimator.set_params(attribute_types=("gaussian",) * len(observed))
    estimator.fit(theta[near], summaries)
    tried = None if gave.all() else Tried.of(theta, gave)
    posterior = FlowPosterior(estimator, observed[None], tried)
    source = np.random.RandomState(draw_seed)
    return posterior.draw(priors, plan.n, source), posterior
