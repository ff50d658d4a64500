"""Weights in tiles: see :mod:`skdgm.utils.tiles`."""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.update import refresh
from skdgm.utils.parallel import run
from skdgm.utils.tiles import joined, tiles


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
