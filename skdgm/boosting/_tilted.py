r"""Exponential tilting of a density by classifiers, with sequential Monte Carlo.

.. math:: p_\beta(x) \propto p_0(x) e^{\beta F(x)}, \qquad
   \frac{Z_{\beta'}}{Z_\beta} = \mathbb{E}_{p_\beta} e^{(\beta' - \beta) F(x)}

Draws of the base density :math:`p_0` are weighted and resampled while :math:`\beta`
increases from 0 to 1 [1]_. Each step of :math:`\beta` keeps half of the draws
effective. Two kinds of Metropolis steps that leave :math:`p_\beta` invariant move the
draws: an independent draw from the base density, accepted by :math:`\beta F` alone, and
an exchange of columns between two draws.

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
from skdgm.utils.weighted import choose, effective_sample_size

# Independent populations; effective share of the draws after a step; maximum number of
# steps.
GROUPS, _EFFECTIVE, _STEPS = 8, 0.5, 200
_SEED = "random_state"
# Methods of classifiers that return odds.
ODDS = "predict_proba", "decision_function"
# Bound of log odds, which are infinite in pure leaves of trees.
_LIMIT = 7.0


class Population(NamedTuple):
    """Draws, (n, n_columns), with the log base density and F of each draw."""

    rows: np.ndarray
    log_base: np.ndarray
    tilt: np.ndarray

    def take(self, index):
        """Return the draws at an index."""
        return self._make(values[index] for values in self)


def log_odds(classifier, rows):
    """Return the log odds that each row is data, clipped on both sides."""
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
    n_missing = np.isnan(odds).sum()
    if n_missing:
        raise ValueError(
            f"The odds of {name} are NaN for {n_missing} of {len(odds)} rows, as of a "
            "variance of 0 where all rows of a class are equal: take a smoother "
            "classifier, or raise n_particles."
        )
    return np.clip(odds, -_LIMIT, _LIMIT)


def unfrozen(model):
    """Unwrap a model from one or more FrozenEstimators."""
    return unfrozen(model.estimator) if isinstance(model, FrozenEstimator) else model


def nameless(model):
    """Copy a fitted model without its feature names, so that it accepts arrays."""
    if isinstance(model, FrozenEstimator):
        return FrozenEstimator(nameless(model.estimator))
    model = copy(model)
    vars(model).pop("feature_names_in_", None)
    return model


def has_seed(model):
    """Return whether the draws of a model are reproducible."""
    parameters = signature(model.sample).parameters
    return _SEED in parameters or _SEED in unfrozen(model).get_params(deep=False)


class Tilted(AnnealingPath):
    """Annealing path from ``base`` to the unnormalized density :math:`p_0(x) e^{F(x)}`.

    ``terms`` is a list of fitted classifiers with the weights of their log odds;
    ``n_steps`` is the number of Metropolis moves per step of annealing.
    """

    def __init__(self, base, terms, n_steps):
        self.base, self.terms, self.n_steps = nameless(base), terms, n_steps

    def tilt(self, rows):
        """Return F of each row."""
        total = np.zeros(len(rows))
        for classifier, weight in self.terms:
            total += weight * log_odds(classifier, rows)
        return total

    def measured(self, rows):
        """Evaluate the log base density and F of rows."""
        log_base = np.asarray(self.base.score_samples(rows), dtype=np.float64)
        return Population(rows, log_base, self.tilt(rows))

    def of_base(self, n, rng):
        """Draw n rows from the base density."""
        seed = rng.integers(MAX_SEED)
        if _SEED in signature(self.base.sample).parameters:
            rows = self.base.sample(n, random_state=seed)
        else:
            base = copy(unfrozen(self.base)).set_params(random_state=seed)
            rows = base.sample(n)
        rows = np.asarray(rows[0] if isinstance(rows, tuple) else rows)
        return rows[rng.permutation(n)]

    def annealed(self, n, rng):
        """Draw n rows from the tilted density; return a Population, log Z, and its
        standard error.

        Rows come from several populations, in proportion to their estimates of Z.
        """
        drawn = self.measured(self.of_base(GROUPS * -(-n // GROUPS), rng))
        beta, n_each = 0.0, len(drawn.rows) // GROUPS
        log_w, resample = np.zeros(len(drawn.rows)), partial(resampled, n_groups=GROUPS)
        for n_left in reversed(range(_STEPS)):
            step = _longest(drawn.tilt, 1 - beta) if n_left else 1 - beta
            last, beta = beta, 1.0 if step >= 1 - beta else beta + step
            drawn = anneal(self, [rng], drawn, (last, beta), log_w, resample=resample)
            if beta == 1:
                break
        log_Z_of_groups = log_w[::n_each]
        log_Z = float(logsumexp(log_Z_of_groups) - np.log(GROUPS))
        se = float(np.std(np.exp(log_Z_of_groups - log_Z), ddof=1) / np.sqrt(GROUPS))
        return drawn.take(choose(log_w, n, drawn_from(rng))), log_Z, se

    def log_p(self, state, beta):
        return beta * state.tilt

    def step(self, rng, state, beta, n_groups=GROUPS):
        for _ in range(self.n_steps):
            state = self._renewed(state, rng, beta)
            if state.rows.shape[1] > 1:
                state = self._exchanged(state, rng, beta, n_groups)
        return state

    def _renewed(self, drawn, rng, beta):
        """Propose an independent draw from the base density for each draw."""
        rows = self.of_base(len(drawn.rows), rng)
        gain = beta * (self.tilt(rows) - drawn.tilt)
        accepted = np.flatnonzero(np.log(rng.random(len(gain))) < gain)
        if not len(accepted):
            return drawn
        return _replaced(drawn, accepted, self.measured(rows[accepted]))

    def _exchanged(self, drawn, rng, beta, n_groups=1):
        """Propose to exchange columns between pairs of draws of a group: a single
        column for half of the pairs, a random subset for the others."""
        n, n_columns = drawn.rows.shape
        order = np.argsort(rng.random((n_groups, n // n_groups)), axis=1)
        order += np.arange(n_groups)[:, None] * (n // n_groups)
        half = order.shape[1] // 2
        if not half:
            return drawn
        first, second = order[:, :half].ravel(), order[:, half : 2 * half].ravel()
        u = rng.random((len(first), n_columns))
        is_single = u == u.max(axis=1, keepdims=True)
        is_in_subset = u < rng.random((len(first), 1))
        exchanged = np.where(rng.random((len(first), 1)) < 0.5, is_single, is_in_subset)
        a, b = drawn.rows[first], drawn.rows[second]
        rows = np.concatenate([np.where(exchanged, b, a), np.where(exchanged, a, b)])
        new, old = self.measured(rows), drawn.take(np.concatenate([first, second]))
        gain = new.log_base - old.log_base + beta * (new.tilt - old.tilt)
        gain = np.sum(np.split(gain, 2), axis=0)
        accepted = np.flatnonzero(np.log(rng.random(len(gain))) < gain)
        both = np.concatenate([accepted, accepted + len(first)])
        index = np.concatenate([first[accepted], second[accepted]])
        return _replaced(drawn, index, new.take(both))


def _replaced(drawn, index, new):
    """Return a population with the draws at an index replaced."""
    arrays = [array.copy() for array in drawn]
    for array, values in zip(arrays, new):
        array[index] = values
    return Population._make(arrays)


def resampled(rng, drawn, log_w, n_groups=1):
    """Resample draws by their weights within each group; ``log_w`` is set in place to
    the log mean weight of the group."""
    groups = log_w.reshape(n_groups, -1)
    n_each = groups.shape[1]
    index = [choose(row, n_each, drawn_from(rng)) for row in groups]
    groups[:] = logsumexp(groups, axis=1, keepdims=True) - np.log(n_each)
    first = np.arange(n_groups)[:, None] * n_each
    return drawn.take((first + index).ravel())


def drawn_from(rng):
    """Random stream with a seed drawn from a generator."""
    return stream(rng.integers(MAX_SEED))


def _longest(tilt, most):
    """Longest step, at most ``most``, after which enough draws are effective."""

    def excess(step):
        return effective_sample_size(step * tilt) - _EFFECTIVE * len(tilt)

    return most if excess(most) >= 0 else brentq(excess, 0, most, xtol=1e-4)
