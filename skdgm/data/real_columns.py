"""Real columns, which models see standardised."""

import numpy as np

from skdgm.data.columns import ColumnKind, Columns, observed
from skdgm.training import check_finite, column_spread
from skdgm.utils.domains import real_rows

# Relative standard deviation up to which a column is constant but for rounding.
_CONSTANT = 10 * np.finfo(np.float64).eps


def standards(table, seen, total, real=np.True_):
    """Means and standard deviations of columns, by which they are standardised.

    Parameters
    ----------
    table : Table
    seen, total : ndarray of shape (n_columns,)
        Weight of the observed values, and their weighted sum.
    real : ndarray of bool, of shape (n_columns,), optional
        True for real columns; the others are not standardised.

    Returns
    -------
    mean, scale : ndarray of shape (n_columns,), float64
        Offset and scale: 0 and 1 for columns that are not real. The scale of constant
        columns is the geometric mean of the others' (1 if there are none).
    varies : ndarray of bool, of shape (n_columns,)
        True for columns with more than one value, and those that are not real.

    Raises
    ------
    ValueError
        Values are too large for their mean and variance to be finite.
    """
    mean = total / np.maximum(seen, np.finfo(float).tiny)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, scale = column_spread(table, mean)
    check_finite(mean, scale, "columns")
    varies = scale > _CONSTANT * np.abs(mean)
    known = varies & real
    # This scale follows the units of the data, and so does the density.
    floor = np.exp(np.log(scale[known]).mean()) if known.any() else 1.0
    scale = np.where(varies, scale, floor)
    return np.where(real, mean, 0.0), np.where(real, scale, 1.0), varies | ~real


class RealColumns(ColumnKind):
    """Columns of real numbers of any scale, which are standardised for the model."""

    measure = "density"

    def rows(self, model, X, *, reset=False, fitting=False, dtype=None):
        rows = real_rows(model, X, reset=reset, dtype=dtype)
        return rows if reset else self.seen(rows, model._columns)

    def learn(self, table, before=None):
        """Learn in the first fit only: ``before`` is kept, and ``table`` then returned
        as it is, not standardised."""
        if before is not None:
            return before, table
        raw = table._replace(rows=table.rows._replace(dtype=np.float64))
        seen, total = observed(raw, None)
        columns = Columns(seen, total, *standards(raw, seen, total))
        return columns, table._replace(rows=self.seen(table.rows, columns))

    def seen(self, rows, columns):
        """Rows that are standardised as they are read."""
        return rows._replace(affine=(columns.mean, columns.scale))

    def moments(self, columns):
        """Mean and variance of all standardised columns: 0 and 1."""
        return 0.0, 1.0

    def share(self, columns):
        return None

    def fill(self, columns):
        """Initial values of missing entries, standardised: 0."""
        return np.zeros(len(columns.scale))

    def loss_of_independent(self, columns):
        """Negative log-likelihood per row, in nats, if columns were independent.

        It is the entropy of standard normal columns,
        :math:`\\frac{n}{2} \\log(2 \\pi e)`.
        """
        return 0.5 * len(columns.scale) * np.log(2 * np.pi * np.e)

    def to_data(self, columns, v):
        return (v * columns.scale + columns.mean).astype(v.dtype, copy=False)

    def log_measure(self, columns):
        """Log of the Jacobian of standardisation, :math:`-\\log` scale, per column."""
        return -np.log(columns.scale)

    def log_volume(self, columns, rows):
        """Log volume of each row: the sum of :meth:`log_measure` over its observed
        entries; a number where rows are complete."""
        shrunk = self.log_measure(columns)
        if rows.complete:
            return shrunk.sum()
        parts = [~np.isnan(rows.take(block)) @ shrunk for block in rows.blocks()]
        return np.concatenate(parts)
