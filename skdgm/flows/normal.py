r"""Normal distribution that a flow begins with, and its draws of missing entries.

.. math:: \Sigma_\lambda = (1 - \lambda) \hat\Sigma + \lambda I

is the covariance of standardised columns, with cross-validated shrinkage to the
identity [1]_. The missing entries of a row are normal conditional on the known ones.

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
# Degrees of shrinkage, of which the first are for many more rows than columns.
_SHRINKAGE = 0.0, 1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3
_SHRINKAGE += 0.01, 0.03, 0.1, 0.2, 0.4, 0.7, 1.0
# Folds; steps of expectation maximisation, and the first of these, which choose a
# degree, as the last does; and columns from which on folds, steps and degrees are
# fewer.
_FOLDS, _EM_STEPS, _CHOICES, _MANY = 5, 20, 3, 257
# Most kept patterns, times columns squared.
_KEPT = 2**20
# Least variance, as a share of the column's, and least ratio of pivots that are safe.
_FLOOR, _SAFE = 1e-4, 1e-5


class JointNormal:
    """Normal distribution of standardised columns, of a mean and a covariance with a
    degree of shrinkage."""

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
        """Triangular map that makes the distribution of the columns standard normal, a
        Layer, conditional on the first ``n_given``, which stay as they are."""
        root = cholesky(self.covariance, lower=True)
        W = solve_triangular(root, np.eye(len(root)), lower=True).T
        b = -self.mean @ W
        W[:n_given, :n_given], b[:n_given] = np.eye(n_given), 0
        return Layer(W.astype(dtype), b.astype(dtype))

    def given(self, v, groups=None):
        """Conditional distributions of the missing entries of rows, by groups of rows
        of one pattern, if known."""
        return ConditionalNormals(self, v, groups)

    def pattern(self, missing):
        """The :class:`Pattern` of a mask of missing columns; a few are kept."""
        key = missing.tobytes()
        if key in self._patterns:
            return self._patterns[key]
        pattern = Pattern.of(self, missing)
        if (len(self._patterns) + 1) * missing.size**2 <= _KEPT:
            self._patterns[key] = pattern
        return pattern


class Independent:
    """Distribution of standardised columns that are independent."""

    def given(self, v):
        """Distributions of the missing entries of rows."""
        return StandardNormals(v)


class StandardNormals(NamedTuple):
    """Rows whose missing entries are standard normal."""

    v: np.ndarray

    def completed(self, rng, spread=1.0):
        """As :meth:`ConditionalNormals.completed`."""
        noise, missing = rng.normal(self.v.shape[1]), np.isnan(self.v)
        log_q = -0.5 * (noise**2 + LOG_2PI) - np.log(spread)
        v = np.where(missing, spread * noise, self.v).astype(self.v.dtype)
        return v, np.where(missing, log_q, 0).sum(axis=1)


class JointMixture:
    """Mixture of distributions, a list of :class:`JointNormal`."""

    def __init__(self, log_weight, parts):
        self.log_weight, self.parts = log_weight, parts

    def given(self, v):
        """Conditional distributions of the missing entries of rows."""
        groups = list(patterns(v))
        parts = [part.given(v, groups) for part in self.parts]
        return ConditionalMixtures(self.log_weight, parts)


def start_of(statistics, place):
    """Distribution that a flow begins with, by the statistics of its layers, with the
    whitening at a place, or independent columns at None; and of its base, a mixture or
    ()."""
    layers, base = statistics[:2]
    if place is None:
        return Independent()
    if not base:
        return JointNormal.of_whitening(layers[place])
    W, b = (part.astype(np.float64) for part in layers[place])
    first, parts = len(b) - base.mean.shape[1], []
    for mean, root in zip(base.mean, base.root):
        scale = np.eye(len(b))
        scale[first:, first:] = root
        shift = np.concatenate([np.zeros(first), mean])
        layer = Layer(W @ scale, (b - shift) @ scale)
        parts.append(JointNormal.of_whitening(layer))
    return JointMixture(base.log_weight.astype(np.float64), parts)


class Pattern(NamedTuple):
    """Conditional distribution of missing columns given seen ones: masks of both, the
    weights of the means, the lower factor of the covariance and its inverse; and the
    map that whitens seen columns, with its log determinant."""

    missing: np.ndarray
    seen: np.ndarray
    weights: np.ndarray
    root: np.ndarray
    back: np.ndarray
    white: np.ndarray
    log_det: float

    @classmethod
    def of(cls, normal, missing):
        """Pattern of a :class:`JointNormal` and a mask of missing columns."""
        seen, covariance = ~missing, normal.covariance
        inner = regular_root(covariance[np.ix_(seen, seen)])
        white = solve_triangular(inner, np.eye(len(inner)), **QUICK).T
        projected = white.T @ covariance[np.ix_(seen, missing)]
        weights = white @ projected
        within = covariance[np.ix_(missing, missing)] - projected.T @ projected
        root = cholesky(within + np.diag(jitter(within)), **QUICK)
        back = solve_triangular(root, np.eye(len(root)), **QUICK).T
        log_det = np.log(np.diag(inner)).sum()
        return cls(missing, seen, weights, root, back, white, log_det)


class ConditionalNormals:
    """Normal distributions of the missing entries of rows, given the others, of log
    densities ``log_seen``; ``groups`` are rows of one pattern, if known."""

    def __init__(self, normal, v, groups=None):
        self.v, self.groups, self.log_seen = v, [], np.zeros(len(v))
        for rows, missing in patterns(v) if groups is None else groups:
            if not missing.any():
                continue
            pattern = normal.pattern(missing)
            gap = v[rows][:, ~missing].astype(np.float64) - normal.mean[~missing]
            white = ((gap @ pattern.white) ** 2 + LOG_2PI).sum(axis=1)
            self.log_seen[rows] = -0.5 * white - pattern.log_det
            center = normal.mean[missing] + gap @ pattern.weights
            self.groups.append((rows, pattern, center))

    def completed(self, rng, spread=1.0):
        """Rows with missing entries drawn from distributions ``spread`` times as wide,
        and the log density of the draws."""
        v = self.drawn(rng.normal(self.v.shape[1]), spread)
        return v, self.log_q(v, spread)

    def drawn(self, noise, spread=1.0):
        """Rows with missing entries drawn by standard normal numbers."""
        v = self.v.copy()
        for rows, pattern, center in self.groups:
            place = np.ix_(rows, pattern.missing)
            v[place] = center + spread * noise[place] @ pattern.root.T
        return v

    def log_q(self, whole, spread=1.0):
        """Log densities of the missing entries, as they are in rows."""
        log_q = np.zeros(len(whole))
        for rows, pattern, center in self.groups:
            gap = whole[np.ix_(rows, pattern.missing)] - center
            noise = gap @ pattern.back / spread
            log_q[rows] = -0.5 * (noise**2 + LOG_2PI).sum(axis=1)
            log_q[rows] -= np.log(spread * np.diag(pattern.root)).sum()
        return log_q


class ConditionalMixtures:
    """Mixtures of :class:`ConditionalNormals`, with their prior log weights."""

    def __init__(self, log_weight, parts):
        self.v, self.parts = parts[0].v, parts
        log_p = log_weight[:, None] + np.stack([part.log_seen for part in parts])
        self.log_p = log_softmax(log_p, axis=0)

    def completed(self, rng, spread=1.0):
        """As :meth:`ConditionalNormals.completed`."""
        noisy = self.log_p + rng.fold(_CHOICE).gumbel(len(self.parts)).T
        which, v = noisy.argmax(axis=0), self.v.copy()
        noise = rng.normal(self.v.shape[1])
        for number, part in enumerate(self.parts):
            chosen = which == number
            v[chosen] = part.drawn(noise, spread)[chosen]
        return v, self.log_q(v, spread)

    def log_q(self, whole, spread=1.0):
        """As :meth:`ConditionalNormals.log_q`."""
        log_q = np.stack([part.log_q(whole, spread) for part in self.parts])
        return logsumexp(self.log_p + log_q, axis=0)


def fitted(table, n_given=0):
    """Normal distribution of a table's rows, a :class:`JointNormal`, by expectation
    maximisation where entries are missing. Its shrinkage is cross-validated for the
    columns after the first ``n_given``, given these."""
    n = table.rows.shape[1]
    joint = np.zeros(n), np.eye(n)
    amounts, n_folds, n_steps = _SHRINKAGE, _FOLDS, _EM_STEPS
    if n >= _MANY:
        amounts, n_folds, n_steps = _SHRINKAGE[1::3], 2, 3
    n_steps = 1 if table.rows.complete else n_steps
    for step in range(n_steps):
        folds = [
            expected_moments(table.rows, index, weight, partial(tuple, joint))
            for index, weight in _folds(table, n_folds)
        ]
        whole = NormalMoments.union(folds)
        # Expected moments of held-out rows resemble the joint distribution, which would
        # choose no shrinkage if it were overfitted.
        if step < _CHOICES or step == n_steps - 1:
            shrinkage = _best_of(amounts, folds, n_given)
        joint = whole.mean, _regular(whole.covariance, max(shrinkage, 1e-6))
    return JointNormal(whole.mean, _regular(whole.covariance, shrinkage), shrinkage)


def _best_of(amounts, folds, n_given):
    """Shrinkage under which folds have the highest likelihood given the others."""
    best, shrinkage = -np.inf, _SHRINKAGE[-1] / 2
    for amount in amounts if len(folds) > 1 else ():
        score = _score(folds, amount, n_given)
        if score > best:
            best, shrinkage = score, amount
    return shrinkage


def _folds(table, n):
    """Row numbers and weights of n parts of the rows, which are in random order."""
    n = min(n, len(table.index))
    for k in range(n):
        yield table.index[k::n], table.weight[k::n]


def _regular(covariance, shrinkage):
    """Covariance shrunk to the identity, of columns that vary at least a little."""
    n = len(covariance)
    low = np.maximum(_FLOOR - np.diag(covariance), 0)
    return (1 - shrinkage) * covariance + np.diag(low) + shrinkage * np.eye(n)


def _score(folds, shrinkage, n_given):
    """Mean log-likelihood of folds by the others, up to a constant, of columns after
    the first ones, given these; minus infinity if a covariance is nearly singular."""
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
