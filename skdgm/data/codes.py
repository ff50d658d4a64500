"""Columns of codes of categories, from 0 to n_categories - 1: validation and counts."""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from skdgm.data.columns import ColumnKind, observed
from skdgm.data.rare import warn_of_identifiers
from skdgm.utils.counts import is_a
from skdgm.utils.domains import real_rows

# Upper limit of codes. A net has an input and an output for each category; columns with
# higher values are numbers or keys, and would exhaust the memory.
MAX_CATEGORIES = 2**20


def refuse(part, bad, names, subject, why):
    """Raise ValueError for the first bad value of an array, given a mask of bad values;
    ``why`` ends the message. Return if there is none."""
    if bad.any():
        row, column = np.argwhere(bad)[0]
        value, name = part[row, column], names[column]
        raise ValueError(f"{subject}: the value {value:g} of column {name!r} {why}.")


def check_codes(part, names, subject, sizes=None):
    """Raise ValueError for a value that is negative, not an integer, or at least the
    number of categories of its column (by default ``MAX_CATEGORIES``)."""
    known = np.where(np.isnan(part), 0, part)
    why = "is no code: categories are 0, 1, 2 and so on, as "
    why += "sklearn.preprocessing.OrdinalEncoder gives them"
    refuse(part, (known < 0) | (known != np.floor(known)), names, subject, why)
    why = f"is too high for a code, of which there may be {MAX_CATEGORIES}: number the "
    why += "categories anew, with sklearn.preprocessing.OrdinalEncoder"
    if sizes is not None:
        why = "was not seen when it was first fitted: fit anew, or set "
        why += "column_types__min_categories beforehand"
    limits = MAX_CATEGORIES if sizes is None else sizes
    refuse(part, known >= limits, names, subject, why)


def least_sizes(min_categories, n_columns):
    """Minimum number of categories of each column, an int array; ValueError unless the
    option has valid numbers, one for all columns or one for each."""
    minimum: Any = 1 if min_categories is None else min_categories
    flat: list[Any]
    try:
        flat = np.ravel(minimum).tolist()
    except ValueError:  # Ragged.
        flat = [None]
    if not all(is_a(Integral, n) and n > 0 for n in flat) or np.ndim(minimum) > 1:
        raise ValueError(
            "column_types__min_categories must be positive integers, one for all "
            f"columns or one for each; got {minimum}."
        )
    if np.max(minimum) > MAX_CATEGORIES:
        raise ValueError(
            f"column_types__min_categories must be at most {MAX_CATEGORIES}; got "
            f"{np.max(minimum)}."
        )
    if np.ndim(minimum) and np.shape(minimum) != (n_columns,):
        raise ValueError(
            f"column_types__min_categories has {len(minimum)} values, but X has "
            f"{n_columns} columns."
        )
    return np.broadcast_to(np.asarray(minimum), n_columns).astype(int)


def weighted_parts(table, which):
    """Yield blocks of the columns ``which``, NaN where missing, and weights of their
    rows."""
    for part in table.rows.blocks(n_rows=len(table.index)):
        yield table.rows.take(table.index[part])[:, which], table.weight[part]


def count_sizes(table, min_size, which=slice(None)):
    """Number of categories of the columns ``which``, at least ``min_size``."""
    high = min_size - 1
    for codes, _ in weighted_parts(table, which):
        known = np.where(np.isnan(codes), 0, codes)
        high = np.maximum(high, known.max(axis=0).astype(int))
    return high + 1


def count_codes(table, sizes, which=slice(None)):
    """Weight of each category of the columns ``which``, column after column."""
    starts, counts = np.cumsum(sizes) - sizes, np.zeros(sizes.sum())
    for codes, weight in weighted_parts(table, which):
        # Exclude missing and unknown codes.
        row, column = np.nonzero(codes < sizes)
        places = starts[column] + codes[row, column].astype(int)
        counts += np.bincount(places, weight[row], minlength=len(counts))
    return counts


def distinct(table, which):
    """Yield the distinct values of each of the columns ``which``, and their weights."""
    for j in which:
        parts = [(x[:, 0], w) for x, w in weighted_parts(table, [j])]
        x, weight = (np.concatenate(part) for part in zip(*parts))
        known = ~np.isnan(x) & (weight > 0)
        values, place = np.unique(x[known], return_inverse=True)
        yield values, np.bincount(place, weight[known], minlength=len(values))


class Codes(NamedTuple):
    """Statistics of categorical columns.

    ``seen`` and ``total``, of shape (n_columns,), are the weight of the observed values
    in all fits and their weighted sum; ``sizes`` are numbers of categories, and
    ``counts`` weights of all categories, column after column.
    """

    seen: np.ndarray
    total: np.ndarray
    sizes: np.ndarray
    counts: np.ndarray

    @property
    def starts(self):
        """Index in ``counts`` of each column's first category."""
        return np.cumsum(self.sizes) - self.sizes


class CodeColumns(ColumnKind):
    """Columns of codes, as created by scikit-learn's ``OrdinalEncoder``;
    ``min_categories`` is the minimum number of categories, one number or one for each
    column."""

    kind, tags = "categorical", {"positive_only": True, "categorical": True}

    def __init__(self, min_categories=None):
        self.min_categories = min_categories

    def rows(self, model, X, *, columns=None, reset=False, fitting=False, dtype=None):
        """Validate data; codes that did not occur in the first fit raise ValueError."""
        rows = real_rows(model, X, reset=reset, dtype=dtype)
        sizes = None if reset else columns.sizes
        names, subject = range(rows.shape[1]), type(model).__name__
        for block in rows.blocks():
            check_codes(rows.take(block), names, subject, sizes)
        return rows

    def learn(self, table, before=None):
        seen, total = observed(table, before)
        if before is None:
            minimum = least_sizes(self.min_categories, table.rows.shape[1])
            sizes, earlier = count_sizes(table, minimum), 0
        else:
            sizes, earlier = before.sizes, before.counts
        columns = Codes(seen, total, sizes, count_codes(table, sizes) + earlier)
        if before is None:
            warn_of_identifiers(columns, table)
        return columns, table

    def frequencies(self, columns):
        """Frequencies of all categories, which sum to 1 for each column, with Laplace
        smoothing."""
        total = np.repeat(
            np.add.reduceat(columns.counts, columns.starts), columns.sizes
        )
        return (columns.counts + 1) / (total + np.repeat(columns.sizes, columns.sizes))

    def share(self, columns):
        return self.frequencies(columns)

    def loss_of_independent(self, columns):
        p = self.frequencies(columns)
        return -(p * np.log(p)).sum()
