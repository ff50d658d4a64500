"""Validation of counts: numbers of units, of steps, of rows to draw."""

import sys
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_scalar

from skdgm.utils.memory import physical

# Least number of bytes of an entry of a sample, and of a row's overhead.
_ENTRY, _ROW = 4, 8


def is_a(kind, value):
    """Return whether a value is an instance of ``kind`` and not a boolean.

    Parameters
    ----------
    kind : type
        An abstract type of numbers, such as ``Integral`` or ``Real``, of which Python's
        booleans are instances.
    value : object

    Returns
    -------
    bool
    """
    return isinstance(value, kind) and not isinstance(value, bool | np.bool_)


def count(value, name, low=1, high=None):
    """Validate a whole number and return it as an int.

    Parameters
    ----------
    value : int
    name : str
        Name of the parameter in error messages.
    low : int, default=1
        Smallest valid value.
    high : int, optional
        Largest valid value.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        The value is not a whole number, or is a boolean.
    ValueError
        The value is below ``low`` or above ``high``.
    """
    if not is_a(Integral, value):
        kind = type(value).__name__
        raise TypeError(f"{name} must be an instance of int, not {kind}.")
    return int(check_scalar(value, name, Integral, min_val=low, max_val=high))


def count_rows(n_samples, n_columns):
    """Validate a number of rows to draw and return it as an int.

    Parameters
    ----------
    n_samples : int
    n_columns : int

    Returns
    -------
    int

    Raises
    ------
    TypeError
        ``n_samples`` is not a whole number.
    ValueError
        ``n_samples`` is less than 1, or the rows exceed this machine's memory.
    """
    n_samples = count(n_samples, "n_samples")
    n_bytes = n_samples * (_ENTRY * n_columns + _ROW)
    if n_bytes > (physical() or sys.maxsize):
        raise ValueError(
            f"n_samples={n_samples}, but as many rows of {n_columns} columns take at "
            f"least {n_bytes / 2**30:.3g} GiB, which is more than the memory of this "
            "machine: draw them in several calls."
        )
    return n_samples
