"""Matrix products on all cores, and matrices in tiles.

BLAS rounds differently for different block sizes, so block sizes depend on the matrices
only: results are the same on any number of cores.

Tiles are strips of a matrix's columns, each stored contiguously. The data that a kernel
reads stay in cache, and threads that write different tiles share no cache lines. See
:mod:`skdgm._kernels.sparse.lines`.
"""

from itertools import pairwise

import numpy as np

from skdgm._kernels.sparse.lines import LINE
from skdgm._kernels.sparse.lists import send
from skdgm.utils.lists import Lists
from skdgm.utils.threading.parallel import measured, run
from skdgm.utils.threading.pool import Task, together
from skdgm.utils.tree import zeros

# Multiply-adds below which waking a thread costs more than it saves.
_WORTHWHILE = 5_000_000
# Rows per block of a product: few enough to share, enough for BLAS to be efficient.
_BLAS_ROWS = 128
# Approximate columns per block, where there are too few rows to share.
_BLAS_COLUMNS = 256


def matmul(A, B):
    """Matrix product ``A @ B`` by BLAS, divided among all threads, of A of shape (n, k)
    and one or several matrices B of shape (..., k, m)."""
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
    with measured(matmul, out.size * A.shape[-1]) as n:
        together(tasks, n)
    return out


def _edges(n, size):
    """Edges of an even number of nearly equal blocks of about the given size."""
    n_blocks = max(2, 2 * round(n / (2 * size)))
    return [n * i // n_blocks for i in range(n_blocks + 1)]


def _product(A, B, out, top, bottom, left, right):
    with np.errstate(all="ignore"):  # Other threads do not inherit it.
        np.matmul(A[top:bottom], B[..., left:right], out[..., top:bottom, left:right])


def width(dtype):
    """Number of columns of a tile of a dtype."""
    return LINE // np.dtype(dtype).itemsize


def n_tiles(n_columns, dtype):
    """Number of tiles of a matrix of ``n_columns`` columns."""
    return -(-n_columns // width(dtype))


def tiles(matrix):
    """Divide a matrix into tiles, (n_tiles, n_rows, width), padded with zeros."""
    (n_rows, n_columns), step = matrix.shape, width(matrix.dtype)
    out = zeros((n_tiles(n_columns, matrix.dtype), n_rows, step), matrix.dtype)
    # The full tiles at once, then the columns that are left.
    n = n_columns // step
    full = matrix[:, : n * step].reshape(n_rows, n, step)
    out[:n] = full.transpose(1, 0, 2)
    if n < len(out):
        out[n, :, : n_columns - n * step] = matrix[:, n * step :]
    return out


def joined(tiles, n_columns):
    """Join the tiles of a matrix of ``n_columns``; the inverse of :func:`tiles`."""
    rows = np.moveaxis(tiles, 0, 1)
    return np.ascontiguousarray(rows.reshape(len(rows), -1)[:, :n_columns])


def product(x, tiles, n_columns):
    """Product of rows, an array or Lists of shape (n_samples, n_rows), with a matrix of
    ``n_columns`` in tiles."""
    if not isinstance(x, Lists) or not x.sparse:
        return joined(matmul(np.asarray(x), tiles), n_columns)
    out = np.empty((len(x), n_columns), tiles.dtype)
    work = x.count.sum() * n_columns
    run(send, x.index, x.value, x.count, tiles, out, n=len(x), work=work)
    return out
