r"""Linear autoregressions of the real columns of a step, whose residuals a net learns.

.. math:: \mu_{tj} = c_j + \sum_{k=1}^{p_j} A_{kj} x_{t-k}, \qquad
    x_t - \mu_t \sim \mathcal{N}(0, C)

The regressions of a column are shrunk by a ridge towards its mean or towards its last
value, as in a Minnesota prior [1]_: the first have lagged values as inputs, the second
changes between lags, all of variance 1. Leave-one-out errors choose between them, and
the ridge, the number of lags, and the lags of other columns.

References
----------
.. [1] Litterman (1986). Forecasting with Bayesian vector autoregressions: five years of
   experience. Journal of Business and Economic Statistics.
"""

from itertools import product
from typing import Any, NamedTuple

import numpy as np

from skdgm.utils.threading.threads import one_blas_thread

# Candidate numbers of lags, and ridges.
_LAGS, _RIDGES = (1, 2, 4, 7, 13, 25, 49), np.logspace(-2, 4, 13)
# Minimum numbers of rows for each lag and for each input; ratio of errors at which a
# larger regression replaces a smaller one.
_ROWS_PER_LAG, _ROWS_PER_INPUT, _GAIN = 3, 4, 0.99
# Maximum numbers of rows, columns and inputs of a regression; minimum number of rows.
_MAX_ROWS, _MAX_COLUMNS, _MAX_INPUTS, _MIN_ROWS = 2000, 100, 300, 12
# Minimum standard deviation of residuals relative to that of a column and to the step
# of its values, with which draws of a column that has no noise are exact.
_DEVIATION, _STEP = 1e-4, 0.15
# Maximum ratio of a typical to the minimum variance.
_RANGE = 2500
# Minimum variance of inputs, minimum share of a row's residual that its own regression
# leaves, and minimum eigenvalue of correlations.
_TINY, _LEFT, _LEAST = 1e-12, 0.02, 0.01


