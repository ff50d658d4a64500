r"""Products of matrices, tile by tile.

.. math:: Y \leftarrow A B + \mathbf{1} b^\top

A tile of B, a block of its columns, is first copied line by line (:mod:`.lines`), and
then multiplied by a few rows of A at a time. Sums have the same order on any number of
threads.
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

# Number of lines of a tile that fit in the cache; number of rows to prefetch.
_DEEP, _AHEAD = 1024, 24


@kernel
def multiply(a, n, k, turned, B, across, b, out, counts):
    """Write the product of A, (n, k), and B, (k, n_columns), plus b, (n_columns,) or
    empty, to ``out``; threads take tiles by ``counts``. ``a`` has the entries of A, or
    of its transpose if ``turned``. B is given as its transpose if ``across``."""
    width, n_columns = LINE // out.itemsize, out.shape[1]
    lines, buffer = aligned(min(k, _DEEP), width, out), aligned(n, width, out)
    to_row, of_row = np.empty(n, np.int64), np.empty(n, np.int64)
    for r in range(n):
        to_row[r] = r
    n_tiles = -(-n_columns // width)
    number = take(counts, n_tiles)
    while number < n_tiles:
        left = number * width
        n_tile = min(width, n_columns - left)
        is_full = n_tile == width
        target, column = (out, left) if is_full else (buffer, 0)
        begin(target, np.uint64(n), np.uint64(column), np.uint64(n_tile), b, left)
        for low in range(0, k, _DEEP):
            high = min(low + _DEEP, k)
            lay(B, across, low, high, left, n_tile, lines)
            for r in range(n):
                of_row[r] = low * n + r if turned else r * k + low
            along = n if turned else 1
            add_products(
                target, to_row, 0, column, a, of_row, 0, along, lines, 0, n, high - low
            )
        if not is_full:
            for r in range(n):
                for j in range(n_tile):
                    out[r, left + j] = buffer[r, j]
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
    """Copy B, (n_rows, n_columns), or its transpose if ``across``, to tiles."""
    n_rows, width = tiles.shape[1:]
    for number in range(start, stop):
        left = number * width
        n_tile = min(width, n_columns - left)
        lay(B, across, 0, n_rows, left, n_tile, tiles[number])


@kernel
def lay(B, across, low, high, left, n_own, near):
    """Copy lines ``low`` to ``high`` of the tile that begins at column ``left``."""
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
