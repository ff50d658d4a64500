"""Types that represent the values of a table exactly."""

from numbers import Integral

import numpy as np
import scipy.sparse as sp

from skdgm.utils.domains import is_frame

# float64 represents all whole numbers up to this magnitude.
_WHOLE = 2**53


def holding(rows):
    """Type that represents both the known values of rows and the results of models.

    Parameters
    ----------
    rows : Rows

    Returns
    -------
    dtype : dtype
        A common type of the data and ``rows.dtype``; for integers beyond 2 ** 53 in
        magnitude, of which none can be missing, their own type.
    """
    own, plain = rows.X.dtype, rows.X
    values = plain.data if sp.issparse(plain) else plain
    ends = [values.min(), values.max()] if values.size else [0]
    if own.kind in "iu" and (min(ends) < -_WHOLE or max(ends) > _WHOLE):
        return own
    return np.result_type(own, rows.dtype)


def as_whole(X):
    """Array of a list of integers, in NumPy's type for them; other data unchanged."""
    if isinstance(X, list | tuple):
        found = np.asarray(X)
        return found if found.dtype.kind in "iu" else X
    return X


def refuse_inexact(name, X, dtype):
    """Raise an error if a floating type cannot hold whole numbers of a table.

    Parameters
    ----------
    name : str
        Name of the estimator, for the message.
    X : DataFrame, array or list
        Only DataFrames, lists and arrays of objects are searched; other arrays have
        one type, from which ``dtype`` was chosen.
    dtype : dtype

    Raises
    ------
    ValueError
        A column has integers that float64 does not represent.
    """
    if dtype.kind != "f":
        return
    for column, large in _large(X):
        if any(int(float(value)) != value for value in large):
            raise ValueError(
                f"{name}: column {column!r} has whole numbers beyond "
                "2 ** 53, of which an array of floats cannot hold all digits: drop "
                "it, or divide it before fitting."
            )


def _large(X):
    """Pairs of a column's name and a list of its integers beyond 2 ** 53."""
    if is_frame(X):
        columns = X.items()
    else:
        X = np.asarray(X, dtype=object) if isinstance(X, list | tuple) else X
        objects = isinstance(X, np.ndarray) and X.dtype.kind == "O"
        columns = enumerate(X.T if objects else ())
    for name, column in columns:
        kind = getattr(column.dtype, "kind", "O")
        if kind in "iu" and column.dtype.itemsize == 8:
            known = column.dropna()
            yield name, known[(known > _WHOLE) | (known < -_WHOLE)].tolist()
        elif kind == "O":
            whole = (value for value in column if isinstance(value, Integral))
            yield name, [value for value in whole if not -_WHOLE <= value <= _WHOLE]
