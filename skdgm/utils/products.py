"""Matrix products on all cores.

BLAS rounds differently for blocks of other sizes, so blocks are of sizes that depend on
the matrices only: results are the same on any number of cores.
"""

from itertools import pairwise

import numpy as np

from skdgm.utils.parallel import n_threads
from skdgm.utils.pool import Task, together

# Multiply-adds below which waking a thread costs more than it saves.
_WORTHWHILE = 5_000_000
# Rows of a block of a BLAS product: few enough to share, enough to be efficient.
_BLAS_ROWS = 128
# And columns of one, at most, where rows are too few to share.
_BLAS_COLUMNS = 256


def matmul(A, B):
    """The product of two arrays, or with each of several, by BLAS."""
    shape = *B.shape[:-2], len(A), B.shape[-1]
    out = np.empty(shape, np.result_type(A, B))
    rows, columns = [0, len(A)], [0, shape[-1]]
    if out.size * A.shape[-1] < _WORTHWHILE:
        _product(A, B, out, *rows, *columns)
        return out
    # Of few rows the columns are shared out.
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
    """Where blocks begin and end: of about this size, evenly many of even sizes."""
    n_blocks = max(2, 2 * round(n / (2 * size)))
    return [n * i // n_blocks for i in range(n_blocks + 1)]


def _product(A, B, out, top, bottom, left, right):
    with np.errstate(all="ignore"):  # Which threads do not inherit.
        np.matmul(A[top:bottom], B[..., left:right], out[..., top:bottom, left:right])
