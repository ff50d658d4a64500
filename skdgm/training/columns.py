"""Weighted sums and moments of a table's columns, over observed entries."""

import numpy as np

from skdgm.utils.lists import Lists


def column_sums(table):
    """Observed weight and weighted sum of each column.

    Parameters
    ----------
    table : Table

    Returns
    -------
    seen, total : ndarray of shape (n_columns,), float64
        Total weight of the observed entries, and their weighted sum; a sum that
        overflows is infinite or NaN.
    """
    seen, total = np.zeros((2, table.rows.shape[1]))
    if table.rows.packed is not None:
        lists = table.rows.packed
        return seen + table.weight.sum(), lists.weighted_sum(table.index, table.weight)
    for part in table.rows.blocks(n_rows=len(table.index)):
        values, weight = table.rows.present(table.index[part]), table.weight[part]
        if isinstance(values, Lists):
            seen += weight.sum()
            total += values.weighted_sum(weight)
        else:
            observed = ~np.isnan(values)
            seen += weight @ observed
            with np.errstate(over="ignore", invalid="ignore"):
                total += weight @ np.where(observed, values, 0.0)
    return seen, total


def column_spread(table, mean):
    """Weighted mean and standard deviation of each column's observed entries.

    Parameters
    ----------
    table : Table
    mean : ndarray of shape (n_columns,)
        The weighted means up to rounding error. They are subtracted before squaring, so
        that the standard deviation of a constant column is close to zero.

    Returns
    -------
    mean, spread : ndarray of shape (n_columns,), float64
        Means with the rounding error corrected, and standard deviations.
    """
    seen, total, squares = np.zeros((3, table.rows.shape[1]))
    for part in table.rows.blocks(n_rows=len(table.index)):
        values = table.rows.take(table.index[part]).astype(np.float64) - mean
        observed, weight = ~np.isnan(values), table.weight[part]
        values = np.where(observed, values, 0.0)
        seen += weight @ observed
        total += weight @ values
        squares += weight @ values**2
    seen = np.maximum(seen, np.finfo(float).tiny)
    rest = total / seen
    return mean + rest, np.sqrt(np.maximum(squares / seen - rest**2, 0.0))


def check_finite(mean, spread, what):
    """Check that means and standard deviations of columns are finite.

    Parameters
    ----------
    mean, spread : ndarray of shape (n_columns,)
    what : str
        Name of the columns in the error message.

    Raises
    ------
    ValueError
        If a mean or a standard deviation is infinite or NaN.
    """
    wrong = np.flatnonzero(~(np.isfinite(mean) & np.isfinite(spread)))
    if wrong.size:
        raise ValueError(
            f"Values of {what} {wrong.tolist()} are too large for their mean and "
            "variance to be numbers: scale them down."
        )
