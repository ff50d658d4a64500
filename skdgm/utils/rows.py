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
from skdgm.utils.packed import Packed

BLOCK_ENTRIES = 2**19
# Bytes that the lists of a table may take.
_ROOM = 2**27
# Standardised numbers further away count as this far: any square of them is a number.
_FAR = 1e10


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
    packed : Packed, optional
        The whole table as lists; see :meth:`in_memory`.
    affine : pair of ndarray of shape (n_columns,), optional
        What is subtracted from each column, and what it is then divided by; no number
        is further from 0 afterwards than 10^10.
    labels : ndarray of shape (n_rows,) or (n_rows, n_outputs), optional
        What belongs to each row, and makes rows different: codes of classes, -1 where
        unknown; or any numbers, NaN where unknown.
    codec : object, optional
        What the numbers stand for, where they were written for something else.
    unknown : ndarray of bool, of shape (n_rows, n_columns), optional
        Which of the missing values are categories that the model does not know.
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
        """Whether the rows are better given as lists."""
        return self.complete and self.density <= LISTED

    def take(self, index):
        """The rows at an index array or a slice."""
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
        """The rows as :class:`Lists` or dense; by default as it is quicker."""
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
        """The same with all of its lists, for who reads it often, if there is room."""
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
        """Slices that cover so many rows, each small enough to be worked on whole."""
        n_rows = self.shape[0] if n_rows is None else n_rows
        return gen_batches(n_rows, max(1, BLOCK_ENTRIES // self.shape[1]))


def floating_type(dtype):
    """The type to compute in: float64 stays, everything else becomes float32."""
    return np.float64 if dtype == np.float64 else np.float32
