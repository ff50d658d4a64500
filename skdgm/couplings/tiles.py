"""Matrices of weights in tiles: strips of their columns, each on its own in memory.

Kernels like them: what they look at stays near, and what a thread changes is in
places of its own. See :mod:`skdgm._kernels.lines`.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.lines import LINE
from skdgm._kernels.lists import send
from skdgm._kernels.update import refresh
from skdgm.utils.lists import Lists
from skdgm.utils.memory import zeros
from skdgm.utils.parallel import matmul, run


class Weights(NamedTuple):
    """A matrix in tiles, and its transpose; what is beyond its last column is zero.

    Parameters
    ----------
    up : ndarray of shape (n_tiles, n_below, width)
        The tiles of W.
    down : ndarray of shape (n_tiles, n_above, width)
        Those of its transpose.
    """

    up: np.ndarray
    down: np.ndarray

    @classmethod
    def of(cls, W):
        """A matrix in both forms."""
        return cls(tiles(W), tiles(W.T))

    @property
    def W(self):
        """The matrix itself, copied."""
        return joined(self.up, self.down.shape[1])

    def refresh(self):
        """Make the transpose follow what has changed in ``up``."""
        run(refresh, self.up, self.down, n=len(self.up), work=2 * self.up.size)

    @property
    def size(self):
        """How many weights there are."""
        return self.up.shape[1] * self.down.shape[1]


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
