r"""Corruptions of rows, from which autoencoders learn to reconstruct them.

.. math:: \tilde x \sim C(\tilde x \mid x)
"""

from typing import Literal, NamedTuple

import numpy as np

from skdgm.utils import addresses

# Kinds of corruption, as an option.
CorruptionKind = Literal["gaussian", "masking", "salt-and-pepper"]
_WHERE, _WHAT = addresses.CORRUPTION
# Standard deviations from the mean at which real columns have salt and pepper.
_FAR = 2.0


class Corruption:
    """Corruption of each entry of a row by itself, of inputs of a net.

    "gaussian" adds normal noise of standard deviation ``amount`` to inputs, in units of
    the model; else ``amount`` is the probability of an entry: to be missing, by
    "masking"; or by "salt-and-pepper" to be 0 or 1, one of all categories, or two
    standard deviations below or above the mean, with equal probabilities. Missing
    entries stay so. ``columns`` are those of a ``domain``, and ``output`` their
    distribution, which makes inputs of values, of missing ones their ``share``, or 0
    if that is None.
    """

    def __init__(self, kind, amount, *, output, share, domain, columns):
        self.kind, self.amount, self.output, self.share = kind, amount, output, share
        coded = getattr(columns, "coded", np.full(len(columns.sizes), False))
        if output.kind == "categorical":
            coded = np.full(len(columns.sizes), True)
        bits = np.isin(np.arange(len(coded)), domain.bits(columns))
        self.n_levels = np.where(coded, columns.sizes, 2)
        self.step = np.where(coded | bits, 1, 2 * _FAR)
        self.low = np.where(coded | bits, 0, -_FAR)

    def __call__(self, v, rng):
        """Inputs of corrupted rows v, NaN where missing, with a stream for each row."""
        v = self.values(v, rng)
        x = self.output.inputs(v, self.share)
        if self.kind == "gaussian" and self.amount:
            noise = rng.fold(_WHAT).normal(x.shape[1], v.dtype.type)
            x = x + v.dtype.type(self.amount) * noise
        return x

    def values(self, v, rng):
        """Values of corrupted rows: masked ones are NaN; normal noise has no part in
        them."""
        if self.kind == "gaussian" or not self.amount:
            return v
        n, dtype = v.shape[1], v.dtype.type
        hit = rng.fold(_WHERE).uniform(n, dtype) < self.amount
        if self.kind == "masking":
            return np.where(hit, dtype(np.nan), v)
        levels = rng.fold(_WHAT).uniform(n, dtype) * self.n_levels.astype(dtype)
        levels = np.minimum(np.floor(levels), self.n_levels - 1)
        drawn = (levels * self.step + self.low).astype(dtype)
        return np.where(hit & ~np.isnan(v), drawn, v)


class BatchStreams(NamedTuple):
    """Streams of the rows of a batch, which need no addresses and so are drawn by
    NumPy's generator; see :class:`~skdgm.utils.random.Stream`."""

    rng: object
    n_rows: int

    def fold(self, *tags):
        """Streams for a purpose."""
        return BatchStreams(self.rng.fold(*tags), self.n_rows)

    def uniform(self, n_columns, dtype=np.float64):
        """Uniform noise in [0, 1)."""
        return self.rng.generator().random((self.n_rows, n_columns), dtype)

    def normal(self, n_columns, dtype=np.float64):
        """Standard normal noise."""
        return self.rng.generator().standard_normal((self.n_rows, n_columns), dtype)
