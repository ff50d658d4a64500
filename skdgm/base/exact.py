"""Types that represent the values of a table exactly."""

import numpy as np
import scipy.sparse as sp

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


def refuse_inexact(model, frame, dtype):
    """Raise an error if a floating type cannot hold whole numbers of a DataFrame.

    Parameters
    ----------
    model : estimator
        Named in the message.
    frame : DataFrame
    dtype : dtype

    Raises
    ------
    ValueError
        A 64-bit integer column has values that float64 does not represent.
    """
    if dtype.kind != "f":
        return
    for name, column in frame.items():
        if getattr(column.dtype, "kind", "O") in "iu" and column.dtype.itemsize == 8:
            known = column.dropna()
            large = known[(known > _WHOLE) | (known < -_WHOLE)].tolist()
            if any(int(float(value)) != value for value in large):
                raise ValueError(
                    f"{type(model).__name__}: column {name!r} has whole numbers beyond "
                    "2 ** 53, of which an array of floats cannot hold all digits: drop "
                    "it, or divide it before fitting."
                )
