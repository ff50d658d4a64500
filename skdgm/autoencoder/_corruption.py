r"""Corruptions of rows, which autoencoders learn to undo.

.. math:: \tilde x \sim C(\tilde x \mid x)
"""

from typing import Any, Literal, NamedTuple

import numpy as np

from skdgm.utils import addresses
from skdgm.utils.random import standard_normal

# Types of corruption, as an option.
CorruptionKind = Literal["gaussian", "masking", "salt-and-pepper"]
_WHERE, _WHAT = addresses.CORRUPTION
# Number of standard deviations of salt and pepper in real columns.
_SALT = 2.0


class Corruption:
    """Independent corruption of each entry of a row. "gaussian" adds normal noise of
    standard deviation ``amount`` to inputs. Otherwise ``amount`` is the probability
    that an entry is corrupted: "masking" hides it; "salt-and-pepper" draws 0 or 1, a
    category, or two standard deviations below or above the mean, with equal
    probabilities. Missing entries stay missing; their inputs are ``share``, or 0 if it
    is None. ``output`` is the distribution that encodes rows."""

    def __init__(self, kind, amount, *, output, share, domain, columns):
        self.kind, self.amount, self.output, self.share = kind, amount, output, share
        coded = getattr(columns, "coded", np.full(len(columns.sizes), False))
        if output.kind == "categorical":
            coded = np.full(len(columns.sizes), True)
        bits = np.isin(np.arange(len(coded)), domain.bits(columns))
        self.n_levels = np.where(coded, columns.sizes, 2)
        self.step = np.where(coded | bits, 1, 2 * _SALT)
        self.low = np.where(coded | bits, 0, -_SALT)

    def __call__(self, v, rng):
        """Inputs for corrupted rows v, NaN where missing, with a random stream for each
        row."""
        v = self.values(v, rng)
        x = self.output.inputs(v, self.share)
        if self.kind == "gaussian" and self.amount:
            noise = rng.fold(_WHAT).normal(x.shape[1], v.dtype.type)
            x = x + v.dtype.type(self.amount) * noise
        return x

    def values(self, v, rng):
        """Corrupted rows; masked entries are NaN. Normal noise is not added here."""
        if self.kind == "gaussian" or not self.amount:
            return v
        n, dtype = v.shape[1], v.dtype.type
        corrupted = rng.fold(_WHERE).uniform(n, dtype) < self.amount
        if self.kind == "masking":
            return np.where(corrupted, dtype(np.nan), v)
        levels = rng.fold(_WHAT).uniform(n, dtype) * self.n_levels.astype(dtype)
        levels = np.minimum(np.floor(levels), self.n_levels - 1)
        salt_and_pepper = (levels * self.step + self.low).astype(dtype)
        return np.where(corrupted & ~np.isnan(v), salt_and_pepper, v)


class BatchStreams(NamedTuple):
    """Random streams of the rows of a minibatch, drawn jointly by a generator of NumPy;
    see :class:`~skdgm.utils.random.Stream`."""

    rng: Any
    n_rows: int

    def fold(self, *tags):
        """Streams for another purpose."""
        return BatchStreams(self.rng.fold(*tags), self.n_rows)

    def uniform(self, n_columns, dtype=np.float64):
        """Uniform noise in [0, 1), (n_rows, n_columns)."""
        return self.rng.generator().random((self.n_rows, n_columns), dtype)

    def normal(self, n_columns, dtype=np.float64):
        """Standard normal noise, (n_rows, n_columns)."""
        shape = self.n_rows, n_columns
        return standard_normal(self.rng.generator(), shape, dtype)
