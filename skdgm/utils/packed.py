"""Whole table as lists."""

from typing import NamedTuple

import numpy as np

from skdgm._kernels import packed as kernels
from skdgm.utils.lists import WORK, Lists
from skdgm.utils.parallel import run


class Packed(NamedTuple):
    """Lists of all rows of a table, stored contiguously.

    Parameters
    ----------
    first : ndarray of shape (n_rows + 1,), int64
        Start of each row in ``index`` and ``value``, and the end of the last.
    index : ndarray of uint32
        Columns of the nonzero entries.
    value : ndarray
        Nonzero entries; empty if all are ones.
    n_columns : int
    """

    first: np.ndarray
    index: np.ndarray
    value: np.ndarray
    n_columns: int

    @classmethod
    def of_csr(cls, X, dtype, binary):
        """Convert a CSR matrix that stores no zeros.

        Its column indices are not copied if they are int32.

        Parameters
        ----------
        X : CSR of shape (n_rows, n_columns)
        dtype : dtype
            Type of the entries.
        binary : bool
            Promise that all entries are ones.

        Returns
        -------
        packed : Packed
        """
        index = X.indices.astype(np.int32, copy=False).view(np.uint32)
        value = np.empty(0, dtype) if binary else X.data.astype(dtype, copy=False)
        return cls(X.indptr.astype(np.int64), index, value, X.shape[1])

    @classmethod
    def of(cls, blocks, n_entries, n_columns, dtype, binary):
        """Join blocks of lists.

        Parameters
        ----------
        blocks : iterable of Lists
        n_entries : int
            Upper limit of the number of entries, for which memory is allocated.
        n_columns : int
        dtype : dtype
            Type of the entries.
        binary : bool
            Promise that all entries are ones.

        Returns
        -------
        packed : Packed

        Raises
        ------
        ValueError
            There are more entries than ``n_entries``.
        """
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
        """Lists of some rows.

        Parameters
        ----------
        rows : ndarray of int

        Returns
        -------
        lists : Lists
        """
        binary, n_rows = not len(self.value), len(rows)
        lists = Lists.empty(n_rows, self.n_columns, self.value.dtype, binary)
        arguments = rows, lists.index, lists.value, lists.count
        work = WORK * len(self.index) * (n_rows / (len(self.first) - 1))
        run(kernels.pick, *self[:3], *arguments, n=n_rows, work=work)
        return lists

    def weighted_sum(self, rows, weights):
        """Weighted sum of some rows.

        Parameters
        ----------
        rows : ndarray of int
        weights : ndarray of float64, of the same length

        Returns
        -------
        total : ndarray of shape (n_columns,), float64
        """
        total = np.zeros(self.n_columns)
        kernels.add_up(*self[:3], rows, weights, total)
        return total
