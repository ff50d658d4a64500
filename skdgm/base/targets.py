"""y as it was given, and as numbers, with errors that name it."""

from datetime import date, timedelta
from numbers import Real

import numpy as np
import scipy.sparse as sp
from sklearn.utils import assert_all_finite

_TEXT = str, bytes
_DATES = np.datetime64, np.timedelta64, date, timedelta
# Types of what is missing; pandas may not be there to be imported.
_MISSING = "NoneType", "NAType", "NaTType"


def as_values(y, owner, name="y"):
    """Read y as an array, whose entries are of the types that they were given in.

    Parameters
    ----------
    y : array-like
        Of one dimension or more; or a sparse matrix.
    owner : estimator
        That needs it.
    name : str, default="y"
        What errors call it.

    Returns
    -------
    values : ndarray

    Raises
    ------
    ValueError
        It is None, or ragged, or part of it is masked.
    """
    if y is None:
        raise ValueError(
            f"{type(owner).__name__} requires {name} to be passed, but the target "
            f"{name} is None."
        )
    if sp.issparse(y):
        return y.toarray()
    if isinstance(y, np.ma.MaskedArray):
        raise ValueError(
            f"{name} is a masked array: fill in what is masked, with a value that says "
            "so."
        )
    # What pandas has beside NumPy's types: of whole numbers and NA this makes floats.
    extension = hasattr(getattr(y, "dtype", None), "na_value")
    try:
        values = np.asarray(y, dtype=object if extension else None)
        if values.dtype.kind in "SU" and not isinstance(y, np.ndarray):
            given = np.asarray(y, dtype=object)
            # NumPy makes text of numbers that stand beside some.
            if not all(isinstance(value, _TEXT) for value in given.ravel().tolist()):
                return given
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} cannot be read as an array: give it one value for each row, or as "
            f"many for each as for any other ({error})."
        ) from error
    return values


def check_length(values, n_rows):
    """Raise ValueError where y has not a value for each row of X."""
    if len(values) != n_rows:
        raise ValueError(
            f"y has {len(values)} rows, but X has {n_rows}: inconsistent numbers of "
            "samples."
        )


def is_missing(value):
    """Whether a value is None, NaN, NaT or pandas' NA."""
    if type(value).__name__ in _MISSING:
        return True
    return isinstance(value, Real | np.datetime64 | np.timedelta64) and value != value


def missing(values):
    """Which values are missing, as a boolean array."""
    if values.dtype.kind == "O":
        found = [is_missing(value) for value in values.ravel().tolist()]
        return np.array(found, dtype=bool).reshape(values.shape)
    return values != values


def as_numbers(y, owner):
    """Read y as numbers, NaN where one is missing.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    owner : estimator
        That needs it.

    Returns
    -------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        In float64.

    Raises
    ------
    TypeError
        There are dates.
    ValueError
        There is something else than numbers; or y has no column, or is no table.
    """
    if sp.issparse(y):
        raise TypeError("y is sparse, which is for labels: give y.toarray().")
    values = as_values(y, owner)
    if values.ndim not in (1, 2) or (not values.shape[-1] and values.ndim == 2):
        raise ValueError(
            "y should be an array of shape (n_samples,) or (n_samples, n_outputs), got "
            f"one of shape {values.shape}."
        )
    types = {values.dtype.type}
    if values.dtype.kind == "O":
        values = np.where(missing(values), np.nan, values)
        types = set(map(type, values.flat))
    dates = [kind.__name__ for kind in types if issubclass(kind, _DATES)]
    if dates:
        raise TypeError(
            f"y has values of the type {dates[0]}, which is no number: make numbers of "
            "it (of a date the days since another)."
        )
    try:
        if values.dtype.kind in "cV":
            raise TypeError(f"they are of the type {values.dtype.name}")
        values = values.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"y has values that are no numbers ({error}): encode them, or predict "
            "classes by a classifier."
        ) from error
    assert_all_finite(values, allow_nan=True, input_name="y")
    return values
