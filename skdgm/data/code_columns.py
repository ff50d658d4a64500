"""Categorical columns, whose values are codes from 0 to n_categories - 1."""

from typing import NamedTuple

import numpy as np

from skdgm.data.codes import check_codes, count_codes, count_sizes, least_sizes
from skdgm.data.columns import ColumnKind, observed
from skdgm.utils.domains import real_rows


class Codes(NamedTuple):
    """Statistics of categorical columns.

    Parameters
    ----------
    seen, total : ndarray of shape (n_columns,), float64
        Weight of the observed values in all fits, and their weighted sum.
    sizes : ndarray of int, of shape (n_columns,)
        Number of categories of each column.
    counts : ndarray of shape (n_categories_in_all,), float64
        Weight of each category, column after column.
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
    """Columns of codes, as made by scikit-learn's ``OrdinalEncoder``.

    Parameters
    ----------
    min_categories : int or array-like of shape (n_columns,), default=None
        Least number of categories of each column.
    """

    tags = {"positive_only": True, "categorical": True}

    def __init__(self, min_categories=None):
        self.min_categories = min_categories

    def rows(self, model, X, *, reset=False, fitting=False, dtype=None):
        """Validate data; codes not seen in the first fit raise ValueError."""
        rows = real_rows(model, X, reset=reset, dtype=dtype)
        sizes = None if reset else model._columns.sizes
        names, who = range(rows.shape[1]), type(model).__name__
        for block in rows.blocks():
            check_codes(rows.take(block), names, who, sizes)
        return rows

    def learn(self, table, before=None):
        seen, total = observed(table, before)
        if before is None:
            least = least_sizes(self.min_categories, table.rows.shape[1])
            sizes, earlier = count_sizes(table, least), 0
        else:
            sizes, earlier = before.sizes, before.counts
        return Codes(seen, total, sizes, count_codes(table, sizes) + earlier), table

    def frequencies(self, columns):
        """Frequencies of all categories, smoothed as if each had been seen once more.

        Parameters
        ----------
        columns : Codes

        Returns
        -------
        frequencies : ndarray of shape (n_categories_in_all,)
            Summing to 1 for each column.
        """
        total = np.repeat(
            np.add.reduceat(columns.counts, columns.starts), columns.sizes
        )
        return (columns.counts + 1) / (total + np.repeat(columns.sizes, columns.sizes))

    def share(self, columns):
        return self.frequencies(columns)

    def loss_of_independent(self, columns):
        p = self.frequencies(columns)
        return -(p * np.log(p)).sum()
