"""Random masks of the columns that an orderless net sees."""

import numpy as np


def large(uniform, n_observed):
    r"""Shares of columns to be seen, drawn so that large shares are more frequent.

    The loss of n entries estimated from the n - m that are hidden is scaled by
    n / (n - m), so that its noise grows with m. Sampling each m in proportion to its
    standard deviation, as :math:`1 / \sqrt{n - m}`, minimises the variance for a given
    number of rows.

    Parameters
    ----------
    uniform : ndarray of shape (n_rows,)
        Uniform noise.
    n_observed : ndarray of int, of shape (n_rows,)
        Number of entries that are not missing.

    Returns
    -------
    share, weight : ndarray of shape (n_rows,)
        By its weight each number of seen entries counts as if all were equally
        frequent.
    """
    n = np.maximum(1, n_observed)
    n_seen = np.minimum(np.floor((1 - (1 - uniform) ** 2) * n), n - 1)
    frequency = np.sqrt(1 - n_seen / n) - np.sqrt(1 - (n_seen + 1) / n)
    return (n_seen + 0.5) / n, 1 / (n * frequency)


def hide(v, share, uniform):
    """Split the observed entries of each row into a seen and a hidden part.

    Parameters
    ----------
    v : ndarray of shape (n_rows, n_columns)
    share : ndarray of shape (n_rows,)
        Share of each row's observed entries that is seen, below 1.
    uniform : ndarray of shape (n_rows, n_columns)
        Numbers below 1: entries with the lowest ones are seen.

    Returns
    -------
    seen, hidden : ndarray of shape (n_rows, n_columns)
        NaN where an entry belongs to the other part, or is missing.
    factor : ndarray of shape (n_rows,)
        Number of observed entries for each hidden one.
    """
    observed = ~np.isnan(v)
    n_observed = observed.sum(axis=1)
    uniform = np.where(observed, uniform, uniform.dtype.type(2))
    n_seen = (share * n_observed).astype(np.intp)
    last = np.take_along_axis(np.sort(uniform, axis=1), n_seen[:, None], axis=1)
    is_seen, nothing = uniform < last, v.dtype.type(np.nan)
    factor = n_observed / np.maximum(1, n_observed - n_seen)
    seen, hidden = np.where(is_seen, v, nothing), np.where(is_seen, nothing, v)
    return seen, hidden, factor.astype(v.dtype)
