"""Weights stored in tiles; see :mod:`skdgm.utils.products`."""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.update import refresh
from skdgm.utils.parallel import run
from skdgm.utils.products import joined, tiles


class Weights(NamedTuple):
    """A weight matrix and its transpose, both in tiles, padded with zero columns.

    Parameters
    ----------
    up : ndarray of shape (n_tiles_above, n_below, width)
        The tiles of W.
    down : ndarray of shape (n_tiles_below, n_above, width)
        The tiles of its transpose.
    """

    up: np.ndarray
    down: np.ndarray

    @classmethod
    def of(cls, W):
        """Convert an array of shape (n_below, n_above) to tiles."""
        return cls(tiles(W), tiles(W.T))

    @property
    def W(self):
        """Copy of the matrix as an ndarray of shape (n_below, n_above)."""
        return joined(self.up, self.down.shape[1])

    def refresh(self):
        """Update the transpose after changes of ``up``, in place."""
        run(refresh, self.up, self.down, n=len(self.up), work=2 * self.up.size)

    @property
    def size(self):
        """Number of weights."""
        return self.up.shape[1] * self.down.shape[1]
