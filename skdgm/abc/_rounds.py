r"""Rounds of simulations for a flow, each adapted to the observed summaries.

.. math:: \theta \sim \pi(\theta) \prod_k [q_k(\theta \mid s_o) \ge \tau_k]
   \qquad \text{or} \qquad \theta \sim q_k(\theta \mid s_o)

A flow of parameters is fitted to simulations from the prior, truncated to the regions
with all but a small share :math:`\epsilon` of the mass of the former rounds' posteriors
[1]_. Truncation does not change the posterior there, and all simulations within the
last region are used. A flow of summaries is valid for parameters from any distribution:
they are drawn from the posterior of the former round, and all simulations are used
[2]_.

References
----------
.. [1] Deistler, Goncalves and Macke (2022). Truncated proposals for scalable and
   hassle-free simulation-based inference. NeurIPS.
.. [2] Papamakarios, Sterratt and Murray (2019). Sequential neural likelihood: fast
   likelihood-free inference with autoregressive flows. AISTATS.
"""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from skdgm.abc._likelihood import LikelihoodPosterior
from skdgm.abc._neural import FlowPosterior, SimulationSupport, as_row
from skdgm.abc._particles import check, within
from skdgm.exceptions import DivergenceError
from skdgm.utils.random import MAX_SEED

# Purposes of random numbers: parameters, the flow, draws from the posterior, noise of
# whole summaries, and later rounds.
_PRIOR, _FIT, _DRAWS, _NOISE, _LATER = range(5)
# Minimum number of simulations to fit a flow, if that many succeeded, and by default.
LEAST, DEFAULT_LEAST = 1000, 3000
# Share of a posterior outside its region, number of draws that estimate its density
# there, and number of candidates for each parameter that is resampled.
_OUTSIDE, _N_DRAWS, _N_CANDIDATES = 1e-4, 10_000, 100


class PriorRegion:
    """Intersection of the regions of posteriors of former rounds."""

    def __init__(self, priors):
        self.priors, self.parts = priors, []

    def cut(self, posterior, source):
        """Exclude parameters whose posterior density is too low."""
        own = posterior.draw(self.priors, _N_DRAWS, source, minimum=1)
        log_p = posterior.log_prob(self.priors, own)
        self.parts.append((posterior, np.quantile(log_p, _OUTSIDE)))

    def contains(self, theta):
        """Mask of parameters within the region."""
        kept = np.ones(len(theta), dtype=bool)
        for posterior, threshold in reversed(self.parts):
            if kept.any():
                kept[kept] = posterior.log_prob(self.priors, theta[kept]) >= threshold
        return kept

    def draw(self, n, source):
        """Draw n parameters from the truncated prior, by rejection of draws from the
        prior; if most are rejected, by resampling without replacement of draws from the
        last posterior, with importance weights."""
        if not self.parts:
            return self.priors.draw(n, source)

        def propose(n):
            return self.priors.draw(n, source)

        theta = within(self.priors, propose, n, self.contains)[0]
        if len(theta) == n:
            return theta
        posterior = self.parts[-1][0]
        theta = posterior.draw(self.priors, _N_CANDIDATES * n, source, minimum=1)
        theta = theta[self.contains(theta)]
        log_weight = self.priors.log_prob(theta)
        log_weight -= posterior.log_prob(self.priors, theta)
        # The largest sums with Gumbel noise are a weighted sample.
        noisy = log_weight + source.gumbel(size=len(theta))
        return theta[np.argsort(-noisy)[:n]]


class SimulatedRows(NamedTuple):
    """Parameters of simulations, (n, n_parameters), distances from the data, infinite
    if they failed, and their summaries, (n, n_summaries)."""

    theta: np.ndarray
    distance: np.ndarray
    summaries: np.ndarray

    def take(self, kept):
        """The simulations at an index."""
        return self._make(values[kept] for values in self)

    def joined(self, other):
        """Concatenate with other simulations."""
        return self._make(np.concatenate(pair) for pair in zip(self, other))

    def near(self, quantile):
        """Mask of the nearest share of successful simulations, and their largest
        distance."""
        n = np.isfinite(self.distance).sum()
        n = min(n, max(LEAST, int(np.ceil(quantile * n))))
        limit = np.partition(self.distance, n - 1)[n - 1]
        return self.distance <= limit, limit


