"""Types that hold what is known of a table to the last digit."""

import numpy as np
import scipy.sparse as sp

# Up to here float64 has all whole numbers.
_WHOLE = 2**53


def holding(rows):
    """A type that holds what is known of rows as well as what models compute; where
    whole numbers are too large for that, of which none is missing, their own."""
    own, plain = rows.X.dtype, rows.X
    values = plain.data if sp.issparse(plain) else plain
    ends = [values.min(), values.max()] if values.size else [0]
    if own.kind in "iu" and (min(ends) < -_WHOLE or max(ends) > _WHOLE):
        return own
    return np.result_type(own, rows.dtype)


def refuse_inexact(model, frame, dtype):
    """Raise where a type of floats cannot hold whole numbers of a DataFrame."""
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
