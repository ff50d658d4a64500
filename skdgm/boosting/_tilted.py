r"""A density times the odds of classifiers, and its draws.

.. math:: p_\beta(x) \propto p_0(x) e^{\beta F(x)}, \qquad
   \frac{Z_{\beta'}}{Z_\beta} = \mathbb{E}_{p_\beta} e^{(\beta' - \beta) F(x)}

Draws of the base density :math:`p_0` are weighted and resampled while :math:`\beta`
increases from 0 to 1 [1]_, so that half of them stay effective in each step. Two kinds
of Metropolis steps with the invariant density :math:`p_\beta` move them: a new draw of
the base, accepted by :math:`\beta F` alone; and an exchange of some columns of two
draws, which needs the base density, too.

References
----------
.. [1] Del Moral, Doucet and Jasra (2006). Sequential Monte Carlo samplers. Journal of
   the Royal Statistical Society, Series B.
"""

from copy import copy
from functools import partial
from inspect import signature
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit, logsumexp
from sklearn.frozen import FrozenEstimator

from skdgm.partition import AnnealingPath, anneal
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.weighted import choose, effective

# Populations of an annealing, which do not know of each other; share of the draws that
# stay effective at a step; most steps.
GROUPS, _EFFECTIVE, _STEPS = 8, 0.5, 200
_SEED = "random_state"
# Methods of classifiers that have odds.
ODDS = "predict_proba", "decision_function"
# Largest log odds: of a leaf of a tree they may be infinite.
_LIMIT = 7.0


class Population(NamedTuple):
    """Draws: rows, their log base density, and F of each."""

    rows: np.ndarray
    log_base: np.ndarray
    tilt: np.ndarray

    def take(self, index):
        """Some of the draws."""
        return self._make(part[index] for part in self)


def log_odds(classifier, rows):
    """Log odds that rows are data, within limits on both sides."""
    name = type(classifier).__name__
    if hasattr(classifier, "predict_proba"):
        probability = classifier.predict_proba(rows)[:, 1].astype(np.float64)
        odds = logit(np.clip(probability, expit(-_LIMIT), expit(_LIMIT)))
    elif hasattr(classifier, "decision_function"):
        odds = np.asarray(classifier.decision_function(rows), dtype=np.float64)
    else:
        raise ValueError(
            f"{name} has no odds: take a classifier with {' or '.join(ODDS)}."
        )
    lacks = np.isnan(odds).sum()
    if lacks:
        raise ValueError(
            f"The odds of {name} are NaN for {lacks} of {len(odds)} rows, as of a "
            "variance of 0 where all rows of a class are equal: take a smoother "
            "classifier, or raise n_particles."
        )
    return np.clip(odds, -_LIMIT, _LIMIT)


def unfrozen(model):
    """Model inside of a FrozenEstimator, or of several."""
    return unfrozen(model.estimator) if isinstance(model, FrozenEstimator) else model


def nameless(model):
    """Copy of a fitted model, for rows in arrays: without the names of columns."""
    if isinstance(model, FrozenEstimator):
        return FrozenEstimator(nameless(model.estimator))
    model = copy(model)
    vars(model).pop("feature_names_in_", None)
    return model


def has_seed(model):
    """Return whether draws of a model can be repeated."""
    given = signature(model.sample).parameters
    return _SEED in given or _SEED in unfrozen(model).get_params(deep=False)


