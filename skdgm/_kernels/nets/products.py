r"""Products of matrices, tile by tile.

.. math:: Y \leftarrow A B + \mathbf{1} b^\top

A tile of B, so many of its columns, is laid out line by line first (:mod:`.lines`),
which some rows of A at a time then go along. Every sum has one order, whatever part of
the tiles a thread makes.
"""

import numpy as np

from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.compiler.shares import made, take
from skdgm._kernels.compiler.vectors import prefetch
from skdgm._kernels.sparse.lines import (
    BLOCK,
    LINE,
    add_products,
    aligned,
    flip,
)

# Lines of a tile that stay near while all rows go along them; so many rows ahead they
# are fetched.
_DEEP, _AHEAD = 1024, 24


@kernel
def multiply(a, n, k, turned, B, across, b, out, counts):
    """The product of A, (n, k), with B, to whose rows b is added; threads take tiles.

    Parameters
    ----------
    a : ndarray of shape (n * k,)
        The entries of A, or of its transpose where it is ``turned``.
    n, k : int
    turned : bool
    B : ndarray
        Of shape (k, n_columns), or its transpose where it is ``across``.
    across : bool
    b : ndarray of shape (n_columns,) or (0,)
    out : ndarray of shape (n, n_columns)
        Overwritten.
    counts : ndarray
        See :mod:`skdgm._kernels.compiler.shares`.
    """
    width, n_columns = LINE // out.itemsize, out.shape[1]
    near, rest = aligned(min(k, _DEEP), width, out), aligned(n, width, out)
    to, of = np.empty(n, np.int64), np.empty(n, np.int64)
    for r in range(n):
        to[r] = r
    n_tiles = -(-n_columns // width)
    number = take(counts, n_tiles)
    while number < n_tiles:
        left = number * width
        n_own = min(width, n_columns - left)
        whole = n_own == width
        into, place = (out, left) if whole else (rest, 0)
        begin(into, np.uint64(n), np.uint64(place), np.uint64(n_own), b, left)
        for low in range(0, k, _DEEP):
            high = min(low + _DEEP, k)
            lay(B, across, low, high, left, n_own, near)
            for r in range(n):
                of[r] = low * n + r if turned else r * k + low
            along = n if turned else 1
            add_products(into, to, 0, place, a, of, 0, along, near, 0, n, high - low)
        if not whole:
            for r in range(n):
                for j in range(n_own):
                    out[r, left + j] = rest[r, j]
        made(counts)
        number = take(counts, n_tiles)


@kernel
def begin(out, n, left, n_own, b, first):
    """Fill a tile of rows with biases, or with zeros."""
    for r in range(n):
        if len(b):
            for j in range(n_own):
                out[r, left + j] = b[np.uint64(first) + j]
        else:
            for j in range(n_own):
                out[r, left + j] = 0


@kernel
def lay_all(B, across, n_columns, tiles, start, stop):
    """Lay out some tiles of B, (n_rows, n_columns), or of the transpose of that."""
    n_rows, width = tiles.shape[1:]
    for number in range(start, stop):
        left = number * width
        n_own = min(width, n_columns - left)
        lay(B, across, 0, n_rows, left, n_own, tiles[number])


@kernel
def lay(B, across, low, high, left, n_own, near):
    """Lay out lines ``low`` to ``high`` of the tile that begins in column ``left``."""
    if not across:
        for i in range(low, high):
            if i + _AHEAD < high:
                prefetch(B, i + _AHEAD, left)
                prefetch(B, i + _AHEAD, left + n_own - 1)
            line, row = np.uint64(i - low), np.uint64(i)
            for j in range(np.uint64(n_own)):
                near[line, j] = B[row, np.uint64(left) + j]
        return
    step = BLOCK // near.itemsize
    for j in range(0, n_own, step):
        i = low
        if j + step <= n_own:
            while i + step <= high:
                flip(B, left + j, i, near, i - low, j)
                i += step
        while i < high:
            for c in range(j, min(j + step, n_own)):
                near[i - low, c] = B[left + c, i]
            i += 1
