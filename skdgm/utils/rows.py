r"""Rows of a table, read in blocks, and hashes of their content.

The table may be an array, a memory map or a CSR matrix, of any real type. It is never
copied, cast or converted to dense as a whole. Blocks of rows are read as dense arrays
of one floating type, with NaN for missing entries; or, where none is missing and the
density is low enough, as lists of nonzero entries.

The hash of a row is the same for dense and CSR data. With odd random multipliers
:math:`r_c` (multilinear hashing [1]_),

.. math:: h(x) = \sum_c r_c \, g(x_c) \mod 2^{64}, \qquad g(0) = 0,

so zeros contribute nothing and the order of the entries does not matter.

References
----------
.. [1] Lemire and Kaser (2014). Strongly universal string hashing is fast.
   The Computer Journal.
"""

from collections.abc import Callable
from operator import is_
from typing import NamedTuple, Self

import numpy as np
import scipy.sparse as sp

from skdgm._kernels.sparse.hashing import hash_csr, hash_rows
from skdgm.utils.blocks import Blocks
from skdgm.utils.lists import LISTED, Lists, Packed, Values
from skdgm.utils.random import mix64
from skdgm.utils.threading.parallel import run

BLOCK_ENTRIES = 2**19
# Limit, in bytes, of the lists of a whole table.
_ROOM = 2**27
# Standardised values are clipped to this magnitude, so that their squares are finite.
_FAR = 1e10