class Tilted(AnnealingPath):
    """The density :math:`p_0(x) e^{F(x)}`, up to its constant.

    Parameters
    ----------
    base : estimator
        A fitted model with ``sample`` and ``score_samples``.
    terms : list of (classifier, float)
        Fitted classifiers, with the weight of the log odds of each.
    n_steps : int
        Moves of each draw at a step of annealing.
    """

    def __init__(self, base, terms, n_steps):
        self.base, self.terms, self.n_steps = nameless(base), terms, n_steps

    def tilt(self, rows):
        """F of rows."""
        total = np.zeros(len(rows))
        for classifier, weight in self.terms:
            total += weight * log_odds(classifier, rows)
        return total

    def measured(self, rows):
        """Rows as a population."""
        log_base = np.asarray(self.base.score_samples(rows), dtype=np.float64)
        return Population(rows, log_base, self.tilt(rows))

    def of_base(self, n, rng):
        """Draws of the base."""
        seed = rng.integers(MAX_SEED)
        if _SEED in signature(self.base.sample).parameters:
            rows = self.base.sample(n, random_state=seed)
        else:
            base = copy(unfrozen(self.base)).set_params(random_state=seed)
            rows = base.sample(n)
        rows = np.asarray(rows[0] if isinstance(rows, tuple) else rows)
        return rows[rng.permutation(n)]

    def annealed(self, n, rng):
        """Draws of the density, and the log of its constant with a standard error.

        They are of several populations, in proportion to the constants of these.

        Returns
        -------
        population : Population
        log_Z : float
        log_Z_se : float
        """
        drawn = self.measured(self.of_base(GROUPS * -(-n // GROUPS), rng))
        beta, n_each = 0.0, len(drawn.rows) // GROUPS
        log_w, resample = np.zeros(len(drawn.rows)), partial(resampled, n_groups=GROUPS)
        for left in reversed(range(_STEPS)):
            step = _longest(drawn.tilt, 1 - beta) if left else 1 - beta
            last, beta = beta, 1.0 if step >= 1 - beta else beta + step
            drawn = anneal(self, [rng], drawn, (last, beta), log_w, resample=resample)
            if beta == 1:
                break
        of_groups = log_w[::n_each]
        log_Z = float(logsumexp(of_groups) - np.log(GROUPS))
        se = float(np.std(np.exp(of_groups - log_Z), ddof=1) / np.sqrt(GROUPS))
        return drawn.take(choose(log_w, n, drawn_from(rng))), log_Z, se

    def log_p(self, drawn, beta):
        return beta * drawn.tilt

    def step(self, rng, drawn, beta, n_groups=GROUPS):
        for _ in range(self.n_steps):
            drawn = self._renewed(drawn, rng, beta)
            if drawn.rows.shape[1] > 1:
                drawn = self._exchanged(drawn, rng, beta, n_groups)
        return drawn

    def _renewed(self, drawn, rng, beta):
        """Some draws replaced by new ones of the base."""
        rows = self.of_base(len(drawn.rows), rng)
        gain = beta * (self.tilt(rows) - drawn.tilt)
        taken = np.flatnonzero(np.log(rng.random(len(gain))) < gain)
        if not len(taken):
            return drawn
        return _replaced(drawn, taken, self.measured(rows[taken]))

    def _exchanged(self, drawn, rng, beta, n_groups=1):
        """Some columns of pairs of draws of a group exchanged: of a half of the pairs
        one, of others any number."""
        n, n_columns = drawn.rows.shape
        order = np.argsort(rng.random((n_groups, n // n_groups)), axis=1)
        order += np.arange(n_groups)[:, None] * (n // n_groups)
        half = order.shape[1] // 2
        if not half:
            return drawn
        first, second = order[:, :half].ravel(), order[:, half : 2 * half].ravel()
        own = rng.random((len(first), n_columns))
        one = own == own.max(axis=1, keepdims=True)
        some = own < rng.random((len(first), 1))
        given = np.where(rng.random((len(first), 1)) < 0.5, one, some)
        a, b = drawn.rows[first], drawn.rows[second]
        rows = np.concatenate([np.where(given, b, a), np.where(given, a, b)])
        new, old = self.measured(rows), drawn.take(np.concatenate([first, second]))
        gain = new.log_base - old.log_base + beta * (new.tilt - old.tilt)
        gain = np.sum(np.split(gain, 2), axis=0)
        taken = np.flatnonzero(np.log(rng.random(len(gain))) < gain)
        both = np.concatenate([taken, taken + len(first)])
        index = np.concatenate([first[taken], second[taken]])
        return _replaced(drawn, index, new.take(both))


def _replaced(drawn, index, new):
    """A population with other draws at an index."""
    parts = [part.copy() for part in drawn]
    for part, other in zip(parts, new):
        part[index] = other
    return Population(*parts)


def resampled(rng, drawn, log_w, n_groups=1):
    """Draws chosen by their weights among those of their group; log weights, which are
    set in place, are then the log mean of the group's."""
    groups = log_w.reshape(n_groups, -1)
    n_each = groups.shape[1]
    index = [choose(part, n_each, drawn_from(rng)) for part in groups]
    groups[:] = logsumexp(groups, axis=1, keepdims=True) - np.log(n_each)
    first = np.arange(n_groups)[:, None] * n_each
    return drawn.take((first + index).ravel())


def drawn_from(rng):
    """Stream of random numbers, with a seed drawn from a generator."""
    return stream(rng.integers(MAX_SEED))


def _longest(tilt, most):
    """Longest step after which enough draws are effective."""

    def excess(step):
        return effective(step * tilt) - _EFFECTIVE * len(tilt)

    return most if excess(most) >= 0 else brentq(excess, 0, most, xtol=1e-4)
