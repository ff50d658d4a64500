"""Columns of real numbers: means and scales."""

import numpy as np

from skdgm.base.columns import Columns, observed
from skdgm.training import check_finite, column_spread
from skdgm.utils.domains import real_rows

# What is constant but for rounding.
_CONSTANT = 10 * np.finfo(np.float64).eps


def standards(table, seen, total, real=np.True_):
    """What is subtracted from columns, what they are divided by, and whether they vary.

    Parameters
    ----------
    table : Table
    seen, total : ndarray of shape (n_columns,)
    real : ndarray of bool, of shape (n_columns,), optional
        Which columns are real; the others stay as they are.

    Returns
    -------
    mean, scale, varies : ndarray of shape (n_columns,)
    """
    mean = total / np.maximum(seen, np.finfo(float).tiny)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, scale = column_spread(table, mean)
    check_finite(mean, scale, "columns")
    varies = scale > _CONSTANT * np.abs(mean)
    known = varies & real
    # Constant columns get a scale that follows the others': densities keep units.
    floor = np.exp(np.log(scale[known]).mean()) if known.any() else 1.0
    scale = np.where(varies, scale, floor)
    return np.where(real, mean, 0.0), np.where(real, scale, 1.0), varies | ~real


class RealColumns:
    """Numbers of any scale, which models see standardised."""

    tags = {}
    sample_type, measure = None, "density"

    def rows(self, model, X, *, reset=False, fitting=False, dtype=None):
        """Validate data."""
        rows = real_rows(model, X, reset=reset, dtype=dtype)
        return rows if reset else self.seen(rows, model._columns)

    def learn(self, table, before=None):
        """The columns, and the table as the model sees it."""
        if before is not None:
            return before, table
        raw = table._replace(rows=table.rows._replace(dtype=np.float64))
        seen, total = observed(raw, None)
        columns = Columns(seen, total, *standards(raw, seen, total))
        return columns, table._replace(rows=self.seen(table.rows, columns))

    def bits(self, columns):
        """Numbers of the columns of bits: there are none."""
        return np.arange(0)

    def seen(self, rows, columns):
        """Rows as the model sees them."""
        return rows._replace(affine=(columns.mean, columns.scale))

    def moments(self, columns):
        """Mean and variance of all columns."""
        return 0.0, 1.0

    def fill(self, columns):
        """What missing values start from."""
        return np.zeros(len(columns.scale))

    def loss_of_independent(self, columns):
        """Nats a row that independent columns cost."""
        return 0.5 * len(columns.scale) * np.log(2 * np.pi * np.e)

    def to_data(self, columns, v):
        """Values of units as values of columns."""
        return (v * columns.scale + columns.mean).astype(v.dtype, copy=False)

    def log_measure(self, columns):
        """What is added to the log density of each column's units where it is known."""
        return -np.log(columns.scale)

    def log_volume(self, columns, rows):
        """What is added to a density of units to make it one of columns, per row."""
        shrunk = self.log_measure(columns)
        if rows.complete:
            return shrunk.sum()
        parts = [~np.isnan(rows.take(block)) @ shrunk for block in rows.blocks()]
        return np.concatenate(parts)