class Rows(NamedTuple):
    """Table, an array or CSR matrix, and the way to read it in float32 or float64.

    Columns are read by ``scales``, of which some are None, whose ``forward`` is
    applied; then minus the first and divided by the second of ``affine``, mean and
    scale, and clipped to magnitudes of at most 10^10; then clipped to ``bounds``.
    ``binary`` is True if all values are 0 or 1, ``complete`` if none is missing;
    ``density`` is the fraction of nonzero values, ``packed`` the whole table as lists;
    see :meth:`in_memory`. ``given`` is what is given beside, as
    :class:`~skdgm.utils.given.Given`; ``codec`` encodes the columns of a DataFrame;
    ``unknown``, a mask of all entries, marks missing values that are categories, or
    levels of numbers, unknown to the model; ``gaps``, a mask of columns, those in which
    that a value is missing is a value: infinity, and minus infinity for unknown ones.
    """

    X: object
    dtype: type
    bounds: tuple = None
    binary: bool = False
    complete: bool = False
    density: float = 1.0
    packed: Packed = None
    affine: tuple = None
    scales: tuple = None
    given: object = None
    codec: object = None
    unknown: np.ndarray = None
    gaps: np.ndarray = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.X.shape

    def name_of(self, j: int) -> str | int:
        """Name of a column, or its number."""
        return self.codec.names[j] if self.codec is not None else int(j)

    @property
    def raw(self) -> Self:
        """The same rows, read as they are given."""
        return self._replace(affine=None, scales=None, bounds=None, gaps=None)

    @property
    def streamed(self) -> bool:
        """True if the rows are read in blocks, and best in an order of their own."""
        return isinstance(self.X, Blocks) and self.packed is None

    @property
    def changed(self) -> bool:
        """True if values are not read as they are given."""
        return not all(map(is_, self, self.raw))

    @property
    def listed(self) -> bool:
        """True if the rows are better read as lists."""
        return self.complete and self.density <= LISTED

    def beside(self, index: np.ndarray | slice) -> np.ndarray | None:
        """Values given beside rows at an index array or a slice; None without any."""
        return None if self.given is None else self.given.values[index]

    def take(self, index: np.ndarray | slice) -> np.ndarray:
        """Dense rows at an index array or a slice."""
        part = self.X[index]
        part = part.toarray() if sp.issparse(part) else part
        missing = None if self.gaps is None else self._missing(part, index)
        if self.scales is not None:
            part = np.array(part, np.float64)
            for j, scale in enumerate(self.scales):
                if scale is not None:
                    part[:, j] = scale.forward(part[:, j])
        if self.affine is not None:
            with np.errstate(over="ignore"):
                part = np.subtract(part, self.affine[0])
                part /= self.affine[1]
            part.clip(-_FAR, _FAR, out=part)
        part = np.asarray(part, dtype=self.dtype, order="C")
        if missing is not None:
            lost = np.where(missing, self.dtype(np.inf), self.dtype(-np.inf))
            part = np.where(np.isnan(part) & self.gaps, lost, part)
        return part if self.bounds is None else part.clip(*self.bounds)

    def _missing(self, part, index):
        """Mask of entries that have no value, whether the model knows it or not."""
        lost = np.isnan(part)
        return lost if self.unknown is None else lost & ~self.unknown[index]

    def present(self, index: np.ndarray | slice, lists: bool | None = None) -> Values:
        """Read rows, at an index array or a slice, as :class:`Lists` or as a dense
        array; by default as is faster: see :attr:`listed`."""
        if lists is None:
            lists = self.listed
        if not lists:
            return self.take(index)
        if isinstance(index, slice):
            index = np.arange(*index.indices(self.shape[0]))
        if self.packed is not None:
            return self.packed.take(index)
        X = self.X
        if isinstance(X, Blocks) and not self.changed:
            X, index = np.ascontiguousarray(X[index]), None
            if X.dtype not in (bool, np.uint8, np.float32, np.float64):
                X = X.astype(self.dtype)
        if self.changed or sp.issparse(X) or not X.flags.c_contiguous:
            return Lists.pack(self.take(index), binary=self.binary)
        X = np.asarray(X)
        if X.dtype == bool:
            X = X.view(np.uint8)
        elif X.dtype not in (np.uint8, np.float32, np.float64):
            X, index = X[index].astype(self.dtype), None
        return Lists.pack(X, index, self.dtype, self.binary)

    def joined(self, index: np.ndarray) -> tuple:
        """Read rows as lists, one after the other: without a copy if the table is kept
        as such.

        Returns
        -------
        first, end, columns, values : ndarray
            Where each row's entries begin and end, and the entries.
        order : ndarray of int
            Which of these are the rows asked for.
        """
        if self.packed is not None:
            first, columns, values, _ = self.packed
            return first[:-1], first[1:], columns, values, index
        lists, order = self.present(index, lists=True), np.arange(len(index))
        first = order * lists.shape[1]
        parts = lists.index.ravel(), lists.value.ravel()
        return first, first + lists.count, *parts, order

    def in_memory(self) -> Self:
        """Copy that keeps the whole table as lists, if these are preferred and fit."""
        n_entries = round(self.density * np.prod(self.shape, dtype=float))
        size = n_entries * (4 if self.binary else 4 + np.dtype(self.dtype).itemsize)
        if not self.listed or size > _ROOM:
            return self
        X, facts = self.X, (self.dtype, self.binary)
        if sp.issparse(X) and not self.changed and X.data.all():
            return self._replace(packed=Packed.of_csr(X, *facts))
        blocks = (self.present(block, lists=True) for block in self.blocks())
        packed = Packed.of(blocks, n_entries, self.shape[1], *facts)
        return self._replace(packed=packed)

    def blocks(self, n_rows: int | None = None) -> list[slice]:
        """Slices of limited size that cover ``n_rows`` rows, by default all of them."""
        n_rows = self.shape[0] if n_rows is None else n_rows
        # Conditions are made where they are read.
        width = self.shape[1] + getattr(self.given, "width", 0)
        return slices(n_rows, BLOCK_ENTRIES // width)


class View(NamedTuple):
    """Rows that are computed from those of a table, read as :class:`Rows` are.

    ``take(index)`` returns dense rows at an index array or a slice, and
    ``blocks(n_rows)`` slices of limited size that cover range(n_rows).
    """

    shape: tuple[int, int]
    dtype: type
    complete: bool
    take: Callable
    blocks: Callable


def slices(n, size):
    """Slices of a size of at least 1 that cover range(n); scikit-learn's
    ``gen_batches`` validates its arguments for as long as a small block takes."""
    size = max(1, size)
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def floating_type(dtype):
    """Type to compute in: float64 for float64 data, float32 for all other types."""
    return np.float64 if dtype == np.float64 else np.float32


def row_hash(rows):
    """Hash of every row, uint64: equal for equal rows that are given the same, whatever
    type their values are stored in, clipped to their bounds."""
    out = getattr(rows.X, "hashes", None) if rows.bounds is None else None
    if out is None:
        parts = [hash_block(rows.X[block], rows.bounds) for block in rows.blocks()]
        out = np.concatenate([np.empty(0, np.uint64), *parts])
    # Not in place: they may be those that X keeps.
    return out if rows.given is None else out + rows.given.hashes


def hash_block(X, bounds=None):
    """Hash of rows that are in memory, an array or CSR, with values clipped to
    bounds."""
    multipliers = mix64(np.arange(1, X.shape[1] + 1, dtype=np.uint64)) | np.uint64(1)
    low, high = bounds or (-np.inf, np.inf)
    if sp.issparse(X):
        kernel, arrays = hash_csr, (_known(X.data), X.indices, X.indptr)
    else:
        kernel, arrays = hash_rows, (_known(np.ascontiguousarray(X)),)
    part, n = np.empty(X.shape[0], np.uint64), X.shape[0]
    run(kernel, *arrays, multipliers, low, high, part, n=n, work=2 * arrays[0].size)
    return part


def _known(values):
    """Convert values to a type that the kernels are compiled for."""
    if values.dtype == bool:
        return values.view(np.uint8)
    if values.dtype in (np.uint8, np.float32, np.float64):
        return values
    return values.astype(np.float64)
