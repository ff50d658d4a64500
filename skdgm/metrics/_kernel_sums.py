r"""Sums of a kernel within and between two samples, for many a split into two.

With s in {0, 1} to say which rows are the first sample's, the sums of a maximum mean
discrepancy are :math:`s^T K s`, :math:`s^T K 1` and :math:`1^T K 1`, with zeros on the
diagonal of K. So all splits cost one product of matrices, and K is needed one block of
rows at a time.
"""

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.utils import gen_batches

# Rows to take the median of distances of; entries of a block of the kernel's matrix.
_MEDIAN_ROWS, _ENTRIES = 2000, 2**22


def median_gamma(rows, random_state):
    """Gamma by the median of distances that are not zero; 1 where all are.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
    random_state : RandomState instance
        To draw from, where there are many rows.

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
    """The squared discrepancy of the two samples of each split.

    Parameters
    ----------
    kernel : callable
        Of two tables.
    rows : ndarray of shape (n_rows, n_features)
        Of both samples.
    splits : ndarray of shape (n_rows, n_splits)
        1 in the rows of the first sample, as many in each split, and 0 in others.

    Returns
    -------
    squared : ndarray of shape (n_splits,)
        Without bias.
    size : float
        The largest value of the kernel.

    Raises
    ------
    ValueError
        What the kernel returns is no matrix of finite numbers.
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
        # Of pairs that are both the first sample's; of which one is; and of all.
        within += (first * (K @ splits)).sum(axis=0)
        touching += K.sum(axis=1) @ first
        total += K.sum()
    others = total - 2 * touching + within
    squared = within / (m * (m - 1)) + others / (n * (n - 1))
    return squared - 2 * (touching - within) / (m * n), size
