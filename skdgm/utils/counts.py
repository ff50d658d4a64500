"""Validation of counts: numbers of units, layers, steps, and rows to draw."""

import os
import sys
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_scalar

# float64 represents all whole numbers up to this magnitude.
WHOLE = 2**53
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


def layer_sizes(asked, default=()):
    """Numbers of units as a tuple.

    Parameters
    ----------
    asked : int, tuple or None
    default : tuple
        For None.

    Returns
    -------
    sizes : tuple
    """
    if asked is None:
        return default
    return asked if isinstance(asked, tuple) else (asked,)


def check_layer_sizes(asked, name):
    """Raise ValueError if numbers of units are not positive integers.

    Parameters
    ----------
    asked : int, tuple or None
    name : str
        Name of the parameter in error messages.
    """
    found = layer_sizes(asked)
    if not all(is_a(Integral, n) and n > 0 for n in found):
        raise ValueError(f"{name} must be positive integers; got {found}.")


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


def check_sizes(sizes, name="hidden_layer_sizes"):
    """Validate the sizes of hidden layers and return them as a tuple.

    Parameters
    ----------
    sizes : int or iterable of int
        Number of units of each hidden layer; an int means a single layer.
    name : str, default="hidden_layer_sizes"
        Name of the option in error messages.

    Returns
    -------
    sizes : tuple of int

    Raises
    ------
    ValueError
        There are no sizes, or one is not a whole number of at least 1.
    """
    sizes = (sizes,) if isinstance(sizes, Integral) else tuple(sizes)
    if not sizes or not all(is_a(Integral, n) and n >= 1 for n in sizes):
        raise ValueError(
            f"{name} must be whole numbers of at least 1, one for each "
            f"hidden layer, of which there is at least one; got {sizes}."
        )
    return tuple(map(int, sizes))


def per_layer(name, value, n_layers):
    """Expand an option to one value per layer.

    Parameters
    ----------
    name : str
        Name of the option in error messages.
    value : object
        A tuple of one value per layer, or one value for all layers.
    n_layers : int

    Returns
    -------
    values : tuple of length n_layers

    Raises
    ------
    ValueError
        ``value`` is a tuple of another length than ``n_layers``.
    """
    if not isinstance(value, tuple):
        return (value,) * n_layers
    if len(value) != n_layers:
        raise ValueError(
            f"{name} must be one value, or a tuple with one for each of {n_layers} "
            f"layers; got {value}."
        )
    return value


def chosen(layers, n_layers):
    """Layers selected by the option ``feature_layer``.

    Parameters
    ----------
    layers : int, tuple of int or "all"
        Numbers of hidden layers, from 0; negative ones count from the top.
    n_layers : int
        Number of hidden layers.

    Returns
    -------
    numbers : tuple of int
        Non-negative numbers of the selected layers.

    Raises
    ------
    ValueError
        A layer does not exist, or the tuple is empty.
    """
    if isinstance(layers, str):
        return tuple(range(n_layers))
    numbers = layers if isinstance(layers, tuple) else (layers,)
    if not numbers or not all(
        is_a(Integral, n) and -n_layers <= n < n_layers for n in numbers
    ):
        raise ValueError(
            f"feature_layer={layers}, but there are {n_layers} hidden layers: it must "
            f"be 'all', a number from {-n_layers} to {n_layers - 1}, or a tuple of "
            "such."
        )
    return tuple(n % n_layers for n in numbers)


def physical():
    """Physical memory in bytes, or None where it is unknown."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def refuse_inexact(values, what):
    """Raise an error if float64 does not represent whole numbers, of which several
    would be one.

    Parameters
    ----------
    values : array
        Searched if its type is of integers.
    what : str
        Whose values they are, for the message.

    Raises
    ------
    ValueError
        There is such a number.
    """
    values = np.asarray(values).ravel()
    if values.dtype.kind not in "iu" or values.dtype.itemsize < 8:
        return
    beyond = values > WHOLE
    if values.dtype.kind == "i":
        beyond |= values < -WHOLE
    large = values[beyond].tolist()
    inexact = [value for value in large if int(float(value)) != value]
    if inexact:
        raise ValueError(
            f"{what} has whole numbers beyond 2 ** 53, such as {inexact[0]}, of which "
            "a float cannot hold all digits: subtract the least of them, or read them "
            "as names of categories."
        )