def learn(simulations, priors, rng, plan, *, is_likelihood, models, report):
    """Fit conditional flows, clones of ``models``, to simulations in rounds, and draw
    parameters given the observed summaries by the flow with the least held-out loss.

    A flow of parameters learns from the share ``plan.quantile`` of simulations closest
    to the data; a flow of summaries needs the share 1.
    ``report(n_simulations, n_accepted, distance)`` is called in each round. Returns
    parameters of shape (plan.n, n_parameters) and a FlowPosterior or a
    LikelihoodPosterior.
    """
    fit = _fit_likelihood if is_likelihood else _fit_posterior
    region, rows = PriorRegion(priors), None
    stops = np.linspace(0, plan.first, plan.n_rounds + 1).astype(int)
    posterior: Any = None
    for number, n in enumerate(np.diff(stops)):
        own = rng.fold(_LATER, number) if number else rng
        source = own.fold(_PRIOR).generator()
        if posterior is not None:
            # Flows draw with a RandomState.
            source = np.random.RandomState(source.integers(MAX_SEED))
        if posterior is not None and is_likelihood:
            theta = posterior.draw(priors, n, source)
        else:
            if posterior is not None:
                region.cut(posterior, source)
            theta = region.draw(n, source)
        summaries = simulations.run(theta)
        distance, _ = simulations.measured(summaries)
        new = SimulatedRows(theta, distance, summaries)
        if rows is None:
            check(new.distance, 0.0)
        rows = new if rows is None else rows.joined(new)
        inside = rows.take(region.contains(rows.theta))
        near, limit = inside.near(plan.quantile)
        report(simulations.n_done, near.sum(), limit)
        succeeded = np.isfinite(rows.distance)
        posterior = fit(
            models,
            inside.take(near),
            simulations,
            own,
            support=None
            if succeeded.all()
            else SimulationSupport.of(rows.theta, succeeded),
            is_amortized=plan.n_rounds == 1 and near.sum() == succeeded.sum(),
        )
    source = np.random.RandomState(_seed(own.fold(_DRAWS)))
    return posterior.normalized(priors, plan.n, source)


def _fit_posterior(models, rows, simulations, rng, **facts):
    """Fit a flow of parameters given summaries."""
    model = _fit(models, rows.theta, rows.summaries, rng)
    return FlowPosterior(model, as_row(simulations.digest.observed), **facts)


def _fit_likelihood(models, rows, simulations, rng, **facts):
    """Fit a flow of summaries given parameters. Noise makes whole summaries continuous:
    the density at the middle of a unit interval is a probability."""
    observed, summaries = as_row(simulations.digest.observed), rows.summaries
    whole = (observed % 1 == 0) & (summaries % 1 == 0).all(axis=0)
    noise = rng.fold(_NOISE).generator().uniform(-0.5, 0.5, summaries.shape)
    model = _fit(models, summaries + whole * noise, rows.theta, rng)
    return LikelihoodPosterior(model, observed, **facts)


def _fit(models, rows, conditions, rng):
    """Fit flows of rows given conditions, all of which are real numbers; return the
    flow with the least held-out loss. Divergence of all flows is an error."""
    fitted, seed = [], _seed(rng.fold(_FIT))
    candidates = [clone(model) for model in models]
    for number, model in enumerate(candidates):
        if model.random_state is None:
            model.set_params(random_state=seed)
        # Conditions are real numbers, even if all are whole.
        if getattr(model, "attribute_types", None) == "auto":
            model.set_params(attribute_types=("gaussian",) * conditions.shape[1])
        try:
            fitted.append(model.fit(rows, conditions))
        except DivergenceError:
            if number == len(candidates) - 1 and not fitted:
                raise
    if len(fitted) == 1:
        return fitted[0]
    return min(fitted, key=lambda model: min(model.validation_curve_))


def _seed(rng):
    return int(rng.generator().integers(MAX_SEED))
