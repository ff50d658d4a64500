r"""Normal distribution that a flow begins with, and its draws of missing entries.

.. math:: \Sigma_\lambda = (1 - \lambda) \hat\Sigma + \lambda I

is the covariance of standardised columns, drawn to the identity by as much as serves
rows that were left out best [1]_. Given the entries of a row that are known, the others
are normal, too.

References
----------
.. [1] Friedman (1989). Regularized discriminant analysis. JASA.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.special import log_softmax, logsumexp

from skdgm.autoregressive.normal_moments import (
    QUICK,
    NormalMoments,
    expected_moments,
    jitter,
    patterns,
    regular_root,
)
from skdgm.nets import Layer
from skdgm.utils import addresses
from skdgm.utils.math import LOG_2PI

_CHOICE = addresses.FLOW_COMPONENT
# Degrees of shrinkage, of which the first are for rows of many more than columns.
_SHRINKAGE = (
    *(0.0, 1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3),
    *(0.01, 0.03, 0.1, 0.2, 0.4, 0.7, 1.0),
)
# Parts of the rows that are left out by turns; steps of expectation maximisation, and
# the first of these, which choose a degree, as the last does; and columns from which on
# parts, steps and degrees are fewer.
_FOLDS, _EM_STEPS, _CHOICES, _MANY = 5, 20, 3, 257
# Limit on the numbers of patterns that are kept, times columns squared.
_KEPT = 2**20
# Least variance, as a share of the column's, and least ratio of pivots that are safe.
_FLOOR, _SAFE = 1e-4, 1e-5


class Normal:
    """Normal distribution of standardised columns, of a mean and a covariance, which
    was shrunk by so much."""

    def __init__(self, mean, covariance, shrinkage=0.0):
        self.mean, self.covariance = mean, covariance
        self.shrinkage, self._patterns = shrinkage, {}

    @classmethod
    def of_whitening(cls, layer):
        """The distribution that a :class:`Layer` makes standard normal."""
        W, b = (part.astype(np.float64) for part in layer)
        root = solve_triangular(W, np.eye(len(b)))
        return cls(-b @ root, root.T @ root)

    def whitening(self, dtype, n_given=0):
        """Triangular map that makes the distribution standard normal, a Layer: that of
        other columns given the first ``n_given``, which stay as they are."""
        root = cholesky(self.covariance, lower=True)
        W = solve_triangular(root, np.eye(len(root)), lower=True).T
        b = -self.mean @ W
        W[:n_given, :n_given], b[:n_given] = np.eye(n_given), 0
        return Layer(W.astype(dtype), b.astype(dtype))

    def given(self, v, groups=None):
        """Conditional distributions of the missing entries of rows, which may be in
        groups of a pattern."""
        return Conditional(self, v, groups)

    def pattern(self, missing):
        """The :class:`Pattern` of a mask of missing columns, which is kept while there
        are few."""
        key = missing.tobytes()
        if key in self._patterns:
            return self._patterns[key]
        found = Pattern.of(self, missing)
        if (len(self._patterns) + 1) * missing.size**2 <= _KEPT:
            self._patterns[key] = found
        return found


class Independent:
    """Distribution of standardised columns that are independent."""

    def given(self, v):
        """Distributions of the missing entries of rows, which the others say nothing
        about."""
        return Drawn(v)


class Drawn(NamedTuple):
    """Rows whose missing entries are standard normal."""

    v: np.ndarray

    def completed(self, rng, spread=1.0):
        """As :meth:`Conditional.completed`."""
        noise, missing = rng.normal(self.v.shape[1]), np.isnan(self.v)
        log_q = -0.5 * (noise**2 + LOG_2PI) - np.log(spread)
        found = np.where(missing, spread * noise, self.v).astype(self.v.dtype)
        return found, np.where(missing, log_q, 0).sum(axis=1)


class Mixed:
    """Mixture of distributions, a list of :class:`Normal`."""

    def __init__(self, log_weight, parts):
        self.log_weight, self.parts = log_weight, parts

    def given(self, v):
        """Conditional distributions of the missing entries of rows."""
        groups = list(patterns(v))
        parts = [part.given(v, groups) for part in self.parts]
        return MixedConditional(self.log_weight, parts)


def start_of(statistics, place):
    """Distribution that a flow begins with, by its statistics: those of its layers, of
    which the one at a place is the whitening, without which columns are independent;
    and a mixture at its base, or ()."""
    layers, base = statistics[:2]
    if place is None:
        return Independent()
    if not base:
        return Normal.of_whitening(layers[place])
    W, b = (part.astype(np.float64) for part in layers[place])
    first, parts = len(b) - base.mean.shape[1], []
    for mean, root in zip(base.mean, base.root):
        own = np.eye(len(b))
        own[first:, first:] = root
        shift = np.concatenate([np.zeros(first), mean])
        parts.append(Normal.of_whitening(Layer(W @ own, (b - shift) @ own)))
    return Mixed(base.log_weight.astype(np.float64), parts)


class Pattern(NamedTuple):
    """Conditional distributions of missing columns by those that are seen: masks of
    both, the weights of the means, the lower factor of the covariance and its
    inverse; and the map that whitens what is seen, with its log determinant."""

    missing: np.ndarray
    seen: np.ndarray
    weights: np.ndarray
    root: np.ndarray
    back: np.ndarray
    white: np.ndarray
    log_det: float

    @classmethod
    def of(cls, normal, missing):
        """Pattern of a :class:`Normal` and a mask of missing columns."""
        seen, covariance = ~missing, normal.covariance
        inner = regular_root(covariance[np.ix_(seen, seen)])
        white = solve_triangular(inner, np.eye(len(inner)), **QUICK).T
        projected = white.T @ covariance[np.ix_(seen, missing)]
        weights = white @ projected
        within = covariance[np.ix_(missing, missing)] - projected.T @ projected
        root = cholesky(within + np.diag(jitter(within)), **QUICK)
        back = solve_triangular(root, np.eye(len(root)), **QUICK).T
        return cls(
            missing, seen, weights, root, back, white, np.log(np.diag(inner)).sum()
        )


class Conditional:
    """Normal distributions of the missing entries of rows, given the others, whose log
    densities are ``log_seen``; rows may be in ``groups`` of a pattern already."""

    def __init__(self, normal, v, groups=None):
        self.v, self.groups, self.log_seen = v, [], np.zeros(len(v))
        for rows, missing in patterns(v) if groups is None else groups:
            if not missing.any():
                continue
            own = normal.pattern(missing)
            gap = v[rows][:, own.seen].astype(np.float64) - normal.mean[own.seen]
            white = ((gap @ own.white) ** 2 + LOG_2PI).sum(axis=1)
            self.log_seen[rows] = -0.5 * white - own.log_det
            center = normal.mean[missing] + gap @ own.weights
            self.groups.append((rows, own, center))

    def completed(self, rng, spread=1.0):
        """Rows with missing entries drawn from distributions ``spread`` times as wide,
        and the log density of what is drawn."""
        found = self.drawn(rng.normal(self.v.shape[1]), spread)
        return found, self.log_q(found, spread)

    def drawn(self, noise, spread=1.0):
        """Rows with missing entries drawn by standard normal numbers."""
        found = self.v.copy()
        for rows, own, center in self.groups:
            place = np.ix_(rows, own.missing)
            found[place] = center + spread * noise[place] @ own.root.T
        return found

    def log_q(self, whole, spread=1.0):
        """Log densities of the missing entries, as they are in rows."""
        log_q = np.zeros(len(whole))
        for rows, own, center in self.groups:
            gap = whole[np.ix_(rows, own.missing)] - center
            drawn = gap @ own.back / spread
            log_q[rows] = -0.5 * (drawn**2 + LOG_2PI).sum(axis=1)
            log_q[rows] -= np.log(spread * np.diag(own.root)).sum()
        return log_q


class MixedConditional:
    """Mixtures of :class:`Conditional` distributions, with the log weights of those
    before anything is seen."""

    def __init__(self, log_weight, parts):
        self.v, self.parts = parts[0].v, parts
        log_p = log_weight[:, None] + np.stack([part.log_seen for part in parts])
        self.log_p = log_softmax(log_p, axis=0)

    def completed(self, rng, spread=1.0):
        """As :meth:`Conditional.completed`."""
        noisy = self.log_p + rng.fold(_CHOICE).gumbel(len(self.parts)).T
        which, found = noisy.argmax(axis=0), self.v.copy()
        noise = rng.normal(self.v.shape[1])
        for number, part in enumerate(self.parts):
            own = which == number
            found[own] = part.drawn(noise, spread)[own]
        return found, self.log_q(found, spread)

    def log_q(self, whole, spread=1.0):
        """As :meth:`Conditional.log_q`."""
        log_q = np.stack([part.log_q(whole, spread) for part in self.parts])
        return logsumexp(self.log_p + log_q, axis=0)


def fitted(table, n_given=0):
    """Normal distribution of a table's rows, a :class:`Normal`, by expectation
    maximisation where entries are missing. Its shrinkage serves the columns after the
    first ``n_given``, given these."""
    n = table.rows.shape[1]
    joint, amounts, n_folds, n_steps = (
        (np.zeros(n), np.eye(n)),
        _SHRINKAGE,
        _FOLDS,
        _EM_STEPS,
    )
    if n >= _MANY:
        amounts, n_folds, n_steps = _SHRINKAGE[1::3], 2, 3
    n_steps = 1 if table.rows.complete else n_steps
    for step in range(n_steps):
        folds = [
            expected_moments(table.rows, index, weight, partial(tuple, joint))
            for index, weight in _folds(table, n_folds)
        ]
        whole = NormalMoments.union(folds)
        # Expected moments of rows left out are as those of the joint distribution: one
        # that knows rows by heart would choose no shrinkage.
        if step < _CHOICES or step == n_steps - 1:
            shrinkage = _best_of(amounts, folds, n_given)
        joint = whole.mean, _regular(whole.covariance, max(shrinkage, 1e-6))
    return Normal(whole.mean, _regular(whole.covariance, shrinkage), shrinkage)


def _best_of(amounts, folds, n_given):
    """Shrinkage under which folds have the highest likelihood given the others."""
    best, shrinkage = -np.inf, _SHRINKAGE[-1] / 2
    for amount in amounts if len(folds) > 1 else ():
        found = _score(folds, amount, n_given)
        if found > best:
            best, shrinkage = found, amount
    return shrinkage


def _folds(table, n):
    """Row numbers and weights of n parts of the rows, which are in random order."""
    n = min(n, len(table.index))
    for k in range(n):
        yield table.index[k::n], table.weight[k::n]


def _regular(covariance, shrinkage):
    """Covariance drawn to the identity, of columns that vary a little at least."""
    n = len(covariance)
    low = np.maximum(_FLOOR - np.diag(covariance), 0)
    return (1 - shrinkage) * covariance + np.diag(low) + shrinkage * np.eye(n)


def _score(folds, shrinkage, n_given):
    """Mean log-likelihood of folds given the others, up to a constant; minus infinity
    where a covariance is close to singular. The first columns are given."""
    total = 0.0
    for number, left_out in enumerate(folds):
        rest = NormalMoments.union(folds[:number] + folds[number + 1 :])
        try:
            root = cholesky(_regular(rest.covariance, shrinkage), lower=True)
        except np.linalg.LinAlgError:
            return -np.inf
        pivots = np.diag(root)
        if pivots.min() < _SAFE * pivots.max():
            return -np.inf
        gap = left_out.mean - rest.mean
        around = left_out.covariance + np.outer(gap, gap)
        white = solve_triangular(root, around, lower=True)
        white = solve_triangular(root, white.T, lower=True)
        loss = (np.log(pivots) + 0.5 * np.diag(white))[n_given:].sum()
        total -= left_out.weight[0] * loss
    return total
