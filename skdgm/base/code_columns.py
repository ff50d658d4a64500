"""Columns of codes: 0, 1, ..., up to as many as a column has categories."""

from typing import NamedTuple

import numpy as np

from skdgm.base.codes import check_codes, count_codes, count_sizes, least_sizes
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
        rows = real_rows(model, X, reset=reset, dtype=dtype)
        sizes = None if reset else model._columns.sizes
        names, who = range(rows.shape[1]), type(model).__name__
        for block in rows.blocks():
            check_codes(rows.take(block), names, who, sizes)
        return rows

    def learn(self, table, before=None):
        """The columns, and the table as the model sees it."""
        seen, total = observed(table, before)
        if before is None:
            least = least_sizes(self.min_categories, table.rows.shape[1])
            sizes, earlier = count_sizes(table, least), 0
        else:
            sizes, earlier = before.sizes, before.counts
        return Codes(seen, total, sizes, count_codes(table, sizes) + earlier), table

    def bits(self, columns):
        """Numbers of the columns of bits: there are none."""
        return np.arange(0)

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

    def log_measure(self, columns):
        """What is added to the log density of each column's units where it is known."""
        return np.zeros(len(columns.seen))

    def log_volume(self, columns, rows):
        """What is added to a density of units to make it one of columns, per row."""
        return 0.0
