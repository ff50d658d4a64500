r"""Conversion of DataFrames to numeric tables for distances and kernels.

Categories are encoded one-hot, times :math:`1 / \sqrt 2`, so that two rows of different
categories are at a distance of 1, like a 0 and a 1. Numeric columns beside categorical
ones are divided by their standard deviation, so that all columns have similar weight.
"""

import numpy as np

from skdgm.utils.domains import is_frame

_UNIT = 1 / np.sqrt(2)


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
