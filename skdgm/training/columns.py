"""Sums and moments of the columns of a table, over what was observed."""

import numpy as np

from skdgm.utils.lists import Lists


def column_sums(table):
    """Weight observed in each column, and the weighted sum of what was observed.

    Returns
    -------
    seen, total : ndarray of shape (n_columns,), float64
        A sum that is beyond all numbers is infinite, or NaN.
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
    """The weighted mean of what was observed in each column, given as it is but for
    rounding, and the standard deviation: that of a constant column is nearly zero
    whatever the rounding.

    Returns
    -------
    mean, spread : ndarray of shape (n_columns,), float64
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
    """Raise ValueError where a column's mean or its standard deviation is no number.

    Parameters
    ----------
    mean, spread : ndarray of shape (n_columns,)
    what : str
        Whose columns they are, as the error calls them.
    """
    wrong = np.flatnonzero(~(np.isfinite(mean) & np.isfinite(spread)))
    if wrong.size:
        raise ValueError(
            f"Values of {what} {wrong.tolist()} are too large for their mean and "
            "variance to be numbers: scale them down."
        )
