r"""Neural estimation of posteriors: a conditional density of parameters.

.. math:: \max_\phi \sum_i \log q_\phi(\theta_i \mid s_i), \qquad
   \theta_i \sim \pi, \quad s_i = s(x_i), \quad x_i \sim p(x \mid \theta_i)

With many simulations q is the posterior given any summaries, as far as it can be [1]_.
Of all simulations only those with summaries near to the ones observed are learned
from. That has no effect on the density of parameters given summaries, as it depends on
these alone; but there are fewer summaries at which it must be right.

References
----------
.. [1] Papamakarios and Murray (2016). Fast epsilon-free inference of simulation models
   with Bayesian conditional density estimation. NeurIPS.
"""

import numpy as np

from skdgm.abc._particles import check, within
from skdgm.utils.random import MAX_SEED

_PRIOR, _FIT, _DRAWS = range(3)
# Least number of simulations that a flow learns from, if there are as many.
LEAST = 1000


def learn(simulations, priors, rng, *, n, n_simulations, estimator, quantile, tell):
    """Fit a conditional density to simulations from the prior, the nearest share of
    them, ``quantile``, and draw n parameters from it given the summaries observed.
    ``tell(what, n_simulations, distance)`` is told of those learned from.

    Returns
    -------
    theta : ndarray of shape (n, n_parameters)
    estimator : Flow
    """
    theta = priors.draw(n_simulations, rng.fold(_PRIOR).generator())
    distance, gaps = simulations(theta)
    check(distance, 0.0)
    n_finite = np.isfinite(distance).sum()
    n_near = min(n_finite, max(LEAST, int(np.ceil(quantile * n_finite))))
    limit = np.partition(distance, n_near - 1)[n_near - 1]
    near = distance <= limit
    tell(f"{near.sum()} nearest to learn from", simulations.n_done, limit)
    observed = simulations.digest.observed.ravel()
    summaries = gaps[near] * simulations.scale + observed
    seeds = [
        int(rng.fold(tag).generator().integers(MAX_SEED)) for tag in (_FIT, _DRAWS)
    ]
    if estimator.random_state is None:
        estimator.set_params(random_state=seeds[0])
    estimator.fit(theta[near], summaries)
    source = np.random.RandomState(seeds[1])

    def draw(n):
        return estimator.sample(n, random_state=source, y=observed[None])

    found, _ = within(priors, draw, n)
    if len(found) < n:
        raise ValueError(
            f"Of the density's draws given X {len(found)} in place of {n} are possible "
            "under the priors: simulate more, with summaries that tell the parameters."
        )
    return found.astype(float), estimator
