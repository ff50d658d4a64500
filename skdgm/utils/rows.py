"""Rows of a table, read a few at a time.

The table may be an array, a memory map or CSR, of any real type: it is never
copied, cast or densified as a whole. What comes out is dense, of one floating
type, with NaN where a value is missing; or lists of what is not zero, where nothing
is missing and these are worth it.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils import gen_batches

from skdgm.utils.lists import LISTED, Lists

BLOCK_ENTRIES = 2**19


class Rows(NamedTuple):
    """A table and how to read it.

    Parameters
    ----------
    X : {ndarray, CSR} of shape (n_rows, n_columns)
    dtype : float32 or float64
    bounds : pair of float, or None
        Values outside are clipped as they are read.
    binary, complete : bool
        Whether all values are 0 or 1; whether none is missing.
    density : float
        The share of values that are not 0.
    """

    X: object
    dtype: type
    bounds: tuple = None
    binary: bool = False
    complete: bool = False
    density: float = 1.0

    @property
    def shape(self):
        return self.X.shape

    def take(self, index):
        """The rows at an index array or a slice."""
        part = self.X[index]
        part = part.toarray() if sp.issparse(part) else part
        part = np.asarray(part, dtype=self.dtype, order="C")
        return part if self.bounds is None else part.clip(*self.bounds)

    def present(self, index, lists=None):
        """The rows as :class:`Lists` or dense; by default as it is quicker."""
        if lists is None:
            lists = self.complete and self.density <= LISTED
        if not lists:
            return self.take(index)
        X = self.X
        if sp.issparse(X) or self.bounds is not None or not X.flags.c_contiguous:
            return Lists.pack(self.take(index), binary=self.binary)
        if isinstance(index, slice):
            index = np.arange(*index.indices(len(X)))
        X = np.asarray(X)
        if X.dtype == bool:
            X = X.view(np.uint8)
        elif X.dtype not in (np.uint8, np.float32, np.float64):
            X, index = X[index].astype(self.dtype), None
        return Lists.pack(X, index, self.dtype, self.binary)

    def blocks(self, n_rows=None):
        """Slices that cover so many rows, each small enough to be worked on whole."""
        n_rows = self.shape[0] if n_rows is None else n_rows
        return gen_batches(n_rows, max(1, BLOCK_ENTRIES // self.shape[1]))


def floating_type(dtype):
    """The type to compute in: float64 stays, everything else becomes float32."""
    return np.float64 if dtype == np.float64 else np.float32
