r"""Normal distributions of rows with missing entries, and their expected moments.

.. math:: \mu_{m \mid o} = \mu_m + \Sigma_{mo} \Sigma_{oo}^{-1} (x_o - \mu_o), \qquad
   \Sigma_{m \mid o} = \Sigma_{mm} - \Sigma_{mo} \Sigma_{oo}^{-1} \Sigma_{om}

A step of expectation maximization [1]_ computes the moments of rows with missing
entries at these conditional means, and adds these covariances. Moments of blocks of
rows are merged by [2]_.

References
----------
.. [1] Dempster, Laird and Rubin (1977). Maximum likelihood from incomplete data via the
   EM algorithm. JRSS B.
.. [2] Chan, Golub and LeVeque (1983). Algorithms for computing the sample variance.
   The American Statistician.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from skdgm.utils.math import LOG_2PI, rows_by_gaps

# SciPy options: values are finite, and checks take as long as solving small systems.
QUICK = {"lower": True, "check_finite": False}
# Relative jitter of variances against singular covariances.
_JITTER = 1e-10
# Candidates of the shrinkage, of which the smallest suit tables with many rows, and the
# amount if they cannot be compared; number of folds; number of columns from which on
# there are fewer candidates and folds; smallest safe ratio of Cholesky pivots.
SHRINKAGE = 0.0, 1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3
SHRINKAGE += 0.01, 0.03, 0.1, 0.2, 0.4, 0.7, 1.0
_UNKNOWN, _FOLDS, _FEWER_FOLDS, WIDE, _SAFE = 0.5, 5, 2, 257, 1e-5
# Standard deviations beyond which values are outliers; smallest variance of a
# standardized column.
_FAR, _FLOOR = 5.0, 1e-4
# EM steps, also of wide tables; first steps that cross-validate the shrinkage.
_EM_STEPS, _FEWER_STEPS, CHOICES = 20, 3, 3


class NormalMoments(NamedTuple):
    """Moments of complete rows: the sum of their weights, (1,), their mean, and their
    covariance without Bessel's correction. ``prior`` is the weight of rows of
    uncorrelated columns by which covariances are shrunk, (1,), if it was chosen."""

    weight: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    prior: np.ndarray = np.zeros(1)
    # Fields that older files lack.
    LATER = ("prior",)

    @classmethod
    def of_no_rows(cls, n_columns):
        """Moments of an empty set of rows."""
        zeros = np.zeros((n_columns, n_columns))
        return cls(np.zeros(1), np.zeros(n_columns), zeros)

    @classmethod
    def union(cls, parts):
        """Moments of the union of several sets of rows, given a list of moments."""
        total = cls.of_no_rows(len(parts[0].mean))
        for part in parts:
            total = total.with_others(part)
        return total

    def with_others(self, others):
        """Moments of the union of two sets of rows [2]_."""
        total = self.weight + others.weight
        share, gap = others.weight / total, others.mean - self.mean
        between = share * (1 - share) * np.outer(gap, gap)
        within = self.covariance + share * (others.covariance - self.covariance)
        return NormalMoments(total, self.mean + share * gap, within + between)


def expected_moments(rows, index, weight, joint):
    """Expected :class:`NormalMoments` of weighted rows at an index, given their
    observed entries. ``joint()`` returns the mean and covariance of complete rows; it
    is called once, and only if entries are missing."""
    moments, normal = NormalMoments.of_no_rows(rows.shape[1]), None
    for block in rows.blocks(len(index)):
        v, w = rows.take(index[block]).astype(np.float64), weight[block]
        spread = 0.0
        if np.isnan(v).any():
            normal = normal or joint()
            v, spread = _completed(v, w, normal)
        total = w.sum()
        mean = w @ v / total
        gap = v - mean
        covariance = ((gap * w[:, None]).T @ gap + spread) / total
        moments = moments.with_others(
            NormalMoments(np.full(1, total), mean, covariance)
        )
    return moments


def _completed(v, weight, normal):
    """Rows with missing entries at their conditional means, and the sum of their
    covariances."""
    mean, covariance = normal
    v, total = v.copy(), np.zeros_like(covariance)
    for rows, missing in rows_by_gaps(v):
        if missing.any():
            center, spread, _ = given_seen(mean, covariance, v[rows], missing)
            v[np.ix_(rows, missing)] = center
            total[np.ix_(missing, missing)] += weight[rows].sum() * spread
    return v, total


def jitter(covariance):
    """Amounts to add to variances, (n_columns,), against singular covariances."""
    return _JITTER * np.maximum(1, np.diag(covariance))


def lacking(covariance, floor=_FLOOR):
    """Diagonal matrix that increases variances to a floor."""
    return np.diag(np.maximum(floor - np.diag(covariance), 0))


def regular_root(covariance):
    """Lower Cholesky factor, with jitter if columns are linearly dependent."""
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return np.linalg.cholesky(covariance + np.diag(jitter(covariance)))


def given_seen(mean, covariance, v, missing):
    r"""Conditional distribution of the missing columns of rows v with the mask
    ``missing``: means, (n_rows, n_missing), and covariance; and log density of each
    seen entry given the previous seen entries, (n_rows, n_seen).

    .. math:: \mu_m + \Sigma_{mo} \Sigma_{oo}^{-1} (x_o - \mu_o), \qquad
        \Sigma_{mm} - \Sigma_{mo} \Sigma_{oo}^{-1} \Sigma_{om}
    """
    seen = ~missing
    root = regular_root(covariance[np.ix_(seen, seen)])
    white = solve_triangular(root, (v[:, seen] - mean[seen]).T, **QUICK)
    projected = solve_triangular(root, covariance[np.ix_(seen, missing)], **QUICK)
    log_p = -0.5 * (white.T**2 + LOG_2PI) - np.log(np.diag(root))
    spread = covariance[np.ix_(missing, missing)] - projected.T @ projected
    return mean[missing] + white.T @ projected, spread, log_p


def regressions(covariance):
    """Weights of regressions of each column on the previous columns, (n_columns,
    n_columns), strictly upper triangular, and standard deviations of the residuals."""
    root = cholesky(covariance, lower=True)
    inverse = solve_triangular(root, np.eye(len(root)), lower=True)
    errors = np.diag(root)
    return np.triu(-(inverse * errors[:, None]).T, 1), errors


def is_typical(v):
    """Mask of rows v of standardized columns without outliers, of which one may
    outweigh all other rows in the choice of a shrinkage; or of all rows, if most have
    one."""
    is_near = (np.isnan(v) | (np.abs(v) <= _FAR)).all(axis=1)
    return is_near | (is_near.mean() < 0.5)


def folds_of(index, weight, typical, n_columns):
    """List of pairs of row numbers and weights. The last pair has the rows that are not
    typical; the others are a few folds of the typical rows, which are in random
    order."""
    rest, index = (index[~typical], weight[~typical]), index[typical]
    weight = weight[typical]
    n = min(_FOLDS if n_columns < WIDE else _FEWER_FOLDS, len(index))
    return [*((index[k::n], weight[k::n]) for k in range(n)), rest]


def folds_of_rows(rows, index, weight):
    """Folds of rows without outliers, and rows with outliers; see :func:`folds_of`."""
    typical = [is_typical(rows.take(index[block])) for block in rows.blocks(len(index))]
    return folds_of(index, weight, np.concatenate(typical), rows.shape[1])


def best_shrinkage(folds, regular, n_given=0):
    """Amount of shrinkage with the highest cross-validated log-likelihood of the
    columns after the first ``n_given``.

    ``folds`` is a list of the moments of each fold, and ``regular(covariance, amount)``
    shrinks a covariance, which it must not leave singular.
    """
    amounts = SHRINKAGE if len(folds[0].mean) < WIDE else SHRINKAGE[1::3]
    scores = np.zeros(len(amounts))
    for number, held_out in enumerate(folds if len(folds) > 1 else ()):
        training = NormalMoments.union(folds[:number] + folds[number + 1 :])
        gap = held_out.mean - training.mean
        second_moment = held_out.covariance + np.outer(gap, gap)
        for k, amount in enumerate(amounts):
            covariance = regular(training.covariance, amount)
            loss = _loss(covariance, second_moment, n_given)
            scores[k] -= held_out.weight[0] * loss
    if len(folds) < 2 or scores.max() == -np.inf:
        return _UNKNOWN
    return amounts[int(np.argmax(scores))]


def shrunk_normal(table, n_given=0):
    r"""Mean and covariance of the standardized rows of a table, by expectation
    maximization if entries are missing, and the shrinkage of the covariance.

    .. math:: \Sigma_\lambda = (1 - \lambda) \hat\Sigma + \lambda I

    The shrinkage maximizes the held-out log-likelihood of the other columns conditional
    on the first ``n_given``.
    """
    rows, n = table.rows, table.rows.shape[1]
    joint = np.zeros(n), np.eye(n)
    n_steps = _EM_STEPS if n < WIDE else _FEWER_STEPS
    n_steps = 1 if rows.complete else n_steps
    parts = folds_of_rows(rows, table.index, table.weight)
    for step in range(n_steps):
        *folds, outliers = (
            expected_moments(rows, index, weight, partial(tuple, joint))
            for index, weight in parts
        )
        pooled = NormalMoments.union([*folds, outliers])
        # Expected moments of held-out rows resemble the current distribution, and an
        # overfitted distribution would select no shrinkage.
        if step < CHOICES or step == n_steps - 1:
            shrinkage = best_shrinkage(folds, _regular, n_given)
        joint = pooled.mean, _regular(pooled.covariance, max(shrinkage, 1e-6))
    return pooled.mean, _regular(pooled.covariance, shrinkage), shrinkage


def _regular(covariance, shrinkage):
    """Covariance with shrinkage to the identity and a floor on variances."""
    one = np.eye(len(covariance))
    return (1 - shrinkage) * covariance + lacking(covariance) + shrinkage * one


def _loss(covariance, second_moment, n_given):
    """Mean negative log-likelihood, up to a constant, of rows with moments about the
    mean of a normal distribution; infinite if its covariance is nearly singular."""
    try:
        root = cholesky(covariance, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return np.inf
    pivots = np.diag(root)
    if pivots.min() < _SAFE * pivots.max():
        return np.inf
    white = solve_triangular(root, second_moment, **QUICK)
    white = solve_triangular(root, white.T, **QUICK)
    return (np.log(pivots) + 0.5 * np.diag(white))[n_given:].sum()
