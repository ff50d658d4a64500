r"""Encodings of mixed columns as tables of numbers.

One-hot codes of categories are multiplied by :math:`1 / \sqrt 2`, so that rows with
different categories have distance 1, like 0 and 1. Numeric columns in mixed tables are
divided by their standard deviation, so that all columns have similar weight.
"""

import numpy as np

_UNIT = 1 / np.sqrt(2)
# Maximum number of categories of a column in scikit-learn's histogram-based trees.
_MAX_CATEGORIES = 254


def one_hot(column):
    """Values of all tables, concatenated, as numeric columns of similar weight.

    Missing categories are rows of NaN. Booleans are 0 and 1. Numbers, and dates
    relative to the first date, are divided by their standard deviation.
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
    is_boolean = column.kind == "boolean"
    return (values / (spread if spread > 0 and not is_boolean else 1.0))[:, None]


def encoded(columns):
    """Tables of numbers, with each column encoded by :func:`one_hot`."""
    return _split(columns, [one_hot(column) for column in columns])


def filled(columns):
    """Tables of numbers without missing values, for any estimator of scikit-learn.

    Columns are encoded by :func:`one_hot` and centered, with 0 where missing. Columns
    with missing values have an additional indicator of missingness.
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

    The rarest categories share a code if there are more than 254. Missing categories
    have a separate code, and missing numbers are below all others.
    """
    parts = []
    for column in columns:
        values = np.concatenate(column.parts)
        missing = np.isnan(values)
        known = values[~missing]
        if column.is_discrete:
            codes = known.astype(int)
            counts = np.bincount(codes, minlength=1)
            rank = np.argsort(np.argsort(-counts, kind="stable"), kind="stable")
            values[~missing] = np.minimum(rank[codes], _MAX_CATEGORIES - 1)
            values[missing] = min(len(counts), _MAX_CATEGORIES)
        else:
            minimum, width = (known.min(), np.ptp(known)) if len(known) else (0.0, 0.0)
            values[missing] = minimum - (width or 1.0)
        parts.append(values[:, None])
    discrete = np.array([column.is_discrete for column in columns])
    return _split(columns, parts), discrete


def _split(columns, parts):
    ends = np.cumsum([len(part) for part in columns[0].parts])
    return np.split(np.concatenate(parts, axis=1), ends[:-1])
