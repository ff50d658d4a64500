r"""Images at several resolutions, and nets that add details to smaller images.

.. math:: x_{k-1} = d(x_k), \qquad h_k = x_k - u(d(x_k)), \qquad
   x_k = u(x_{k-1}) + h_k

where d averages blocks of 2 x 2 pixels, and u copies a pixel to its block [1]_ [2]_.
Blocks at the right and at the bottom may have fewer pixels. Images with a single row
have blocks of two pixels.

References
----------
.. [1] Burt and Adelson (1983). The Laplacian pyramid as a compact image code. IEEE
   Transactions on Communications.
.. [2] Denton, Chintala, Szlam and Fergus (2015). Deep generative image models using a
   Laplacian pyramid of adversarial networks. NeurIPS.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from autograd.extend import defvjp

from skdgm.nets.layers import Net
from skdgm.nets.primitives import columns
from skdgm.nets.tape import primitive

# Smallest gray value, and distance of the largest from 1, for log odds.
_MIN_GRAY = 0.01


class Pyramid:
    """Images at several resolutions, each half as high and wide as the next. ``shape``
    is the height, width and number of channels of the largest images. There are at most
    ``n_levels``; the smallest images have at least one pixel. ``shapes`` lists the
    shapes of all levels, the smallest first."""

    def __init__(self, shape, n_levels):
        self.shapes, self._blocks = [tuple(shape)], []
        while len(self.shapes) < n_levels and max(self.shapes[0][:2]) > 1:
            height, width, channels = self.shapes[0]
            low = -(-height // 2), -(-width // 2), channels
            i, j, c = np.indices((height, width, channels))
            block_index = ((i // 2) * low[1] + j // 2) * channels + c
            self.shapes.insert(0, low)
            self._blocks.insert(0, _block(block_index.ravel()))

    def levels(self, v):
        """Images at all resolutions, the smallest first: means of known entries."""
        levels = [v]
        for block in self._blocks[::-1]:
            known = ~np.isnan(levels[0])
            sums = _summed(np.where(known, levels[0], 0), block)
            counts = _summed(known.astype(v.dtype), block)
            with np.errstate(invalid="ignore"):
                levels.insert(0, sums / counts)
        return levels

    def up(self, level, v):
        """Images v of the previous level, enlarged to ``level``; v may be traced."""
        return copied(v, self._blocks[level - 1])


class PixelBlocks(NamedTuple):
    """Block of each pixel, and a sparse matrix that sums the pixels of each block."""

    place: np.ndarray
    sums: object


def _block(place):
    n = len(place)
    ones = np.ones(n, np.float32), (place, np.arange(n))
    return PixelBlocks(place, sp.csr_array(ones, shape=(place.max() + 1, n)))


def _summed(v, block):
    """Sums over the pixels of each block, (n_rows, n_blocks)."""
    return np.ascontiguousarray((block.sums @ v.T).T)


@primitive
def copied(v, block):
    """Copy the values of blocks, (n_rows, n_blocks), to all of their pixels."""
    return v[:, block.place]


defvjp(copied, lambda _, v, block: lambda grad: _summed(grad, block), None)


@primitive
def log_odds(v):
    """Log odds of gray values, clipped to [0.01, 0.99]."""
    v = v.clip(_MIN_GRAY, 1 - _MIN_GRAY)
    return np.log(v) - np.log1p(-v)


def _log_odds_back(_, v):
    inside = (v > _MIN_GRAY) & (v < 1 - _MIN_GRAY)
    p = v.clip(_MIN_GRAY, 1 - _MIN_GRAY)
    return lambda grad: np.where(inside, grad / (p * (1 - p)), 0).astype(v.dtype)


defvjp(log_odds, _log_odds_back)


def added_to(body, n_given, gray):
    """Net whose outputs are added to its last ``n_given`` inputs, or to their log odds
    if these are ``gray`` values."""
    return Net(body.init, partial(_apply_added, body.apply, (n_given, gray)))


def _apply_added(apply, inputs, params, statistics, x, rng=None, train=False):
    n_given, gray = inputs
    out, updated = apply(params, statistics, x, rng=rng, train=train)
    base = columns(x, x.shape[1] - n_given, x.shape[1])
    return out + (log_odds(base) if gray else base), updated
