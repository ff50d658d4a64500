"""Rows of a table, read in blocks.

The table may be an array, a memory map or a CSR matrix, of any real type. It is never
copied, cast or converted to dense as a whole. Blocks of rows are read as dense arrays
of one floating type, with NaN for missing entries; or, where none is missing and the
density is low enough, as lists of nonzero entries.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils import gen_batches

from skdgm.utils.lists import LISTED, Lists
from skdgm.utils.packed import Packed

BLOCK_ENTRIES = 2**19
# Limit, in bytes, of the lists of a whole table.
_ROOM = 2**27
# Standardised values are clipped to this magnitude, so that their squares are finite.
_FAR = 1e10


class Rows(NamedTuple):
    """Table and the way to read it.

    Parameters
    ----------
    X : {ndarray, CSR} of shape (n_rows, n_columns)
    dtype : float32 or float64
    bounds : pair of float, or None
        Values outside these bounds are clipped as they are read.
    binary : bool
        True if all values are 0 or 1.
    complete : bool
        True if no values are missing.
    density : float
        Fraction of nonzero values.
    packed : Packed, optional
        Whole table as lists; see :meth:`in_memory`.
    affine : pair of ndarray of shape (n_columns,), optional
        Mean and scale: each column is read minus the first, divided by the second, and
        clipped to magnitudes of at most 10^10.
    labels : ndarray of shape (n_rows,) or (n_rows, n_outputs), optional
        Labels, which distinguish otherwise equal rows: codes of classes, -1 if unknown;
        or real targets, NaN if unknown.
    codec : Codec, optional
        Encoding of the columns of a DataFrame as numbers.
    unknown : ndarray of bool, of shape (n_rows, n_columns), optional
        True for missing values that are categories unknown to the model.
    """

    X: object
    dtype: type
    bounds: tuple = None
    binary: bool = False
    complete: bool = False
    density: float = 1.0
    packed: Packed = None
    affine: tuple = None
    labels: np.ndarray = None
    codec: object = None
    unknown: np.ndarray = None

    @property
    def shape(self):
        return self.X.shape

    @property
    def listed(self):
        """True if the rows are better read as lists."""
        return self.complete and self.density <= LISTED

    def take(self, index):
        """Dense rows at an index array or a slice."""
        part = self.X[index]
        part = part.toarray() if sp.issparse(part) else part
        if self.affine is not None:
            with np.errstate(over="ignore"):
                part = np.subtract(part, self.affine[0])
                part /= self.affine[1]
            part.clip(-_FAR, _FAR, out=part)
        part = np.asarray(part, dtype=self.dtype, order="C")
        return part if self.bounds is None else part.clip(*self.bounds)

    def present(self, index, lists=None):
        """Read rows as :class:`Lists` or as a dense array.

        Parameters
        ----------
        index : ndarray of int or slice
        lists : bool, optional
            By default as is faster: see :attr:`listed`.

        Returns
        -------
        rows : Lists or ndarray of shape (n_selected, n_columns)
        """
        if lists is None:
            lists = self.listed
        if not lists:
            return self.take(index)
        if isinstance(index, slice):
            index = np.arange(*index.indices(self.shape[0]))
        if self.packed is not None:
            return self.packed.take(index)
        X = self.X
        if sp.issparse(X) or self.bounds is not None or not X.flags.c_contiguous:
            return Lists.pack(self.take(index), binary=self.binary)
        X = np.asarray(X)
        if X.dtype == bool:
            X = X.view(np.uint8)
        elif X.dtype not in (np.uint8, np.float32, np.float64):
            X, index = X[index].astype(self.dtype), None
        return Lists.pack(X, index, self.dtype, self.binary)

    def in_memory(self):
        """Copy that keeps the whole table as lists, if these are preferred and fit."""
        n_entries = round(self.density * np.prod(self.shape, dtype=float))
        size = n_entries * (4 if self.binary else 4 + np.dtype(self.dtype).itemsize)
        if not self.listed or size > _ROOM:
            return self
        X, facts = self.X, (self.dtype, self.binary)
        if sp.issparse(X) and self.bounds is None and X.data.all():
            return self._replace(packed=Packed.of_csr(X, *facts))
        blocks = (self.present(block, lists=True) for block in self.blocks())
        packed = Packed.of(blocks, n_entries, self.shape[1], *facts)
        return self._replace(packed=packed)

    def blocks(self, n_rows=None):
        """Slices of limited size that cover ``n_rows`` rows, by default all of them."""
        n_rows = self.shape[0] if n_rows is None else n_rows
        return gen_batches(n_rows, max(1, BLOCK_ENTRIES // self.shape[1]))


def floating_type(dtype):
    """Type to compute in: float64 for float64 data, float32 for all other types."""
    return np.float64 if dtype == np.float64 else np.float32
