r"""DataFrames as tables of numbers in which distances mean something.

A category is a 1 among zeros, times :math:`1 / \sqrt 2`, so that two rows of different
categories are as far apart as a 0 and a 1; numbers beside categories are divided by
their standard deviation. Then all columns count about as much.
"""

import numpy as np

_UNIT = 1 / np.sqrt(2)


def is_frame(X):
    """Whether X is a DataFrame as those of pandas are."""
    return all(hasattr(X, name) for name in ("iloc", "dtypes", "columns"))


def as_tables(tables, names):
    """Tables that have the same columns, as numbers.

    Parameters
    ----------
    tables : list of {array-like, DataFrame}
    names : list of str
        What the caller calls them.

    Returns
    -------
    tables : list of array-like
        Those that are given, if there are no columns of categories in them.

    Raises
    ------
    ValueError
        Some are DataFrames of categories and others are none, or they have other
        columns.
    TypeError
        A column is neither of numbers nor of categories.
    """
    frames = [table for table in tables if is_frame(table)]
    columns = list(frames[0].columns) if frames else []
    for table, name in zip(tables, names):
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
    """One column of all tables, below one another, as columns of numbers."""
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
    # What is missing stays missing, for who validates numbers to refuse.
    hot[codes < 0] = np.nan
    return hot
