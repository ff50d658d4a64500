r"""Rows of a table, read in blocks, and hashes of their content.

The table may be an array, a memory map or a CSR matrix of any real type. It is never
copied, cast or converted to dense as a whole. Blocks of rows are read as dense arrays
of one floating type, with NaN for missing entries. Complete rows of low density are
read as lists of nonzero entries.

The hash of a row is the same for dense and CSR data. With odd random multipliers
:math:`r_c` (multilinear hashing [1]_),

.. math:: h(x) = \sum_c r_c \, g(x_c) \mod 2^{64}, \qquad g(0) = 0,

so that zeros contribute nothing and the order of the entries does not matter.

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
# Maximum size of the lists of a whole table, in bytes.
_MAX_LIST_BYTES = 2**27
# Maximum magnitude of standardized values, so that their squares are finite.
_MAX_MAGNITUDE = 1e10


class Rows(NamedTuple):
    """Table, an array or CSR matrix, and the way to read it in float32 or float64.

    A value is read in three steps. The ``forward`` function of the column's entry in
    ``scales``, if not None, is applied; the value is standardized by ``affine``, mean
    and scale, and clipped to magnitudes of at most 10^10; and the result is clipped to
    ``bounds``.

    ``binary`` is True if all values are 0 or 1, and ``complete`` if none is missing.
    ``density`` is the fraction of nonzero values. ``packed`` is the whole table as
    lists; see :meth:`in_memory`. ``given`` are accompanying values, a
    :class:`~skdgm.utils.given.Given`. ``codec`` encodes the columns of a DataFrame.
    ``unknown``, a mask of all entries, marks missing values that are present in X but
    unknown to the model, such as new categories. ``gaps``, a mask of columns, marks
    columns in which absence is a value: infinity if a value is absent, and minus
    infinity for unknown values. ``values`` is the whole table as it is read; see
    :meth:`converted`.
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
    values: np.ndarray = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.X.shape

    def name_of(self, j: int) -> str | int:
        """Name of a column, or its index."""
        return self.codec.names[j] if self.codec is not None else int(j)

    @property
    def raw(self) -> Self:
        """The same rows, read without conversion."""
        unchanged = dict.fromkeys(("affine", "scales", "bounds", "gaps", "values"))
        return self._replace(**unchanged)

    @property
    def streamed(self) -> bool:
        """True if rows are read in blocks, for which a special order is efficient."""
        return isinstance(self.X, Blocks) and self.packed is None

    @property
    def changed(self) -> bool:
        """True if values are converted when they are read."""
        return not all(map(is_, self, self.raw))

    @property
    def listed(self) -> bool:
        """True if reading the rows as lists is more efficient."""
        return self.complete and self.density <= LISTED

    def accompanying(self, index: np.ndarray | slice) -> np.ndarray | None:
        """Accompanying values of rows at an index array or a slice, or None."""
        return None if self.given is None else self.given.values[index]

    def take(self, index: np.ndarray | slice) -> np.ndarray:
        """Dense rows at an index array or a slice."""
        if self.values is not None:
            return np.array(self.values[index])
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
            part.clip(-_MAX_MAGNITUDE, _MAX_MAGNITUDE, out=part)
        part = np.asarray(part, dtype=self.dtype, order="C")
        if missing is not None:
            absence = np.where(missing, self.dtype(np.inf), self.dtype(-np.inf))
            part = np.where(np.isnan(part) & self.gaps, absence, part)
        if self.bounds is None:
            return part
        low, high = self.bounds
        return part.clip(low, high)

    def _missing(self, part, index):
        """Mask of absent values, without values that are unknown to the model."""
        is_nan = np.isnan(part)
        return is_nan if self.unknown is None else is_nan & ~self.unknown[index]

    def present(self, index: np.ndarray | slice, lists: bool | None = None) -> Values:
        """Read rows at an index array or a slice, as :class:`Lists` or as a dense
        array; by default as :attr:`listed` says."""
        if lists is None:
            lists = self.listed
        if not lists:
            return self.take(index)
        if isinstance(index, slice):
            span = range(self.shape[0])[index]
            index = np.arange(span.start, span.stop, span.step)
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
        """Read rows as concatenated lists, without a copy of a table of lists.

        Returns the start and end of the lists, their column indices and entries, and
        the positions of the requested rows among the lists.
        """
        if self.packed is not None:
            first, columns, values, _ = self.packed
            return first[:-1], first[1:], columns, values, index
        lists, order = self.present(index, lists=True), np.arange(len(index))
        first = order * lists.shape[1]
        entries = lists.index.ravel(), lists.value.ravel()
        return first, first + lists.count, *entries, order

    def in_memory(self) -> Self:
        """Copy that stores the table as lists, if these are preferred and fit."""
        n_entries = round(self.density * np.prod(self.shape, dtype=float))
        size = n_entries * (4 if self.binary else 4 + np.dtype(self.dtype).itemsize)
        if not self.listed or size > _MAX_LIST_BYTES:
            return self
        X, types = self.X, {"dtype": self.dtype, "binary": self.binary}
        if sp.issparse(X) and not self.changed and X.data.all():
            return self._replace(packed=Packed.of_csr(X, **types))
        blocks = (self.present(block, lists=True) for block in self.blocks())
        packed = Packed.of(blocks, n_entries, self.shape[1], **types)
        return self._replace(packed=packed)

    def converted(self) -> Self:
        """Copy that stores the values of a table in memory as they are read, if
        functions of columns convert them and if they fit."""
        size = np.prod(self.shape, dtype=float) * np.dtype(self.dtype).itemsize
        if self.scales is None or isinstance(self.X, Blocks) or size > _MAX_LIST_BYTES:
            return self
        return self._replace(values=self.take(slice(None)))

    def blocks(self, n_rows: int | None = None) -> list[slice]:
        """Slices of limited size that cover ``n_rows`` rows, by default all rows."""
        n_rows = self.shape[0] if n_rows is None else n_rows
        # Conditions may be computed when rows are read.
        width = self.shape[1] + getattr(self.given, "width", 0)
        return slices(n_rows, BLOCK_ENTRIES // width)


class View(NamedTuple):
    """Rows computed from the rows of a table, with the interface of :class:`Rows`.

    ``take(index)`` returns dense rows at an index array or a slice, and
    ``blocks(n_rows)`` returns slices of limited size that cover range(n_rows).
    """

    shape: tuple[int, int]
    dtype: type
    complete: bool
    take: Callable
    blocks: Callable


def slices(n, size):
    """Slices of size ``size``, or 1, that cover range(n). scikit-learn's
    ``gen_batches`` validates its arguments, which takes as long as a small block."""
    size = max(1, size)
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def floating_type(dtype):
    """Floating type for computation: float64 for float64 data, else float32."""
    return np.float64 if dtype == np.float64 else np.float32


def row_hash(rows):
    """Hash of each row, uint64. Rows have equal hashes if their values, clipped to the
    bounds, and accompanying values are equal, for any storage type."""
    row_hashes = getattr(rows.X, "hashes", None) if rows.bounds is None else None
    if row_hashes is None:
        hashes = [hash_block(rows.X[block], rows.bounds) for block in rows.blocks()]
        row_hashes = np.concatenate([np.empty(0, np.uint64), *hashes])
    # Not in place, because X may store the array.
    return row_hashes if rows.given is None else row_hashes + rows.given.hashes


def hash_block(X, bounds=None):
    """Hash of rows in memory, an array or CSR matrix, with values clipped to bounds."""
    multipliers = mix64(np.arange(1, X.shape[1] + 1, dtype=np.uint64)) | np.uint64(1)
    low, high = bounds or (-np.inf, np.inf)
    if sp.issparse(X):
        kernel, array = hash_csr, (_known(X.data), X.indices, X.indptr)
    else:
        kernel, array = hash_rows, _known(np.ascontiguousarray(X))
    hashes, n = np.empty(X.shape[0], np.uint64), X.shape[0]
    run(kernel, array, multipliers, low, high, hashes, n=n, work=2 * X.size)
    return hashes


def _known(values):
    """Convert values to a type for which the kernels are compiled."""
    if values.dtype == bool:
        return values.view(np.uint8)
    if values.dtype in (np.uint8, np.float32, np.float64):
        return values
    return values.astype(np.float64)
