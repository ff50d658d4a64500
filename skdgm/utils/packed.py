"""A whole table as lists."""

from typing import NamedTuple

import numpy as np

from skdgm._kernels import packed as kernels
from skdgm.utils.lists import WORK, Lists
from skdgm.utils.parallel import run


class Packed(NamedTuple):
    """A table's lists, one after the other.

    Parameters
    ----------
    first : ndarray of shape (n_rows + 1,), int64
        Where in the others each row begins.
    index : ndarray of uint32
    value : ndarray
        Empty where all entries are ones.
    n_columns : int
    """

    first: np.ndarray
    index: np.ndarray
    value: np.ndarray
    n_columns: int

    @classmethod
    def of_csr(cls, X, dtype, binary):
        """From a CSR matrix without zeros among its entries; its columns' numbers are
        not copied."""
        index = X.indices.astype(np.int32, copy=False).view(np.uint32)
        value = np.empty(0, dtype) if binary else X.data.astype(dtype, copy=False)
        return cls(X.indptr.astype(np.int64), index, value, X.shape[1])

    @classmethod
    def of(cls, blocks, n_entries, n_columns, dtype, binary):
        """From lists of no more than so many entries."""
        index, first = np.empty(n_entries, np.uint32), [np.zeros(1, np.int64)]
        value = np.empty(0 if binary else n_entries, dtype)
        for lists in blocks:
            edges = first[-1][-1] + np.concatenate([[0], np.cumsum(lists.count)])
            if edges[-1] > n_entries:
                raise ValueError("X has changed while it was read.")
            arguments = lists.index, lists.value, lists.count, edges, index, value
            run(kernels.join, *arguments, n=len(lists), work=WORK * lists.count.sum())
            first.append(edges[1:])
        return cls(np.concatenate(first), index, value, n_columns)

    def take(self, rows):
        """The lists of some rows."""
        binary, n_rows = not len(self.value), len(rows)
        lists = Lists.empty(n_rows, self.n_columns, self.value.dtype, binary)
        arguments = rows, lists.index, lists.value, lists.count
        work = WORK * len(self.index) * (n_rows / (len(self.first) - 1))
        run(kernels.pick, *self[:3], *arguments, n=n_rows, work=work)
        return lists

    def weighted_sum(self, rows, weights):
        """The sum of some rows, each with its weight, in float64."""
        total = np.zeros(self.n_columns)
        kernels.add_up(*self[:3], rows, weights, total)
        return total
