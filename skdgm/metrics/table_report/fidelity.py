r"""Shapes of columns, trends of pairs, and coverage, as in SDMetrics.

The score of a column of numbers or dates is one minus the maximum difference of the two
distribution functions. The score of a column of categories or booleans is one minus the
total variation distance,

.. math:: 1 - \max_x |F(x) - G(x)|, \qquad 1 - \tfrac12 \sum_k |p_k - q_k|.

The score of a pair of columns compares Pearson correlations or contingency tables,

.. math:: 1 - \tfrac12 |\rho - \rho'|, \qquad 1 - \tfrac12 \sum_{kl} |p_{kl} - q_{kl}|.

In contingency tables, numbers are divided into ten bins of equal width over the range
of each table, as in SDMetrics, so that columns that differ only by shift and scale have
the same bins. Missing values do not count in the scores of single columns and in
correlations. In contingency tables they are a category; missing numbers are in the bin
of the maximum. A pair counts in the mean if the absolute correlation of the real
columns is above 0.5 or, for a discrete column, if Cramér's V is above 0.3.
"""

from itertools import combinations

import numpy as np

# Numbers are rounded to this many decimals before distributions are compared.
_DECIMALS = 14
# Correlations and Cramér's V of real columns above which a pair counts.
_CORRELATED, _ASSOCIATED = 0.5, 0.3


def column_shapes(columns):
    """Score of each column of a real and a synthetic table: a dict of lists "column",
    "metric" and "score", which is NaN if a table has no values."""
    table = {"column": [], "metric": [], "score": []}
    for column in columns:
        real, drawn = (part[~np.isnan(part)] for part in column.parts)
        known = len(real) and len(drawn)
        score = tv_complement if column.is_discrete else ks_complement
        table["column"].append(column.name)
        table["metric"].append("TVComplement" if column.is_discrete else "KSComplement")
        table["score"].append(score(real, drawn) if known else np.nan)
    return table


def ks_complement(real, drawn):
    """One minus the Kolmogorov-Smirnov statistic of two samples."""
    real, drawn = (np.sort(part.round(_DECIMALS)) for part in (real, drawn))
    values = np.concatenate([real, drawn])
    shares = (np.searchsorted(p, values, "right") / len(p) for p in (real, drawn))
    first, second = shares
    return float(1 - np.abs(first - second).max())


def tv_complement(real, drawn):
    """One minus the total variation distance of two samples of codes."""
    n_real, codes = len(real), np.concatenate([real, drawn]).astype(np.int64)
    _, codes = np.unique(codes, return_inverse=True)
    counts = [
        np.bincount(p, minlength=codes.max() + 1) for p in np.split(codes, [n_real])
    ]
    p, q = (table_counts / table_counts.sum() for table_counts in counts)
    return float(1 - 0.5 * np.abs(p - q).sum())


def pair_trends(columns):
    """Score of each pair of columns of a real and a synthetic table, a dict of lists.

    "column_1" and "column_2" are the names, "metric" and "score" those of the pair.
    "association" is the absolute correlation or Cramér's V of the real columns, and
    "counted" is True if it is strong enough. "real" and "synthetic" are the
    correlations, NaN if one column is discrete or constant.
    """
    names = "column_1", "column_2", "metric", "score", "association", "counted"
    trends = {name: [] for name in (*names, "real", "synthetic")}
    codes = [_pair_codes(column) for column in columns]
    for (i, first), (j, second) in combinations(enumerate(columns), 2):
        entry = first.name, second.name
        if first.is_discrete or second.is_discrete:
            real, drawn = _joint(codes[i], codes[j])
            strength = cramers_v(codes[i][0], codes[j][0])
            entry += "ContingencySimilarity", tv_complement(real, drawn), strength
            entry += strength > _ASSOCIATED, np.nan, np.nan
        else:
            real, drawn = map(correlation, first.parts, second.parts)
            score, strength = 1 - abs(real - drawn) / 2, abs(real)
            entry += "CorrelationSimilarity", score, strength
            entry += strength > _CORRELATED, real, drawn
        for values, value in zip(trends.values(), entry):
            values.append(value)
    return trends


def correlation(x, y):
    """Pearson correlation of rows without missing values; NaN if undefined."""
    known = ~(np.isnan(x) | np.isnan(y))
    if known.sum() < 2 or any(np.ptp(part[known]) == 0 for part in (x, y)):
        return np.nan
    x, y = (part[known] - part[known].mean() for part in (x, y))
    r = (x / np.linalg.norm(x)) @ (y / np.linalg.norm(y))
    return float(np.clip(r, -1, 1))


def cramers_v(first, second):
    r"""Cramér's V, the association of two columns of codes; NaN if one is constant.

    .. math:: V = \sqrt{\frac{\chi^2}{n (\min(K, L) - 1)}}
    """
    rows, columns = (np.unique(p, return_inverse=True)[1] for p in (first, second))
    shape = rows.max() + 1, columns.max() + 1
    if min(shape) < 2:
        return np.nan
    counts = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1])
    p = counts.reshape(shape) / len(rows)
    expected = np.outer(p.sum(axis=1), p.sum(axis=0))
    return float(np.sqrt(((p - expected) ** 2 / expected).sum() / (min(shape) - 1)))


def _joint(first, second):
    """Codes of pairs of values in each table."""
    size = max(part.max() for part in second) + 1
    return [i * size + j for i, j in zip(first, second)]


def _pair_codes(column):
    """Codes of the values of each table, including missing values."""
    if column.is_discrete:
        size = column.size
        return [np.where(np.isnan(p), size, p).astype(np.int64) for p in column.parts]
    # Missing values are in the bin above the last edge, like the maximum.
    return [
        np.digitize(part, np.histogram_bin_edges(part[~np.isnan(part)]))
        for part in column.parts
    ]


def coverage(column):
    r"""Share of the categories or range of a real column that a synthetic one covers.

    .. math:: \max\left(0,\; 1 - \frac{\max(0, a - b) + \max(0, B - A)}{B - b}\right)

    with real values from b to B and synthetic values from a to A. NaN for constant
    numbers and columns without values.
    """
    real, drawn = (part[~np.isnan(part)] for part in column.parts)
    if not len(real):
        return np.nan
    if column.is_discrete:
        return float(np.isin(np.unique(real), drawn).mean())
    width = np.ptp(real)
    if not width or not len(drawn):
        return np.nan
    below, above = drawn.min() - real.min(), real.max() - drawn.max()
    return float(max(0.0, 1 - (max(0, below) + max(0, above)) / width))
