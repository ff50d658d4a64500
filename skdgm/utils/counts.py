"""Validation of counts, sizes of layers and choices."""

import os
import sys
from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_scalar

# float64 represents all whole numbers up to this magnitude.
WHOLE = 2**53
# Minimum number of bytes of an entry of a sample, and of the overhead of a row.
_ENTRY, _ROW = 4, 8


def is_a(kind, value):
    """Return whether a value is a number of an abstract type, but not a boolean."""
    return isinstance(value, kind) and not isinstance(value, bool | np.bool_)


def count(value, name, low=1, high=None):
    """Validate a whole number within bounds and return it as an int.

    Errors name the parameter: TypeError if the value is a boolean or not whole,
    ValueError if it is too low or too high.
    """
    if not is_a(Integral, value):
        kind = type(value).__name__
        raise TypeError(f"{name} must be an instance of int, not {kind}.")
    # Python refuses to print integers with too many digits.
    got = f"; got {name}={value}" if abs(value) < 10**99 else ""
    if value >= 2**63:
        raise ValueError(f"{name} must be less than 2**63{got}.")
    if not got:
        raise ValueError(f"{name} must be at least {low}.")
    return int(check_scalar(value, name, Integral, min_val=low, max_val=high))


def check_choice(name, value, known):
    """Raise ValueError, which names the parameter, if a value is not in ``known``."""
    # Types are compared first, because comparisons of arrays and pandas.NA have no
    # truth value.
    if not any(isinstance(value, type(choice)) and value == choice for choice in known):
        *others, last = map(repr, known)
        names = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(f"{name} must be {names}, not {value!r}.")


def layer_sizes(sizes, default=()):
    """Numbers of units as a tuple; ``default`` for None."""
    if sizes is None:
        return default
    return sizes if isinstance(sizes, tuple) else (sizes,)


def check_layer_sizes(sizes, name):
    """Raise ValueError if numbers of units are not positive integers."""
    numbers = layer_sizes(sizes)
    if not all(is_a(Integral, n) and n > 0 for n in numbers):
        raise ValueError(f"{name} must be positive integers; got {numbers}.")


def count_rows(n_samples, n_columns):
    """Validate the number of rows to draw and return it as an int.

    TypeError if it is not whole; ValueError if it is below 1, or if the rows exceed the
    memory of the machine.
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


class Lengths(NamedTuple):
    """Lengths of the Markov chains that draw rows: total number of rows, number of
    chains, number of rows from each chain, burn-in steps, and steps per row."""

    n_rows: int
    n_chains: int
    n_kept: int
    burn_in: int
    thin: int


def chain_lengths(n_samples, n_columns, n_steps=100, burn_in=0, thin=None):
    """Lengths of chains for the arguments of ``sample``.

    Every ``thin``-th of ``n_steps`` steps after ``burn_in`` gives a row, by default
    only the last step. Errors are those of ``count`` and ``count_rows``.
    """
    n_rows = count_rows(n_samples, n_columns)
    n_steps, burn_in = count(n_steps, "n_steps"), count(burn_in, "burn_in", 0)
    thin = n_steps if thin is None else count(thin, "thin", 1, n_steps)
    n_kept = n_steps // thin
    return Lengths(n_rows, -(-n_rows // n_kept), n_kept, burn_in, thin)


def check_sizes(sizes, name="hidden_layer_sizes"):
    """Sizes of hidden layers as a tuple; an int is a single layer. ValueError, which
    names the option, unless there is at least one size and all are positive
    integers."""
    sizes = (sizes,) if isinstance(sizes, Integral) else tuple(sizes)
    if not sizes or not all(is_a(Integral, n) and n >= 1 for n in sizes):
        raise ValueError(
            f"{name} must be whole numbers of at least 1, one for each "
            f"hidden layer, of which there is at least one; got {sizes}."
        )
    return tuple(map(int, sizes))


def per_layer(name, value, n_layers):
    """Option as a tuple with one value per layer, from a single value or such a tuple;
    ValueError if the tuple has another length."""
    if not isinstance(value, tuple):
        return (value,) * n_layers
    if len(value) != n_layers:
        raise ValueError(
            f"{name} must be one value, or a tuple with one for each of {n_layers} "
            f"layers; got {value}."
        )
    return value


def chosen(layers, n_layers):
    """Non-negative indices of the layers that ``feature_layer`` selects: "all", an
    index or a tuple of indices, which may be negative. ValueError if a layer does not
    exist or no layer is selected."""
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
    """Physical memory in bytes; None if unknown."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def refuse_inexact(values, what):
    """Raise ValueError if float64 cannot represent all integers in ``values``, so that
    several would become equal."""
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
