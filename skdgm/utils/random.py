"""Counter-based random numbers, which have an address instead of a state.

A draw is a hash of (seed, tags, row, column). It does not depend on the order of
evaluation, the number of threads or the division of rows into blocks, and can be
repeated without a stored state.

Seeds, tags and rows are mixed by SplitMix64 [1]_, and the columns of a row by two
rounds of a 32-bit xorshift-multiply hash. The lower half of the row's 64-bit key is
added before the first round, and the upper half is combined by XOR before the second.

References
----------
.. [1] Steele, Lea and Flood (2014). Fast splittable pseudorandom number
   generators. OOPSLA.
"""

import math
from itertools import count
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

MAX_SEED = np.iinfo(np.int32).max
_GOLDEN_32 = np.uint32(0x9E3779B9)
_GOLDEN_64 = 0x9E3779B97F4A7C15
_MASK_64 = 2**64 - 1
# Half the spacing of uniform numbers of 32 bits, which start at 0.
_HALF = 2.0**-33
# Factors that map signed integers of 32 bits to angles, and their moduli to (0, 1].
_HALF_TURN, _UNIT = np.float32(math.pi * 2.0**-31), np.float32(2.0**-31)
# Tags of the random streams of an estimator's seed.
INIT, SHUFFLE, STEP, PROBE, SPLIT, LIKELIHOOD, IMPUTE = range(7)


def mix64(z):
    """Finalizer of SplitMix64, a pseudo-random bijection of 64-bit integers."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _mixed(keys, columns):
    """Random bits, uint32, for keys of rows and numbers of columns."""
    z = columns * _GOLDEN_32 + keys.astype(np.uint32)
    z ^= z >> np.uint32(16)
    z *= np.uint32(0x21F0AAAD)
    z ^= (keys >> np.uint64(32)).astype(np.uint32)
    z ^= z >> np.uint32(15)
    z *= np.uint32(0xD35A2D97)
    z ^= z >> np.uint32(15)
    return z


class Stream(NamedTuple):
    """Independent streams of random numbers, one for each row. ``root`` is a hash of
    the seed and the tags; ``ids`` are the numbers of rows, or hashes of their
    content."""

    root: int
    ids: np.ndarray = np.zeros(1, dtype=np.uint64)

    def fold(self, *tags):
        """Streams of the same rows for the purpose with numeric tags, such as a step, a
        block or a draw."""
        root = self.root
        for tag in tags:
            z = ((root ^ int(tag)) + _GOLDEN_64) & _MASK_64
            z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK_64
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK_64
            root = z ^ (z >> 31)
        return Stream(root, self.ids)

    def folds(self, first=0):
        """Iterate over :meth:`fold` with the tags ``first``, ``first`` + 1, ..."""
        return map(self.fold, count(first))

    def rows(self, ids):
        """Streams of rows, for their number or an array of identifiers, uint64."""
        if not isinstance(ids, np.ndarray):
            ids = np.arange(ids, dtype=np.uint64)
        return Stream(self.root, ids)

    def each(self, n_each):
        """Streams for ``n_each`` consecutive draws of each row."""
        numbers = mix64(np.arange(1, n_each + 1, dtype=np.uint64))
        return Stream(self.root, mix64(self.ids[:, None] ^ numbers).ravel())

    def take(self, index):
        """Streams of selected rows, by an index array or a slice."""
        return Stream(self.root, self.ids[index])

    def bits(self, n_columns):
        """Random bits, uint32 of shape (n_rows, n_columns)."""
        return _mixed(self._keys()[:, None], np.arange(n_columns, dtype=np.uint32))

    def uniform_at(self, rows, columns):
        """Entries of :meth:`uniform` in float64, at arrays of row and column
        numbers."""
        z = _mixed(self._keys()[rows], columns.astype(np.uint32))
        return z.astype(np.float64) * 2.0**-32

    def uniform(self, n_columns, dtype=np.float64):
        """Uniform numbers in [0, 1), (n_rows, n_columns), with 24 random bits in
        float32 and 32 in float64."""
        if dtype == np.float32:
            return (self.bits(n_columns) >> np.uint32(8)).astype(dtype) * dtype(2**-24)
        return self.bits(n_columns).astype(np.float64) * 2.0**-32

    def normal(self, n_columns, dtype=np.float64):
        """Standard normal numbers, (n_rows, n_columns)."""
        return ndtri(self.uniform(n_columns) + _HALF).astype(dtype, copy=False)

    def gumbel(self, n_columns):
        """Standard Gumbel numbers, (n_rows, n_columns), float64."""
        return -np.log(-np.log(self.uniform(n_columns) + _HALF))

    def generators(self):
        """Iterate over NumPy generators, one for each row."""
        for key in self._keys().tolist():
            yield np.random.Generator(np.random.Philox(key=key))

    def _keys(self):
        return mix64((self.ids ^ np.uint64(self.root)) + np.uint64(_GOLDEN_64))

    def generator(self):
        """NumPy generator seeded by the root, for draws without an address."""
        return np.random.default_rng(self.root)


def standard_normal(generator, shape, dtype):
    r"""Standard normal numbers of a NumPy generator, in float32 by pairs [1]_

    .. math:: \sqrt{-2 \log u} \, (\cos 2 \pi w, \sin 2 \pi w)

    of uniform numbers u and w, in a third of the time of NumPy's own method.

    References
    ----------
    .. [1] Box and Muller (1958). A note on the generation of random normal deviates.
       Annals of Mathematical Statistics.
    """
    if dtype != np.float32:
        return generator.standard_normal(shape, dtype)
    size = math.prod(shape)
    n = -(-size // 2)
    uniform = generator.bit_generator.random_raw(n).view(np.int32).astype(np.float32)
    angle, radius = uniform[:n], uniform[n:]
    angle *= _HALF_TURN
    pairs = np.empty(2 * n, np.float32)
    np.cos(angle, out=pairs[:n])
    np.sin(angle, out=pairs[n:])
    np.abs(radius, out=radius)
    radius += 0.5
    radius *= _UNIT
    np.log(radius, out=radius)
    radius *= -2
    np.sqrt(radius, out=radius)
    pairs[:n] *= radius
    pairs[n:] *= radius
    return pairs[:size].reshape(shape)


def stream(seed, *tags):
    """Stream of one row for a seed and numeric tags."""
    return Stream(0).fold(seed, *tags)
