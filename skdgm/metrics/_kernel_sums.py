r"""Sums of a kernel within and between two samples, for many splits at once.

With an indicator s in {0, 1} of the rows of the first sample, the sums of a maximum
mean discrepancy are :math:`s^T K s`, :math:`s^T K 1` and :math:`1^T K 1`, with zeros on
the diagonal of K. All splits together cost one matrix product, and K is computed one
block of rows at a time.
"""

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.utils import gen_batches

# Maximum number of rows for the median distance; entries of a block of the kernel.
_MEDIAN_ROWS, _ENTRIES = 2000, 2**22


def median_gamma(rows, random_state):
    """Gamma of the RBF kernel by the median heuristic.

    It is :math:`1 / 2 d^2` with the median d of the nonzero distances; 1 if all
    distances are zero.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
    random_state : RandomState instance
        For the subset of 2000 rows that is used if there are more.

    Returns
    -------
    gamma : float
    """
    if len(rows) > _MEDIAN_ROWS:
        rows = rows[random_state.permutation(len(rows))[:_MEDIAN_ROWS]]
    distances = pdist(rows)
    distances = distances[distances > 0]
    return float(0.5 / np.median(distances) ** 2) if len(distances) else 1.0


def discrepancies(kernel, rows, splits):
    """Squared maximum mean discrepancy of the two samples of each split.

    Parameters
    ----------
    kernel : callable
        Maps two tables to the matrix of the kernel between their rows.
    rows : ndarray of shape (n_rows, n_features)
        Rows of both samples.
    splits : ndarray of shape (n_rows, n_splits)
        Indicators: 1 for rows of the first sample, equally many in each split, else 0.

    Returns
    -------
    squared : ndarray of shape (n_splits,)
        Unbiased estimates.
    size : float
        Largest absolute value of the kernel.

    Raises
    ------
    ValueError
        The kernel does not return a matrix of finite numbers.
    """
    m = splits[:, 0].sum()
    n = len(rows) - m
    within, touching, total, size = 0.0, 0.0, 0.0, 0.0
    for part in gen_batches(len(rows), max(1, _ENTRIES // len(rows))):
        first = splits[part]
        K = np.array(kernel(rows[part], rows), dtype=np.float64)
        if K.shape != (len(first), len(rows)) or not np.isfinite(K).all():
            raise ValueError(
                "kernel must take two tables to a matrix of finite numbers, with one "
                "for each row of the first and each row of the second."
            )
        numbers = np.arange(part.start, part.stop)
        size = max(size, np.abs(K).max())
        K[numbers - part.start, numbers] = 0.0
        # Sums over pairs with both rows in the first sample, with one, and over all.
        within += (first * (K @ splits)).sum(axis=0)
        touching += K.sum(axis=1) @ first
        total += K.sum()
    others = total - 2 * touching + within
    squared = within / (m * (m - 1)) + others / (n * (n - 1))
    return squared - 2 * (touching - within) / (m * n), size
