"""Conversion of y to arrays and to numbers, with errors that name it."""

from datetime import date, timedelta
from numbers import Real

import numpy as np
import scipy.sparse as sp
from sklearn.utils import assert_all_finite

_TEXT = str, bytes
_DATES = np.datetime64, np.timedelta64, date, timedelta
# Types of missing values, by name, since pandas may not be installed.
_MISSING = "NoneType", "NAType", "NaTType"


def as_values(y, owner, name="y"):
    """Convert y to an array whose entries keep the types that they were given in.

    Parameters
    ----------
    y : array-like
        With one dimension or more; or a sparse matrix.
    owner : estimator
        Estimator that requires y, named in errors.
    name : str, default="y"
        Name of y in errors.

    Returns
    -------
    values : ndarray

    Raises
    ------
    ValueError
        y is None, ragged or a masked array.
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
    # Extension dtypes of pandas: NumPy would convert integers and NA to floats.
    extension = hasattr(getattr(y, "dtype", None), "na_value")
    try:
        values = np.asarray(y, dtype=object if extension else None)
        if values.dtype.kind in "SU" and not isinstance(y, np.ndarray):
            given = np.asarray(y, dtype=object)
            # NumPy converts numbers to text if some entries are text.
            if not all(isinstance(value, _TEXT) for value in given.ravel().tolist()):
                return given
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} cannot be read as an array: give it one value for each row, or as "
            f"many for each as for any other ({error})."
        ) from error
    return values


def check_length(values, n_rows):
    """Raise ValueError unless y has one value for each row of X."""
    if len(values) != n_rows:
        raise ValueError(
            f"y has {len(values)} rows, but X has {n_rows}: inconsistent numbers of "
            "samples."
        )


def is_missing(value):
    """Return whether a value is None, NaN, NaT or pandas' NA."""
    if type(value).__name__ in _MISSING:
        return True
    return isinstance(value, Real | np.datetime64 | np.timedelta64) and value != value


def missing(values):
    """Boolean array of the same shape, True for missing values."""
    if values.dtype.kind == "O":
        found = [is_missing(value) for value in values.ravel().tolist()]
        return np.array(found, dtype=bool).reshape(values.shape)
    return values != values


def as_numbers(y, owner):
    """Convert y to numbers, NaN where missing.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    owner : estimator
        Estimator that requires y, named in errors.

    Returns
    -------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64

    Raises
    ------
    TypeError
        y is sparse or has dates.
    ValueError
        y has other values than numbers or infinite ones, no columns, or not one or two
        dimensions; or as by :func:`as_values`.
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
        if any(issubclass(kind, _TEXT) for kind in types):
            text = next(value for value in values.flat if isinstance(value, _TEXT))
            raise TypeError(f"they are text, such as {str(text)!r}")
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
