"""Rows as lists of their nonzero entries: what the kernels work on.

A row of 784 pixels of which a hundred are on is a list of a hundred column numbers,
and its product with a matrix the sum of a hundred of the matrix's rows.
"""

import numpy as np

from skdgm._kernels import lists as kernels
from skdgm.utils.parallel import run

# What looking at an entry costs, in multiply-adds.
WORK = 4
# Up to this density, products with lists are quicker than BLAS.
LISTED = 0.6


class Lists:
    """A matrix, each row a list; it looks like an array where one is asked for.

    Parameters
    ----------
    index : ndarray of shape (n_rows, n_columns), uint32
        The columns of a row's entries come first, increasing; the rest is undefined.
    value : ndarray of shape (n_rows, n_columns) or (0, n_columns), floating
        The entries in the same places; without rows, all are ones.
    count : ndarray of shape (n_rows,), int64
        How many entries each row has.
    """

    __slots__ = ("count", "index", "value")

    def __init__(self, index, value, count):
        self.index, self.value, self.count = index, value, count

    @classmethod
    def empty(cls, n_rows, n_columns, dtype, binary=True):
        """Lists to be filled in."""
        return cls(
            np.empty((n_rows, n_columns), np.uint32),
            np.empty((0 if binary else n_rows, n_columns), dtype),
            np.empty(n_rows, np.int64),
        )

    @classmethod
    def pack(cls, X, rows=None, dtype=None, binary=False):
        """The lists of some rows of an array, or of all of them."""
        rows = np.arange(len(X)) if rows is None else rows
        lists = cls.empty(len(rows), X.shape[1], dtype or X.dtype, binary)
        arguments = X, rows, lists.index, lists.value, lists.count
        run(kernels.pack, *arguments, n=len(rows), work=WORK * lists.index.size)
        return lists

    @property
    def shape(self):
        return self.index.shape

    @property
    def dtype(self):
        return self.value.dtype

    @property
    def sparse(self):
        """Whether products are quicker with lists than by BLAS."""
        return self.count.sum() <= LISTED * self.index.size

    @property
    def binary(self):
        """Whether all entries are ones."""
        return not len(self.value)

    def __len__(self):
        return len(self.index)

    def __getitem__(self, rows):
        value = self.value if self.binary else self.value[rows]
        return Lists(self.index[rows], value, self.count[rows])

    def __array__(self, dtype=None, copy=None):
        out = np.empty(self.shape, self.dtype)
        kernels.unpack(self.index, self.value, self.count, out, 0, len(out))
        return out if dtype is None else out.astype(dtype, copy=False)

    def copy(self):
        """Lists of their own."""
        value = self.value if self.binary else self.value.copy()
        index, width = np.empty_like(self.index), self.count.max(initial=0)
        index[:, :width] = self.index[:, :width]
        return Lists(index, value, self.count.copy())

    def mean(self, axis):
        """Means of the columns (axis 0)."""
        assert axis == 0
        total = self.weighted_sum(np.ones(len(self)))
        total /= max(1, len(self))
        return total.astype(self.dtype)

    def weighted_sum(self, weights):
        """The sum of the rows, each with its weight, in float64."""
        total = np.zeros(self.shape[1])
        kernels.add_up(self.index, self.value, self.count, weights, total)
        return total


def dot(x, weights):
    """Every row's product with a vector (or with its row of a matrix), in float64."""
    if not isinstance(x, Lists) or weights.ndim > 1:
        return (np.asarray(x) * weights).sum(axis=-1, dtype=np.float64)
    out = np.empty(len(x))
    kernels.dot(x.index, x.value, x.count, weights, out)
    return out
