"""Rows of a table, read a few at a time.

The table may be an array, a memory map or CSR, of any real type: it is never
copied, cast or densified as a whole. What comes out is dense, of one floating
type, with NaN where a value is missing.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils import gen_batches

BLOCK_ENTRIES = 2**18


class Rows(NamedTuple):
    """A table and how to read it.

    Parameters
    ----------
    X : {ndarray, CSR} of shape (n_rows, n_columns)
    dtype : float32 or float64
    bounds : pair of float, or None
        Values outside are clipped as they are read.
    """

    X: object
    dtype: type
    bounds: tuple = None

    @property
    def shape(self):
        return self.X.shape

    def take(self, index):
        """The rows at an index array or a slice."""
        part = self.X[index]
        part = part.toarray() if sp.issparse(part) else part
        part = np.asarray(part, dtype=self.dtype, order="C")
        return part if self.bounds is None else part.clip(*self.bounds)

    def blocks(self, n_rows=None):
        """Slices that cover so many rows, each small enough to be worked on whole."""
        n_rows = self.shape[0] if n_rows is None else n_rows
        return gen_batches(n_rows, max(1, BLOCK_ENTRIES // self.shape[1]))


def floating_type(dtype):
    """The type to compute in: float64 stays, everything else becomes float32."""
    return np.float64 if dtype == np.float64 else np.float32
