"""Matrices in tiles: strips of their columns, each stored contiguously.

The data that a kernel reads stay in cache, and threads that write different tiles share
no cache lines. See :mod:`skdgm._kernels.lines`.
"""

import numpy as np

from skdgm._kernels.lines import LINE
from skdgm._kernels.lists import send
from skdgm.utils.lists import Lists
from skdgm.utils.memory import zeros
from skdgm.utils.parallel import run
from skdgm.utils.products import matmul


def width(dtype):
    """Number of columns of a tile of a dtype."""
    return LINE // np.dtype(dtype).itemsize


def n_tiles(n_columns, dtype):
    """Number of tiles of a matrix of ``n_columns`` columns."""
    return -(-n_columns // width(dtype))


def tiles(matrix):
    """Divide a matrix into tiles, padded with zeros.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)

    Returns
    -------
    tiles : ndarray of shape (n_tiles, n_rows, width)
    """
    (n_rows, n_columns), step = matrix.shape, width(matrix.dtype)
    out = zeros((n_tiles(n_columns, matrix.dtype), n_rows, step), matrix.dtype)
    for number, tile in enumerate(out):
        part = matrix[:, number * step : (number + 1) * step]
        tile[:, : part.shape[1]] = part
    return out


def joined(tiles, n_columns):
    """Join the tiles of a matrix; the inverse of :func:`tiles`.

    Parameters
    ----------
    tiles : ndarray of shape (n_tiles, n_rows, width)
    n_columns : int
        Number of columns of the matrix.

    Returns
    -------
    matrix : ndarray of shape (n_rows, n_columns)
    """
    rows = np.moveaxis(tiles, 0, 1)
    return np.ascontiguousarray(rows.reshape(len(rows), -1)[:, :n_columns])


def product(x, tiles, n_columns):
    """Product of rows with a matrix in tiles.

    Parameters
    ----------
    x : Lists or array-like of shape (n_samples, n_rows)
    tiles : ndarray of shape (n_tiles, n_rows, width)
    n_columns : int
        Number of columns of the matrix.

    Returns
    -------
    product : ndarray of shape (n_samples, n_columns)
    """
    if not isinstance(x, Lists) or not x.sparse:
        return joined(matmul(np.asarray(x), tiles), n_columns)
    out = np.empty((len(x), n_columns), tiles.dtype)
    work = x.count.sum() * n_columns
    run(send, x.index, x.value, x.count, tiles, out, n=len(x), work=work)
    return out
