"""Random numbers that have an address instead of a state.

A draw is a hash of (seed, purpose, row, column). It is the same number for any
order of evaluation, any thread count and any split of the rows, and nothing has
to be stored or restored to draw it again.

Seeds, purposes and rows are mixed by SplitMix64 [1]_; the columns of a row by two
rounds of a 32-bit xorshift-multiply hash, between which the upper half of the row's
key enters.

References
----------
.. [1] Steele, Lea and Flood (2014). Fast splittable pseudorandom number
   generators. OOPSLA.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

MAX_SEED = np.iinfo(np.int32).max
_GOLDEN_32 = np.uint32(0x9E3779B9)
_GOLDEN_64 = 0x9E3779B97F4A7C15
_MASK_64 = 2**64 - 1
# Half of the distance between uniform numbers, which begin with 0.
_HALF = 2.0**-33


def mix64(z):
    """SplitMix64's finaliser: a bijection of uint64 arrays that looks random."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class Stream(NamedTuple):
    """Independent random sequences, one for each row.

    Parameters
    ----------
    root : int
        The seed and the purposes, mixed.
    ids : ndarray of uint64
        What tells the rows apart: their number, or a hash of their content.
    """

    root: int
    ids: np.ndarray = np.zeros(1, dtype=np.uint64)

    def fold(self, *tags):
        """Streams for a purpose (a step, a block, a draw), named by integers."""
        root = self.root
        for tag in tags:
            z = ((root ^ int(tag)) + _GOLDEN_64) & _MASK_64
            z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK_64
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK_64
            root = z ^ (z >> 31)
        return Stream(root, self.ids)

    def rows(self, ids):
        """The streams of rows, given their number or an id for each."""
        if not isinstance(ids, np.ndarray):
            ids = np.arange(ids, dtype=np.uint64)
        return Stream(self.root, ids)

    def take(self, index):
        """The streams of some of the rows."""
        return Stream(self.root, self.ids[index])

    def bits(self, n_columns):
        """Random uint32 of shape (n_rows, n_columns)."""
        keys = mix64((self.ids ^ np.uint64(self.root)) + np.uint64(_GOLDEN_64))
        low = keys.astype(np.uint32)[:, None]
        high = (keys >> np.uint64(32)).astype(np.uint32)[:, None]
        z = np.arange(n_columns, dtype=np.uint32) * _GOLDEN_32 + low
        z ^= z >> np.uint32(16)
        z *= np.uint32(0x21F0AAAD)
        z ^= high
        z ^= z >> np.uint32(15)
        z *= np.uint32(0xD35A2D97)
        z ^= z >> np.uint32(15)
        return z

    def uniform(self, n_columns, dtype=np.float64):
        """Uniform numbers in [0, 1) of shape (n_rows, n_columns)."""
        if dtype == np.float32:
            return (self.bits(n_columns) >> np.uint32(8)).astype(dtype) * dtype(2**-24)
        return self.bits(n_columns).astype(np.float64) * 2.0**-32

    def normal(self, n_columns, dtype=np.float64):
        """Standard normal numbers of shape (n_rows, n_columns)."""
        return ndtri(self.uniform(n_columns) + _HALF).astype(dtype, copy=False)

    def generator(self):
        """A NumPy generator, for draws that need no address."""
        return np.random.default_rng(self.root)


def stream(seed, *tags):
    """The stream of a seed for a purpose."""
    return Stream(0).fold(seed, *tags)
