"""Columns of codes: 0, 1, ..., up to as many as a column has categories."""

from numbers import Integral
from typing import NamedTuple

import numpy as np

from skdgm.base.columns import observed
from skdgm.utils.domains import real_rows


class Codes(NamedTuple):
    """What is known of the columns.

    Parameters
    ----------
    seen, total : ndarray of shape (n_columns,)
        The weight of what was observed in all fits, and its weighted sum.
    sizes : ndarray of int, of shape (n_columns,)
        How many categories there are.
    counts : ndarray of shape (n_categories_in_all,)
        The weight of each, column after column.
    """

    seen: np.ndarray
    total: np.ndarray
    sizes: np.ndarray
    counts: np.ndarray

    @property
    def starts(self):
        """Where each column's categories begin."""
        return np.cumsum(self.sizes) - self.sizes


class CodeColumns:
    """Codes, as scikit-learn's ``OrdinalEncoder`` gives and ``CategoricalNB`` takes
    them."""

    tags = {"positive_only": True, "categorical": True}
    sample_type, measure = None, "probability"

    def __init__(self, min_categories=None):
        self.min_categories = min_categories

    def rows(self, model, X, *, reset=False, fitting=False, dtype=None):
        """Validate data."""
        rows, name = real_rows(model, X, reset=reset, dtype=dtype), type(model).__name__
        sizes = None if reset else model._columns.sizes
        for block in rows.blocks():
            part = rows.take(block)
            known = np.where(np.isnan(part), 0, part)
            odd = (known < 0) | (known != np.floor(known))
            if odd.any():
                _refuse(
                    name,
                    part,
                    odd,
                    "is no code: categories are 0, 1, 2 and so on, as "
                    "sklearn.preprocessing.OrdinalEncoder gives them",
                )
            if sizes is not None and (known >= sizes).any():
                _refuse(
                    name,
                    part,
                    known >= sizes,
                    "was not seen when it was first fitted: fit anew, or set "
                    "min_categories beforehand",
                )
        return rows

    def learn(self, table, before=None):
        """The columns, and the table as the model sees it."""
        seen, total = observed(table, before)
        sizes = self._sizes(table) if before is None else before.sizes
        starts = np.cumsum(sizes) - sizes
        counts = np.zeros(sizes.sum())
        for part in table.rows.blocks(n_rows=len(table.index)):
            codes, weight = table.rows.take(table.index[part]), table.weight[part]
            row, column = np.nonzero(~np.isnan(codes))
            places = starts[column] + codes[row, column].astype(int)
            counts += np.bincount(places, weight[row], minlength=len(counts))
        if before is not None:
            counts += before.counts
        return Codes(seen, total, sizes, counts), table

    def _sizes(self, table):
        n_columns = table.rows.shape[1]
        least = 1 if self.min_categories is None else self.min_categories
        if not all(isinstance(n, Integral) and n > 0 for n in np.ravel(least).tolist()):
            raise ValueError(f"min_categories must be positive integers; got {least}.")
        if np.ndim(least) and np.shape(least) != (n_columns,):
            raise ValueError(
                f"min_categories has {len(least)} values, but X has {n_columns} "
                "columns."
            )
        high = np.broadcast_to(np.asarray(least), n_columns).astype(int) - 1
        for part in table.rows.blocks(n_rows=len(table.index)):
            codes = table.rows.take(table.index[part])
            known = np.where(np.isnan(codes), 0, codes)
            high = np.maximum(high, known.max(axis=0).astype(int))
        return high + 1

    def seen(self, rows, columns):
        """Rows as the model sees them."""
        return rows

    def frequencies(self, columns):
        """Those of all categories, smoothed as if each had been seen once more."""
        total = np.repeat(
            np.add.reduceat(columns.counts, columns.starts), columns.sizes
        )
        return (columns.counts + 1) / (total + np.repeat(columns.sizes, columns.sizes))

    def loss_of_independent(self, columns):
        """Nats a row that independent columns cost."""
        p = self.frequencies(columns)
        return -(p * np.log(p)).sum()

    def to_data(self, columns, v):
        """Values of units as values of columns."""
        return v

    def log_volume(self, columns, rows):
        """What is added to a density of units to make it one of columns, per row."""
        return 0.0


def _refuse(name, part, bad, why):
    row, column = np.argwhere(bad)[0]
    raise ValueError(
        f"{name}: the value {part[row, column]:g} of column {column} {why}."
    )
