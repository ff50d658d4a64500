"""Matrices in tiles: strips of their columns, each on its own in memory.

Kernels like them: what they look at stays near, and what a thread changes is in
places of its own. See :mod:`skdgm._kernels.lines`.
"""

import numpy as np

from skdgm._kernels.lines import LINE
from skdgm._kernels.lists import send
from skdgm.utils.lists import Lists
from skdgm.utils.memory import zeros
from skdgm.utils.parallel import run
from skdgm.utils.products import matmul


def width(dtype):
    """How many columns a tile has."""
    return LINE // np.dtype(dtype).itemsize


def n_tiles(n_columns, dtype):
    """How many tiles there are."""
    return -(-n_columns // width(dtype))


def tiles(matrix):
    """A matrix in tiles."""
    (n_rows, n_columns), step = matrix.shape, width(matrix.dtype)
    out = zeros((n_tiles(n_columns, matrix.dtype), n_rows, step), matrix.dtype)
    for number, tile in enumerate(out):
        part = matrix[:, number * step : (number + 1) * step]
        tile[:, : part.shape[1]] = part
    return out


def joined(tiles, n_columns):
    """The matrix that is in tiles."""
    rows = np.moveaxis(tiles, 0, 1)
    return np.ascontiguousarray(rows.reshape(len(rows), -1)[:, :n_columns])


def product(x, tiles, n_columns):
    """The product of rows with a matrix in tiles."""
    if not isinstance(x, Lists) or not x.sparse:
        return joined(matmul(np.asarray(x), tiles), n_columns)
    out = np.empty((len(x), n_columns), tiles.dtype)
    work = x.count.sum() * n_columns
    run(send, x.index, x.value, x.count, tiles, out, n=len(x), work=work)
    return out