class Autoregression(NamedTuple):
    """Regressions of columns on the lagged columns.

    ``columns`` are the positions of the n columns, ``weight`` has shape
    (n_lags * n, n), the last rows first, ``start`` are intercepts, and ``covariance``,
    (n, n), is that of residuals. Column j needs ``lags[j]`` previous rows; with fewer,
    its regression has the weights ``early_weight``, (n, n), on the last row, the
    intercept ``early_start[j]``, and residuals of the standard deviation
    ``early_deviation[j]``. Columns that are not ``noisy`` are functions of the previous
    rows.
    """

    columns: np.ndarray
    weight: np.ndarray
    start: np.ndarray
    covariance: np.ndarray
    lags: np.ndarray
    early_weight: np.ndarray
    early_start: np.ndarray
    early_deviation: np.ndarray
    noisy: np.ndarray

    @property
    def n_lags(self):
        """Number of lags."""
        return len(self.weight) // len(self.columns)

    @property
    def width(self):
        """Number of lagged values of a sequence."""
        return len(self.weight)

    @property
    def typical_variance(self):
        """Median variance of a residual given those of all other columns, at most 1 and
        at most _RANGE times the minimum: minimum scales are relative to it."""
        variances = 1 / np.diag(np.linalg.inv(self.covariance))
        noise = variances[self.noisy] if self.noisy.any() else variances
        return float(min(1, np.median(noise), _RANGE * variances.min()))

    def means(self, lagged):
        """Means of the next rows, (n_rows, n), given lagged values, and ratios of their
        standard deviations to those of residuals; 0 and that of standardized columns
        without a known value."""
        n, deviation = len(self.columns), np.sqrt(np.diag(self.covariance))
        last = lagged[:, :n].astype(np.float64)
        oldest = lagged[:, (self.lags - 1) * n + np.arange(n)]
        known = np.nan_to_num(lagged.astype(np.float64))
        means = self.start + known @ self.weight
        early, unknown = np.isnan(oldest), np.isnan(last)
        ratios = np.ones(means.shape)
        if early.any():
            from_last = self.early_start + np.nan_to_num(last) @ self.early_weight
            means = np.where(early, from_last, means)
            ratios = np.where(early, self.early_deviation / deviation, ratios)
            means = np.where(unknown, 0.0, means)
            ratios = np.where(unknown, 1 / deviation, ratios)
        return means, ratios

    def followed(self, lagged, v):
        """Lagged values after one more row v of these columns. Missing values are the
        previous ones; values before the first row are NaN."""
        n = len(self.columns)
        v = np.where(np.isnan(v), lagged[:, :n], v)
        return np.concatenate([v, lagged[:, :-n]], axis=1)

    def lagged(self, v, sizes, carried=None):
        """Lagged values before each row of a segment of rows v, (n_rows, width), and
        after the last row of each sequence, for a batch with ``sizes`` sequences at its
        steps. Sequences begin with the lagged values ``carried``, if any."""
        n, n_lags, n_sequences = len(self.columns), self.n_lags, sizes[0]
        history = np.full((n_lags + len(sizes), n_sequences, n), np.nan, v.dtype)
        if carried is not None:
            before = carried[:n_sequences].reshape(n_sequences, n_lags, n)
            history[:n_lags] = before.swapaxes(0, 1)[::-1]
        step = np.repeat(np.arange(len(sizes)), sizes)
        place = np.arange(len(v)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        history[n_lags + step, place] = v
        for t in range(n_lags, len(history) if np.isnan(v).any() else 0):
            history[t] = np.where(np.isnan(history[t]), history[t - 1], history[t])
        places = np.arange(n_sequences)
        lengths = (places[:, None] < sizes).sum(axis=1)
        back = np.arange(n_lags)[::-1]
        before = history[step[:, None] + back, place[:, None]]
        ends = history[lengths[:, None] + back, places[:, None]]
        ends = ends.reshape(n_sequences, self.width)
        if carried is not None:
            ends = np.concatenate([ends, carried[n_sequences:]])
        return before.reshape(len(v), self.width), ends


def autoregression(table, kinds, scales):
    """Learn the :class:`Autoregression` of the real columns of a table of sequences;
    None if there are none, too many columns, or too few rows. ``kinds`` are the types
    of columns, and ``scales`` those of "numeric" columns."""
    linear = [len(getattr(scale, "x", ())) == 2 for scale in scales]
    columns = np.flatnonzero((kinds == "gaussian") | ((kinds == "numeric") & linear))
    if not 0 < len(columns) <= _MAX_COLUMNS:
        return None
    v, weight, age = _rows(table, columns)
    if (~np.isnan(v)).sum(axis=0).min() < _MIN_ROWS:
        return None
    steps = [scales[j].step * scales[j].slope if linear[j] else 0 for j in columns]
    least = np.maximum(_STEP * np.array(steps), _DEVIATION)
    with one_blas_thread():
        return _learned(v, weight, age, columns, least)


def _rows(table, columns):
    """Values of at most _MAX_ROWS rows, their weights, and the number of previous rows
    in their sequences."""
    sequences, n_rows, parts = table.rows, 0, []
    for number, weight in zip(table.index, table.weight):
        begin, end = sequences.edges[number : number + 2]
        begin = max(begin, end - (_MAX_ROWS - n_rows))
        part = sequences.rows.take(np.arange(begin, end))[:, columns]
        n = len(part)
        parts.append((part.astype(np.float64), np.full(n, weight), np.arange(n)))
        n_rows += n
        if n_rows == _MAX_ROWS:
            break
    values, weights, ages = zip(*parts)
    return np.concatenate(values), np.concatenate(weights), np.concatenate(ages)


def _learned(v, weight, age, columns, least):
    """Autoregression of columns, given values, weights, numbers of previous rows, and
    minimum standard deviations of residuals."""
    n = v.shape[1]
    longest = max(1, min(int(age.max()), len(v) // _ROWS_PER_LAG))
    lags = [lag for lag in _LAGS if lag <= longest]
    zeros, ones, W = np.zeros(n), np.ones(n, int), np.zeros((lags[-1], n, n))
    early = zeros.copy(), np.zeros((n, n)), np.ones(n)
    model = Autoregression(
        columns,
        W.reshape(-1, n),
        zeros,
        np.eye(n),
        ones,
        early_weight=early[1],
        early_start=early[0],
        early_deviation=early[2],
        noisy=np.ones(n, bool),
    )
    parts = np.split(v, np.flatnonzero(age == 0)[1:])
    lagged = [model.lagged(part, np.ones(len(part), int))[0] for part in parts]
    lagged = np.concatenate(lagged).reshape(len(v), lags[-1], n)
    residuals = np.full(v.shape, np.nan)
    for j in range(n):
        known = ~np.isnan(v[:, j]) & ~np.isnan(lagged[:, 0, j])
        # Numbers of lags for which most rows have previous rows.
        own_lags = [m for m in lags if 2 * (known & (age >= m)).sum() >= known.sum()]
        if known.sum() < _MIN_ROWS:
            residuals[:, j] = v[:, j]
            continue
        for of_last, some in ((True, lags[:1]), (False, own_lags or lags[:1])):
            rows = np.flatnonzero(known & (age >= some[-1]))
            x = np.nan_to_num(lagged[rows, : some[-1]])
            _, start, coef, errors = _best(v[rows, j], x, weight[rows], j, some)
            if of_last:
                early[0][j], early[1][:, j] = start, coef[0]
                size = np.sqrt(np.average(errors**2, weights=weight[rows]))
                early[2][j] = max(size, least[j])
            else:
                zeros[j], W[: some[-1], :, j] = start, coef
                ones[j] = 1 + coef.any(axis=1).nonzero()[0].max(initial=0)
                residuals[rows, j] = errors
    covariance, noisy = _covariance(residuals, weight, least)
    W = W[: ones.max()].reshape(-1, n)
    return model._replace(weight=W, covariance=covariance, noisy=noisy)


def _best(y, lagged, weight, j, lags):
    """Least leave-one-out error of a column, its intercept, its weights (n_lags, n),
    and its leave-one-out residuals."""
    best: tuple[Any, ...] = (np.inf,)
    n = lagged.shape[2]
    others = np.arange(n) != j
    for lag, changes in product(lags, (True, False)):
        for of_others in sorted({0, 1, lag} if n > 1 else {0}):
            if lag + of_others * (n - 1) > min(_MAX_INPUTS, len(y) // _ROWS_PER_INPUT):
                continue
            use = np.zeros((lagged.shape[1], n), bool)
            use[:lag, j] = True
            use[:of_others, others] = True
            found = _ridge(y, lagged, weight, use, j if changes else None)
            if found[0] < _GAIN * best[0]:
                best = found
    return best


def _ridge(y, lagged, weight, use, changed):
    """Ridge regression on lagged values, or on their changes if ``changed`` is the
    column whose change is predicted; see :func:`_best`."""
    lag, column = np.nonzero(use)
    # Inputs are lagged values or changes to the next longer lag in use.
    T = np.eye(len(lag))
    if changed is not None:
        y = y - lagged[:, 0, changed]
        order = {pair: number for number, pair in enumerate(zip(lag, column))}
        for number, (k, c) in enumerate(zip(lag, column)):
            longer = order.get((k + 1, c))
            if longer is not None:
                T[longer, number] = -1
    X = lagged[:, lag, column] @ T
    total = weight.sum()
    mean, center = weight @ X / total, weight @ y / total
    X, y = X - mean, y - center
    scale = np.sqrt(weight @ X**2 / total)
    scale = np.where(scale > np.sqrt(_TINY), scale, np.inf)
    root = np.sqrt(weight)
    U, s, Vt = np.linalg.svd(root[:, None] * (X / scale), full_matrices=False)
    projected = U.T @ (root * y)
    shrunk = s**2 / (s**2 + _RIDGES[:, None])
    fitted = (U @ (shrunk * projected).T) / root[:, None]
    leverage = U**2 @ shrunk.T + (weight / total)[:, None]
    errors = (y[:, None] - fitted) / np.maximum(1 - leverage, _LEFT)
    losses = weight @ errors**2
    k = losses.argmin()
    coef = Vt.T @ (shrunk[k] / np.where(s > 0, s, 1) * projected) / scale
    weights = np.zeros(use.shape)
    weights[lag, column], start = T @ coef, center - mean @ coef
    if changed is not None:
        weights[0, changed] += 1
    return losses[k], start, weights, errors[:, k]


def _covariance(residuals, weight, least):
    """Covariance of residuals, with correlations that are shrunk if rows are few, and a
    mask of the columns whose deviations exceed the minimum ``least``; other columns are
    uncorrelated."""
    known, n = ~np.isnan(residuals), residuals.shape[1]
    errors, seen = np.where(known, residuals, 0.0), weight @ known
    deviation = np.sqrt(weight @ errors**2 / np.maximum(seen, 1))
    noisy = deviation > least
    deviation = np.maximum(deviation, least)
    errors = errors / deviation * noisy
    both = (known * weight[:, None]).T @ known
    correlation = (errors * weight[:, None]).T @ errors / (both + n + 1)
    np.fill_diagonal(correlation, 1.0)
    lowest = np.linalg.eigvalsh(correlation)[0]
    share = (_LEAST - lowest) / (1 - lowest) if lowest < _LEAST else 0.0
    correlation = (1 - share) * correlation + share * np.eye(n)
    return correlation * np.outer(deviation, deviation), noisy
