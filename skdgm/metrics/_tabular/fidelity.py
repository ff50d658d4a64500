r"""Shapes of columns, trends of pairs, and coverage, as SDMetrics defines them.

A score of a column of numbers or dates is one minus the greatest difference of the two
distribution functions; of categories or booleans, one minus the total variation
distance,

.. math:: 1 - \max_x |F(x) - G(x)|, \qquad 1 - \tfrac12 \sum_k |p_k - q_k|.

A score of a pair of columns compares Pearson correlations or tables of frequencies,

.. math:: 1 - \tfrac12 |\rho - \rho'|, \qquad 1 - \tfrac12 \sum_{kl} |p_{kl} - q_{kl}|.

Numbers beside categories are divided into ten bins of equal width, of the range of each
table by itself, as in SDMetrics: columns that differ by shift and scale only have the
same bins. Missing values are left out of the scores of single columns and of
correlations. They are a category in frequencies of pairs; of binned numbers they count
in the bin of the largest value. In the mean only pairs count whose real columns have a
correlation above 0.5 in absolute value or, if one is discrete, a Cramér's V above 0.3.
"""

from itertools import combinations

import numpy as np

# Numbers are rounded to as many decimals before their distributions are compared.
_DECIMALS = 14
# Correlations and Cramér's V of real columns above which a pair counts.
_CORRELATED, _ASSOCIATED = 0.5, 0.3


def column_shapes(columns):
    """Score of each column, of a real and a synthetic table: a dict of lists, "column",
    "metric" and "score", NaN where a table has no values."""
    found = {"column": [], "metric": [], "score": []}
    for column in columns:
        real, drawn = (part[~np.isnan(part)] for part in column.parts)
        known = len(real) and len(drawn)
        score = tv_complement if column.is_discrete else ks_complement
        found["column"].append(column.name)
        found["metric"].append("TVComplement" if column.is_discrete else "KSComplement")
        found["score"].append(score(real, drawn) if known else np.nan)
    return found


def ks_complement(real, drawn):
    """One minus the Kolmogorov-Smirnov statistic of two samples."""
    real, drawn = (np.sort(part.round(_DECIMALS)) for part in (real, drawn))
    every = np.concatenate([real, drawn])
    shares = (np.searchsorted(p, every, "right") / len(p) for p in (real, drawn))
    first, second = shares
    return float(1 - np.abs(first - second).max())


def tv_complement(real, drawn):
    """One minus the total variation distance of two samples of codes."""
    n_real, codes = len(real), np.concatenate([real, drawn]).astype(np.int64)
    _, codes = np.unique(codes, return_inverse=True)
    counts = [
        np.bincount(p, minlength=codes.max() + 1) for p in np.split(codes, [n_real])
    ]
    p, q = (own / own.sum() for own in counts)
    return float(1 - 0.5 * np.abs(p - q).sum())


def pair_trends(columns):
    """Score of each pair of columns, of a real and a synthetic table, a dict of lists:
    "column_1", "column_2", "metric", "score", "association" of the real columns (the
    absolute correlation, or Cramér's V), "counted", whether that is strong enough to
    count in the mean, and the correlations "real" and "synthetic", NaN for pairs that
    are not both numeric. NaN where a correlation is not defined, as of a constant
    column."""
    names = "column_1", "column_2", "metric", "score", "association", "counted"
    found = {name: [] for name in (*names, "real", "synthetic")}
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
        for values, value in zip(found.values(), entry):
            values.append(value)
    return found


def correlation(x, y):
    """Pearson correlation of the rows without missing values; NaN if not defined."""
    known = ~(np.isnan(x) | np.isnan(y))
    if known.sum() < 2 or any(np.ptp(part[known]) == 0 for part in (x, y)):
        return np.nan
    x, y = (part[known] - part[known].mean() for part in (x, y))
    r = (x / np.linalg.norm(x)) @ (y / np.linalg.norm(y))
    return float(np.clip(r, -1, 1))


def cramers_v(first, second):
    r"""Association of two columns of codes; NaN if one of them is constant.

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
    """Codes of pairs of values, of both tables."""
    size = max(part.max() for part in second) + 1
    return [one * size + two for one, two in zip(first, second)]


def _pair_codes(column):
    """Codes of the values of each table, missing ones included."""
    if column.is_discrete:
        size = column.size
        return [np.where(np.isnan(p), size, p).astype(np.int64) for p in column.parts]
    # Missing values are sorted last, to the bin above the last edge.
    return [
        np.digitize(part, np.histogram_bin_edges(part[~np.isnan(part)]))
        for part in column.parts
    ]


def coverage(column):
    r"""Share of a real column's categories or range that the synthetic one has,

    .. math:: \max\left(0,\; 1 - \frac{\max(0, a - b) + \max(0, B - A)}{B - b}\right)

    with real values from b to B and synthetic ones from a to A; NaN for constant
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
