r"""Encodings of columns of several kinds as tables of numbers.

Categories are encoded one-hot, times :math:`1 / \sqrt 2`, so that two rows of different
categories are at a distance of 1, like a 0 and a 1. Numeric columns beside categorical
ones are divided by their standard deviation, so that all columns have similar weight.
"""

import numpy as np

_UNIT = 1 / np.sqrt(2)
# Most categories of a column that histograms of scikit-learn's trees take.
_MOST = 254


def one_hot(column):
    """Values of all tables, concatenated, as numeric columns of similar weight.

    Missing categories are rows of NaN. Booleans are 0 and 1; numbers are divided by
    their standard deviation, dates after the first one is subtracted.
    """
    values = np.concatenate(column.parts)
    if column.kind == "categorical":
        hot = _UNIT * (values[:, None] == np.arange(max(1, column.size)))
        # Missing categories stay NaN, which later validation may reject.
        hot[np.isnan(values)] = np.nan
        return hot
    finite = values[~np.isnan(values)]
    if column.kind == "datetime" and len(finite):
        values, finite = values - finite.min(), finite - finite.min()
    spread = finite.std() if len(finite) else 0.0
    plain = column.kind == "boolean"
    return (values / (spread if spread > 0 and not plain else 1.0))[:, None]


def encoded(columns):
    """Tables of numbers, each column as by :func:`one_hot`."""
    return _split(columns, [one_hot(column) for column in columns])


def filled(columns):
    """Tables of numbers without missing values, for any of scikit-learn's estimators.

    Columns as by :func:`one_hot`, centred, with 0 where missing, and a column of bits
    that says where a value is missing for each column of which some are.
    """
    parts = []
    for column in columns:
        hot = one_hot(column)
        missing = np.isnan(hot[:, :1])
        known = hot[~missing[:, 0]]
        hot = hot - known.mean(axis=0) if len(known) else hot
        parts.append(np.where(missing, 0.0, hot))
        if missing.any():
            parts.append(missing.astype(float))
    return _split(columns, parts)


def coded(columns):
    """Tables of codes and numbers without missing values, for scikit-learn's trees, and
    a mask of the columns of codes.

    The rarest categories of a column of more than 254 have one code together. Missing
    categories have a code of their own, and missing numbers are below all others.
    """
    parts = []
    for column in columns:
        values = np.concatenate(column.parts)
        missing = np.isnan(values)
        known = values[~missing]
        if column.is_discrete:
            whole = known.astype(int)
            counts = np.bincount(whole, minlength=1)
            rank = np.argsort(np.argsort(-counts, kind="stable"), kind="stable")
            values[~missing] = np.minimum(rank[whole], _MOST - 1)
            values[missing] = min(len(counts), _MOST)
        else:
            low, width = (known.min(), np.ptp(known)) if len(known) else (0.0, 0.0)
            values[missing] = low - (width or 1.0)
        parts.append(values[:, None])
    discrete = np.array([column.is_discrete for column in columns])
    return _split(columns, parts), discrete


def _split(columns, parts):
    ends = np.cumsum([len(part) for part in columns[0].parts])
    return np.split(np.concatenate(parts, axis=1), ends[:-1])
