r"""Initial weights of the conditions, by a ridge regression for each column.

.. math:: \hat\beta_j = \Bigl(\sum_i (x_i - \bar{x}) (x_i - \bar{x})^\top +
   \alpha I\Bigr)^{-1} \sum_i (x_i - \bar{x}) (y_{ij} - \bar{y}_j)

Sums and means are over rows i with a known value of column j, with their weights;
:math:`x_i` are the conditions. Generalized cross-validation chooses the same alpha,
relative to the total weight of the rows, for all columns [1]_. If there are too many
patterns of missing values, columns with missing values share the products of
conditions in the first sum, which are then those of all rows.

References
----------
.. [1] Golub, Heath and Wahba (1979). Generalized cross-validation as a method for
   choosing a good ridge parameter. Technometrics.
"""

from typing import NamedTuple

import numpy as np

from skdgm.distributions import Normal
from skdgm.energies import plain

# Maximum number of conditions for regressions; values of alpha, as fractions of the
# total weight of rows.
_MAX_CONDITIONS, _ALPHAS = 2000, 10.0 ** np.arange(-6, 2, 0.5)
# Number of standard deviations at which values of y are clipped.
_MAX_DEVIATION = 10.0
# Maximum number of operations for separate regressions of columns with missing values,
# and minimum share of degrees of freedom that a regression leaves.
_MAX_OPERATIONS, _MIN_FREEDOM = 2e10, 1e-3


def regressed(objective, params):
    """Parameters whose weights from conditions to real columns, and means and
    precisions of real columns, come from regressions."""
    units, couplings = plain(params)
    units, couplings = list(units), list(couplings)
    energy, n = objective.energy, len(objective.layout.units)
    real_blocks = [block for block in range(n) if energy.units[block].form == "normal"]
    if not real_blocks or energy.units[-1].size > _MAX_CONDITIONS:
        return params
    stops = np.cumsum([energy.units[block].size for block in real_blocks])[:-1]
    sums, is_pooled = _moments(objective, real_blocks)
    regression = _ridge(sums)
    if is_pooled:
        regression = _checked(objective, real_blocks, regression)
    parts = zip(*(np.split(part, stops, axis=-1) for part in regression))
    for block, (weights, intercept, mse) in zip(real_blocks, parts):
        dtype, precision = couplings[n + block].dtype, energy.units[block].precision
        mean, log_precision = units[block]
        if precision != "fixed":
            min_variance = max(energy.units[block].min_variance, 1e-3)
            mse = mse if precision == "diagonal" else mse.mean()
            variance = np.broadcast_to(mse.clip(min_variance, 1), mean.shape)
            log_precision = -np.log(variance).astype(dtype)
        units[block] = Normal(mean + intercept.astype(dtype), log_precision)
        couplings[n + block] = np.ascontiguousarray(weights.T).astype(dtype)
    return params._replace(units=tuple(units), couplings=tuple(couplings))


class _Sums(NamedTuple):
    """Weighted sums over rows, float64, for some ``columns`` of y.

    ``total``, ``Y`` and ``YY`` have the weights, values and squares of known values,
    (n_columns,), and ``XY`` their products with conditions, (n_conditions, n_columns).
    ``weight``, ``X`` and ``XX`` have the weight of rows, and conditions and their
    products: (), (n_conditions,) and (n_conditions, n_conditions).
    """

    columns: np.ndarray
    total: np.ndarray
    Y: np.ndarray
    YY: np.ndarray
    XY: np.ndarray
    weight: np.ndarray
    X: np.ndarray
    XX: np.ndarray

    @classmethod
    def of(cls, columns, x, y, weight):
        """Sums over a batch of rows, of which those without any known value are left
        out."""
        known = ~np.isnan(y[:, columns])
        rows = known.any(axis=1)
        x, weight, known = x[rows], weight[rows], known[rows]
        y, weighted = np.nan_to_num(y[np.ix_(rows, columns)]), x * weight[:, None]
        return cls(
            columns,
            weight @ known,
            weight @ y,
            weight @ y**2,
            weighted.T @ y,
            weight.sum(),
            weighted.sum(axis=0),
            weighted.T @ x,
        )

    def plus(self, other):
        """Sums over the rows of both."""
        sums_of_both = map(np.add, self[1:], other[1:])
        return _Sums._make([self.columns, *sums_of_both])


