"""What is asked of two tables, and of numbers, before tables are compared."""

from numbers import Real

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_scalar

from skdgm.exceptions import DataRangeWarning
from skdgm.utils.warn import warn

# How many times as large the values of one table may be as those of the other.
_FACTOR = 8


def check_pair(first, second, names, **options):
    """Two tables of the same columns, complete and on the same scale.

    Parameters
    ----------
    first, second : array-like of shape (n_rows, n_columns)
    names : tuple of str
        What the caller calls them.
    **options
        Of :func:`sklearn.utils.check_array`.

    Returns
    -------
    first, second : ndarray of float64

    Raises
    ------
    ValueError
        A value is missing, or not finite, or there are too few rows, or the numbers of
        columns differ.

    Warns
    -----
    DataRangeWarning
        The values of one are more than eight times as large as those of the other.
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
    """A real number that is finite.

    Parameters
    ----------
    value : object
    name : str
        What the caller calls it.
    **options
        Of :func:`sklearn.utils.check_scalar`, which lets NaN pass any bounds.

    Raises
    ------
    TypeError
        It is no real number.
    ValueError
        It is outside of the bounds, infinite or NaN.
    """
    check_scalar(value, name, Real, **options)
    if not np.isfinite(value):
        raise ValueError(f"{name} must be a finite number, but it is {value}.")
