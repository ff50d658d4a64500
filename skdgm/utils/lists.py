"""Rows as lists of their nonzero entries, the input format of kernels.

The list of a row of 784 pixels of which 100 are on has 100 column indices, and its
product with a matrix is the sum of 100 rows of the matrix. :class:`Packed` has the
lists of a whole table in contiguous memory.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.sparse import lists as kernels
from skdgm.utils.threading.parallel import run

# Cost of reading an entry, in multiply-adds.
WORK = 4
# Maximum density at which products with lists are faster than BLAS.
LISTED = 0.6


class Lists:
    """Matrix whose rows are lists of nonzero entries; NumPy can make it dense.

    The first ``count`` entries of a row of ``index``, (n_rows, n_columns) in uint32,
    are the increasing column indices of nonzero entries; the rest is undefined.
    ``value`` has the entries in the same places, or no rows if all entries are ones.
    """

    __slots__ = ("count", "index", "value")

    def __init__(self, index, value, count):
        self.index, self.value, self.count = index, value, count

    @classmethod
    def empty(cls, n_rows, n_columns, dtype, binary=True):
        """Allocate uninitialized lists; ``binary`` lists store no values."""
        return cls(
            np.empty((n_rows, n_columns), np.uint32),
            np.empty((0 if binary else n_rows, n_columns), dtype),
            np.empty(n_rows, np.int64),
        )

    @classmethod
    def pack(cls, X, rows=None, dtype=None, binary=False):
        """Convert rows of a dense array, by default all rows, to lists of ``dtype``. X
        must be C-contiguous, of a type for which kernels are compiled. ``binary``
        promises that all entries are 0 or 1."""
        rows = np.arange(len(X)) if rows is None else rows
        lists = cls.empty(len(rows), X.shape[1], dtype or X.dtype, binary)
        index, value, count = lists.index, lists.value, lists.count
        n, work = len(rows), WORK * lists.index.size
        run(kernels.pack, X, rows, index, value, count, n=n, work=work)
        return lists

    def transposed(self):
        """Transposed matrix as lists, (n_columns, n_rows)."""
        n_rows, n_columns = self.shape
        lists = Lists.empty(n_columns, n_rows, self.dtype, self.binary)
        rows, values, n_each = lists.index, lists.value, lists.count
        kernels.transpose(self.index, self.value, self.count, rows, values, n_each)
        return lists

    @property
    def shape(self):
        return self.index.shape

    @property
    def dtype(self):
        return self.value.dtype

    @property
    def sparse(self):
        """True if products are faster with lists than with BLAS."""
        return self.count.sum() <= LISTED * self.index.size

    @property
    def binary(self):
        """True if all nonzero entries are ones."""
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
        """Copy with separate arrays."""
        value = self.value if self.binary else self.value.copy()
        index, width = np.empty_like(self.index), self.count.max(initial=0)
        index[:, :width] = self.index[:, :width]
        return Lists(index, value, self.count.copy())

    def copy_to(self, other):
        """Copy to lists of the same shape and kind; return False if these differ."""
        if self.shape != other.shape or self.value.shape != other.value.shape:
            return False
        width = self.count.max(initial=0)
        other.index[:, :width] = self.index[:, :width]
        other.value[...], other.count[...] = self.value, self.count
        return True

    def mean(self, axis):
        """Mean of each column (``axis`` must be 0), in the dtype of the lists."""
        assert axis == 0
        total = self.weighted_sum(np.ones(len(self)))
        total /= max(1, len(self))
        return total.astype(self.dtype)

    def weighted_sum(self, weights):
        """Sum of rows multiplied by ``weights``, (n_rows,), in float64."""
        total = np.zeros(self.shape[1])
        kernels.add_up(self.index, self.value, self.count, weights, total)
        return total


def dot(x, weights):
    """Inner product of each row with a vector, or with the corresponding row of a
    matrix of shape (n_rows, n_columns), in float64."""
    if not isinstance(x, Lists) or weights.ndim > 1:
        return (np.asarray(x) * weights).sum(axis=-1, dtype=np.float64)
    out = np.empty(len(x))
    kernels.dot(x.index, x.value, x.count, weights, out)
    return out


# Values of units, with a row for each state.
Values = np.ndarray | Lists


class Packed(NamedTuple):
    """Lists of all rows of a table in contiguous memory.

    ``index`` are the column indices of nonzero entries, and ``value`` the entries,
    empty if all are ones. ``first``, (n_rows + 1,), are the start of each row and the
    end of the last.
    """

    first: np.ndarray
    index: np.ndarray
    value: np.ndarray
    n_columns: int

    @classmethod
    def of_csr(cls, X, dtype, binary):
        """Convert a CSR matrix without explicit zeros; if ``binary``, all entries are
        ones. Column indices are not copied if they are int32."""
        index = X.indices.astype(np.int32, copy=False).view(np.uint32)
        value = np.empty(0, dtype) if binary else X.data.astype(dtype, copy=False)
        return cls(X.indptr.astype(np.int64), index, value, X.shape[1])

    @classmethod
    def of(cls, blocks, n_entries, n_columns, dtype, binary):
        """Concatenate blocks of lists into memory for ``n_entries``; ValueError if
        there are more entries. ``binary`` promises that all entries are ones."""
        index, first = np.empty(n_entries, np.uint32), [np.zeros(1, np.int64)]
        value = np.empty(0 if binary else n_entries, dtype)
        for lists in blocks:
            edges = first[-1][-1] + np.concatenate([[0], np.cumsum(lists.count)])
            if edges[-1] > n_entries:
                raise ValueError("X has changed while it was read.")
            rows = kernels.RowLists(lists.index, lists.value, lists.count)
            work = WORK * lists.count.sum()
            run(kernels.join, rows, edges, index, value, n=len(lists), work=work)
            first.append(edges[1:])
        return cls(np.concatenate(first), index, value, n_columns)

    def take(self, rows):
        """Lists of selected rows."""
        binary, n_rows = not len(self.value), len(rows)
        lists = Lists.empty(n_rows, self.n_columns, self.value.dtype, binary)
        out = kernels.RowLists(lists.index, lists.value, lists.count)
        work = WORK * len(self.index) * (n_rows / (len(self.first) - 1))
        source = kernels.JoinedLists(self.first, self.first[1:], self.index, self.value)
        run(kernels.pick, source, rows, out, n=n_rows, work=work)
        return lists

    def weighted_sum(self, rows, weights):
        """Weighted sum of selected rows, (n_columns,), in float64."""
        total = np.zeros(self.n_columns)
        first, index, value, _ = self
        kernels.add_up_joined(first, index, value, rows, weights, total)
        return total
