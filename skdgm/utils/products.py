"""Matrix products on all cores.

BLAS rounds differently for different block sizes, so block sizes depend on the matrices
only: results are the same on any number of cores.
"""

from itertools import pairwise

import numpy as np

from skdgm.utils.parallel import n_threads
from skdgm.utils.pool import Task, together

# Multiply-adds below which waking a thread costs more than it saves.
_WORTHWHILE = 5_000_000
# Rows per block of a product: few enough to share, enough for BLAS to be efficient.
_BLAS_ROWS = 128
# Approximate columns per block, where there are too few rows to share.
_BLAS_COLUMNS = 256


def matmul(A, B):
    """Matrix product ``A @ B`` by BLAS, divided among all threads.

    Parameters
    ----------
    A : ndarray of shape (n, k)
    B : ndarray of shape (..., k, m)
        One matrix, or several, each of which is multiplied.

    Returns
    -------
    product : ndarray of shape (..., n, m)
    """
    shape = *B.shape[:-2], len(A), B.shape[-1]
    out = np.empty(shape, np.result_type(A, B))
    rows, columns = [0, len(A)], [0, shape[-1]]
    if out.size * A.shape[-1] < _WORTHWHILE:
        _product(A, B, out, *rows, *columns)
        return out
    # Where there are few rows, divide the columns instead.
    if len(A) <= _BLAS_ROWS:
        columns = _edges(shape[-1], _BLAS_COLUMNS)
    else:
        rows = _edges(len(A), _BLAS_ROWS)
    tasks = [
        Task(_product, A, B, out, *block, *strip)
        for block in pairwise(rows)
        for strip in pairwise(columns)
    ]
    together(tasks, n_threads())
    return out


def _edges(n, size):
    """Edges of an even number of nearly equal blocks of about the given size."""
    n_blocks = max(2, 2 * round(n / (2 * size)))
    return [n * i // n_blocks for i in range(n_blocks + 1)]


def _product(A, B, out, top, bottom, left, right):
    with np.errstate(all="ignore"):  # Other threads do not inherit it.
        np.matmul(A[top:bottom], B[..., left:right], out[..., top:bottom, left:right])
