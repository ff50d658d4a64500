"""Numbers that say how many: of units, of steps, of rows to draw."""

import os
import sys
from functools import cache
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_scalar

# Bytes that an entry of a sample takes at the least, and what else a row does.
_ENTRY, _ROW = 4, 8


def is_a(kind, value):
    """Whether a value is Integral, or Real, and not True or False, which Python takes
    for 1 and 0."""
    return isinstance(value, kind) and not isinstance(value, bool | np.bool_)


def count(value, name, low=1, high=None):
    """A whole number as an int, from ``low`` to ``high``.

    Raises
    ------
    TypeError
        It is none.
    ValueError
        It is too low or too high.
    """
    if not is_a(Integral, value):
        kind = type(value).__name__
        raise TypeError(f"{name} must be an instance of int, not {kind}.")
    return int(check_scalar(value, name, Integral, min_val=low, max_val=high))


def count_rows(n_samples, n_columns):
    """A number of rows to draw as an int.

    Raises
    ------
    TypeError
        It is no whole number.
    ValueError
        It is less than 1, or so many rows have no room in this machine.
    """
    n_samples = count(n_samples, "n_samples")
    n_bytes = n_samples * (_ENTRY * n_columns + _ROW)
    if n_bytes > _memory():
        raise ValueError(
            f"n_samples={n_samples}, but as many rows of {n_columns} columns take at "
            f"least {n_bytes / 2**30:.3g} GiB, which is more than the memory of this "
            "machine: draw them in several calls."
        )
    return n_samples


@cache
def _memory():
    """Bytes of memory that there are; of addresses, where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return sys.maxsize
