"""Matrix products on all cores, and matrices in tiles.

Large products are computed tile by tile, by a kernel as fast as BLAS on one core. The
order of summation is fixed, so that threads can share tiles in any way. BLAS rounds
differently for different block sizes, which therefore depend only on the shapes of
matrices. Results are the same for any number of threads.

Tiles are strips of a matrix's columns, each stored contiguously. Data that a kernel
reads stay in cache, and threads that write different tiles share no cache lines. See
:mod:`skdgm._kernels.sparse.lines`.
"""

from itertools import pairwise

import numpy as np

from skdgm._kernels.nets.products import lay_all, multiply
from skdgm._kernels.sparse.lines import LINE, ROWS
from skdgm._kernels.sparse.lists import send
from skdgm.utils.lists import Lists
from skdgm.utils.threading.parallel import measured, run, share
from skdgm.utils.threading.pool import Task, together
from skdgm.utils.tree import empty

# Multiply-adds below which waking a thread costs more than it saves.
_WORTHWHILE = 5_000_000
# Whether a tile of many rows fits into registers; maximum bytes of a first matrix that
# stays in cache for all tiles.
_FAST, _NEAR = ROWS >= 8, 2**21
# Rows per block of a product: few enough to share, and enough for BLAS efficiency.
_BLAS_ROWS = 128
# Approximate number of columns per block if there are too few rows to share.
_BLAS_COLUMNS = 256


def matmul(A, B, b=None):
    """Matrix product ``A @ B`` on all threads, plus b if given.

    A has shape (n, k), B is one or several matrices (..., k, m), and b has shape (m,)
    or (1,).
    """
    out = np.empty((*B.shape[:-2], len(A), B.shape[-1]), np.result_type(A, B))
    work = out.size * A.shape[-1]
    if work >= _WORTHWHILE and _FAST and A.nbytes <= _NEAR and _plain(A, B):
        flip_A, flip_B = (not part.flags.c_contiguous for part in (A, B))
        entries, right = ((A.T if flip_A else A).ravel(), B.T if flip_B else B)
        # The kernel reads an entry of b for each column.
        b = np.empty(0, out.dtype) if b is None else np.resize(b, out.shape[1])
        (rows, columns), n = A.shape, n_tiles(out.shape[1], out.dtype)
        arguments = entries, rows, columns, flip_A, right, flip_B, b, out
        share(multiply, *arguments, n=n, work=work)
        return out
    rows, columns = [0, len(A)], [0, B.shape[-1]]
    if work < _WORTHWHILE:
        _product(A, B, out, rows, columns)
    else:
        # Divide the columns if there are few rows.
        if len(A) <= _BLAS_ROWS:
            columns = _edges(B.shape[-1], _BLAS_COLUMNS)
        else:
            rows = _edges(len(A), _BLAS_ROWS)
        tasks = [
            Task(_product, A, B, out, block, strip)
            for block in pairwise(rows)
            for strip in pairwise(columns)
        ]
        with measured(matmul, work) as n:
            together(tasks, n)
    if b is not None:
        out += b
    return out


def _plain(*matrices):
    """Return whether all are contiguous matrices of one type that kernels support."""
    return all(
        part.ndim == 2
        and (part.flags.c_contiguous or part.flags.f_contiguous)
        and part.dtype == matrices[0].dtype
        and part.dtype in (np.float32, np.float64)
        for part in matrices
    )


def _edges(n, size):
    """Edges of an even number of nearly equal blocks of about the given size."""
    n_blocks = max(2, 2 * round(n / (2 * size)))
    return [n * i // n_blocks for i in range(n_blocks + 1)]


def _product(A, B, out, rows, columns):
    (top, bottom), (left, right) = rows, columns
    with np.errstate(all="ignore"):  # Other threads do not inherit it.
        np.matmul(A[top:bottom], B[..., left:right], out[..., top:bottom, left:right])


def width(dtype):
    """Number of columns of a tile of a dtype."""
    return LINE // np.dtype(dtype).itemsize


def n_tiles(n_columns, dtype):
    """Number of tiles of a matrix of ``n_columns`` columns."""
    return -(-n_columns // width(dtype))


def tiles(matrix):
    """Divide a matrix into tiles, (n_tiles, n_rows, width), padded with zeros."""
    n_rows, n_columns = matrix.shape
    n = n_tiles(n_columns, matrix.dtype)
    out = empty((n, n_rows, width(matrix.dtype)), matrix.dtype)
    out[-1:] = 0
    is_transposed = not matrix.flags.c_contiguous
    contiguous = np.ascontiguousarray(matrix.T if is_transposed else matrix)
    run(lay_all, contiguous, is_transposed, n_columns, out, n=n, work=matrix.size)
    return out


def joined(tiles, n_columns):
    """Matrix of ``n_columns`` columns from its tiles; the inverse of :func:`tiles`."""
    rows = np.moveaxis(tiles, 0, 1)
    return np.ascontiguousarray(rows.reshape(len(rows), -1)[:, :n_columns])


def product(x, tiles, n_columns):
    """Product of rows, an array or Lists of shape (n_samples, n_rows), with a matrix of
    ``n_columns`` columns in tiles."""
    if not isinstance(x, Lists) or not x.sparse:
        return joined(matmul(np.asarray(x), tiles), n_columns)
    out = np.empty((len(x), n_columns), tiles.dtype)
    work = x.count.sum() * n_columns
    run(send, x.index, x.value, x.count, tiles, out, n=len(x), work=work)
    return out
