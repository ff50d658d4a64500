"""Validation of two tables before they are compared, and of numeric options."""

from numbers import Real

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_scalar

from skdgm.exceptions import DataRangeWarning
from skdgm.utils.callers import warn

# Ratio of the largest absolute values of two tables above which a warning is given.
_FACTOR = 8


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
