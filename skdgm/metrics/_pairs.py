r"""Pairs of tables to be compared: validation, and conversion of DataFrames to numbers.

Categories are encoded one-hot, times :math:`1 / \sqrt 2`, so that two rows of different
categories are at a distance of 1, like a 0 and a 1. Numeric columns beside categorical
ones are divided by their standard deviation, so that all columns have similar weight.
"""

from numbers import Real

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_scalar

from skdgm.exceptions import DataRangeWarning
from skdgm.utils.callers import warn
from skdgm.utils.domains import is_frame

# Ratio of the largest absolute values of two tables above which a warning is given.
_FACTOR = 8
_UNIT = 1 / np.sqrt(2)


def check_pair(first, second, names, **options):
    """Validated tables with the same number of columns and no missing values.

    Parameters
    ----------
    first, second : array-like of shape (n_rows, n_columns)
    names : tuple of str
        Argument names for messages.
    **options
        Further arguments of :func:`sklearn.utils.check_array`.

    Returns
    -------
    first, second : ndarray of shape (n_rows, n_columns), float64

    Raises
    ------
    ValueError
        A value is missing or not finite, there are too few rows, or the numbers of
        columns differ.

    Warns
    -----
    DataRangeWarning
        The largest absolute value of one table is more than eight times that of the
        other.
    """
    first, second = (
        check_array(table, dtype=np.float64, input_name=name, **options)
        for table, name in zip((first, second), names)
    )
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"{names[0]} has {first.shape[1]} features, but {names[1]} has "
            f"{second.shape[1]}: both must have the same columns."
        )
    sizes = [max(-table.min(), table.max()) for table in (first, second)]
    if 0 < _FACTOR * min(sizes) < max(sizes):
        warn(
            f"{names[0]} has values from {first.min():g} to {first.max():g}, but "
            f"{names[1]} from {second.min():g} to {second.max():g}. If they are not on "
            "the same scale, bring them there: the comparison is meaningless else.",
            DataRangeWarning,
        )
    return first, second


def check_number(value, name, **options):
    """Check that a value is a finite real number within bounds.

    Parameters
    ----------
    value : object
    name : str
        Argument name for messages.
    **options
        Bounds, as for :func:`sklearn.utils.check_scalar`, which itself accepts NaN.

    Raises
    ------
    TypeError
        The value is not a real number.
    ValueError
        The value is out of bounds, infinite or NaN.
    """
    check_scalar(value, name, Real, **options)
    if not np.isfinite(value):
        raise ValueError(f"{name} must be a finite number, but it is {value}.")


def as_tables(tables, names):
    """Numeric tables with the same columns.

    Parameters
    ----------
    tables : list of {array-like, DataFrame}
    names : list of str
        Argument names for error messages.

    Returns
    -------
    tables : list of array-like
        Encoded tables; without categorical columns the given ones, DataFrames with
        their columns in the order of the first.

    Raises
    ------
    ValueError
        Categorical DataFrames are mixed with other tables, or columns differ, or
        several columns of a DataFrame have the same name.
    TypeError
        A column holds neither numbers nor categories.
    """
    frames = [table for table in tables if is_frame(table)]
    columns = list(frames[0].columns) if frames else []
    for table, name in zip(tables, names):
        if is_frame(table) and not table.columns.is_unique:
            twice = table.columns[table.columns.duplicated()].unique().tolist()
            raise ValueError(
                f"{name} has several columns of the names {twice}: rename them."
            )
        if is_frame(table) and set(table.columns) != set(columns):
            raise ValueError(
                f"{name} has the columns {list(table.columns)}, where {columns} are "
                "expected: all DataFrames must have the same ones."
            )
    named = [c for c in columns if not all(_is_number(f[c]) for f in frames)]
    if len(frames) < len(tables):
        if named:
            other = next(n for t, n in zip(tables, names) if not is_frame(t))
            raise ValueError(
                f"Column {named[0]!r} has categories, but {other} is no DataFrame: "
                "give all as DataFrames."
            )
        return tables
    if not named:
        return [table[columns] for table in tables]
    ends = np.cumsum([len(table) for table in tables])
    parts = [_encoded([table[c] for table in tables], c in named) for c in columns]
    return np.split(np.concatenate(parts, axis=1), ends[:-1])


def _is_number(column):
    if column.dtype.kind in "mM":
        raise TypeError(
            f"Column {column.name!r} has the dtype {column.dtype}, which is neither of "
            "numbers nor of categories: make numbers of it, or drop it."
        )
    return column.dtype.kind in "fbiu"


def _encoded(parts, named):
    """One column of all tables, concatenated and encoded as numeric columns."""
    import pandas as pd

    if not named:
        numbers = [part.to_numpy(np.float64, na_value=np.nan) for part in parts]
        values = np.concatenate(numbers)
        finite = values[np.isfinite(values)]
        spread = finite.std() if len(finite) else 0.0
        plain = all(part.dtype.kind == "b" for part in parts)
        return (values / (spread if spread > 0 and not plain else 1.0))[:, None]
    codes, found = pd.factorize(pd.concat([part.astype(object) for part in parts]))
    hot = _UNIT * (codes[:, None] == np.arange(max(1, len(found))))
    # Missing categories stay NaN, which the later validation rejects.
    hot[codes < 0] = np.nan
    return hot