def _moments(objective, which):
    """List of :class:`_Sums`, one for the columns of some blocks with the same missing
    values, or, if these are too many, two for all complete and all other columns; and
    whether they are too many."""
    n_columns = sum(objective.energy.units[block].size for block in which)
    has_gaps, n = np.zeros(n_columns, bool), objective.energy.units[-1].size
    hashes, n_rows = [0] * n_columns, 0
    for _, y, _ in _batches(objective, which):
        missing, n_rows = np.isnan(y), n_rows + len(y)
        has_gaps |= missing.any(axis=0)
        hashes = [hash((h, part.tobytes())) for h, part in zip(hashes, missing.T)]
    # Hashes differ between processes, but not the first column of each pattern.
    pattern = np.array([hashes.index(h) for h in hashes])
    is_pooled = len(np.unique(pattern)) * n**2 * (n + n_rows) > _MAX_OPERATIONS
    if is_pooled:
        pattern = has_gaps
    groups, sums = [np.flatnonzero(pattern == k) for k in np.unique(pattern)], []
    for batch in _batches(objective, which):
        parts = [_Sums.of(group, *batch) for group in groups]
        sums = [a.plus(b) for a, b in zip(sums, parts)] if sums else parts
    return sums, is_pooled


def _batches(objective, which):
    """Yield conditions, real columns and weights of batches of rows, in float64."""
    # Not table.rows: with early stopping, these are conditions.
    table, rows = objective.table, objective.rows
    fills = np.concatenate([objective.layout.fills[block] for block in which])
    for batch in rows.blocks(len(table.index)):
        index = table.index[batch]
        blocks = objective.layout.split(rows.take(index))
        y = np.concatenate([np.asarray(blocks[b], np.float64) for b in which], axis=1)
        y = (y - fills).clip(-_MAX_DEVIATION, _MAX_DEVIATION)
        yield np.asarray(rows.accompanying(index), np.float64), y, table.weight[batch]


def _ridge(sums):
    """Weights, (n_conditions, n_columns), and intercept and cross-validated mean
    squared error of each column."""
    order = np.argsort(np.concatenate([part.columns for part in sums]))
    paths = [_Path.of(part) for part in sums]
    errors = np.concatenate([path.errors() for path in paths], axis=1)
    variance = np.concatenate([path.variance for path in paths])
    total = np.concatenate([path.total for path in paths])
    best = np.argmin((errors / np.maximum(variance, 1e-12)) @ total)
    betas = [path.weights(_ALPHAS[best]) for path in paths]
    intercepts = [path.mean_y - path.mean_x @ beta for path, beta in zip(paths, betas)]
    beta, intercept = np.concatenate(betas, axis=1), np.concatenate(intercepts)
    return beta[:, order], intercept[order], errors[best, order]


def _checked(objective, which, regression):
    """Regressions from pooled sums with the intercepts, and at least the errors, of the
    rows with known values."""
    beta, intercept, mse = regression
    total, sums, squares = np.zeros((3, len(mse)))
    for x, y, weight in _batches(objective, which):
        gap = y - intercept - x @ beta
        known, gap = ~np.isnan(gap), np.nan_to_num(gap)
        total += weight @ known
        sums += weight @ gap
        squares += weight @ gap**2
    total = np.maximum(total, np.finfo(float).tiny)
    mean = sums / total
    return beta, intercept + mean, np.maximum(mse, squares / total - mean**2)


class _Path(NamedTuple):
    """Ridge regressions for all alphas: total weights, (n_columns,), means, variances
    of columns, eigenvalues and eigenvectors U of the covariance of conditions, and
    covariances with columns times the transpose of U."""

    total: np.ndarray
    mean_x: np.ndarray
    mean_y: np.ndarray
    variance: np.ndarray
    eigenvalues: np.ndarray
    U: np.ndarray
    P: np.ndarray

    @classmethod
    def of(cls, sums):
        """Regressions from :class:`_Sums`."""
        total = np.maximum(sums.total, np.finfo(float).tiny)
        weight = max(sums.weight, np.finfo(float).tiny)
        mean_x, mean_y = sums.X / weight, sums.Y / total
        covariance = sums.XX / weight - np.outer(mean_x, mean_x)
        eigenvalues, U = np.linalg.eigh(covariance)
        P = U.T @ (sums.XY / total - np.outer(mean_x, mean_y))
        variance = (sums.YY / total - mean_y**2).clip(0)
        return cls(total, mean_x, mean_y, variance, eigenvalues.clip(0), U, P)

    def errors(self):
        """Cross-validated mean squared errors, (n_alphas, n_columns)."""
        errors = []
        for alpha in _ALPHAS:
            share = self.eigenvalues / (self.eigenvalues + alpha)
            parts = self.P**2 / (self.eigenvalues + alpha)[:, None]
            mse = (self.variance - (2 - share) @ parts).clip(0)
            freedom = 1 - (1 + share.sum()) / np.maximum(self.total, 1.0)
            is_determined = freedom > _MIN_FREEDOM
            cross_validated = mse / np.where(is_determined, freedom, 1) ** 2
            errors.append(np.where(is_determined, cross_validated, self.variance))
        return np.array(errors)

    def weights(self, alpha):
        """Weights of conditions, (n_conditions, n_columns)."""
        return self.U @ (self.P / (self.eigenvalues + alpha)[:, None])
