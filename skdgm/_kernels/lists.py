"""Rows as lists of their nonzero entries, and products with such rows.

Row r has its entries ``value[r, :count[r]]`` in the columns ``index[r, :count[r]]``,
which increase. Where ``value`` has no rows, all entries are 1.
"""

import numpy as np

from skdgm._kernels.jit import kernel
from skdgm._kernels.lines import add_lines

# So many rows' lists stay in the caches while one tile after the other is used.
_NEAR = 256


@kernel
def pack(X, rows, index, value, count, start, stop):
    """List the nonzero entries of some of an array's rows."""
    for r in range(start, stop):
        x, n_listed = X[rows[r]], 0
        for j in range(X.shape[1]):
            index[r, n_listed] = j
            if len(value):
                value[r, n_listed] = x[j]
            n_listed += x[j] != 0
        count[r] = n_listed


@kernel
def entry(value, r, k):
    """A row's k-th entry."""
    return value[r, k] if len(value) else value.dtype.type(1)


@kernel
def unpack(index, value, count, out, start, stop):
    """The dense rows of lists."""
    for r in range(start, stop):
        for j in range(out.shape[1]):
            out[r, j] = 0
        for k in range(count[r]):
            out[r, index[r, k]] = entry(value, r, k)


@kernel
def collect(index, value, count, tiles, first, last, out, start, stop):
    """Add the products of rows with some of a matrix's tiles."""
    width, step = tiles.shape[2], index.shape[1]
    units, values = index.ravel(), value.ravel()
    line = np.zeros((1, width), out.dtype)
    for low in range(start, stop, _NEAR):
        high = min(low + _NEAR, stop)
        for number in range(first, last):
            tile, left = tiles[number], number * width
            n = min(width, out.shape[1] - left)
            for r in range(low, high):
                if n == width:
                    add_lines(out, r, left, tile, units, values, r * step, count[r])
                else:
                    for j in range(n):
                        line[0, j] = out[r, left + j]
                    add_lines(line, 0, 0, tile, units, values, r * step, count[r])
                    for j in range(n):
                        out[r, left + j] = line[0, j]


@kernel
def send(index, value, count, tiles, out, start, stop):
    """The product of lists with a matrix in tiles."""
    for r in range(start, stop):
        for j in range(out.shape[1]):
            out[r, j] = 0
    collect(index, value, count, tiles, 0, len(tiles), out, start, stop)


@kernel
def by_column(index, value, count, index_2, value_2, count_2, n_columns):
    """What two sets of lists have in each column, the second's rows being counted on.

    Returns
    -------
    first : ndarray of shape (n_columns + 1,)
        Column j has the entries from ``first[j]`` to ``first[j + 1]``.
    rows : ndarray of uint32
    values : ndarray
        Empty where all are 1.
    """
    n_rows, first = len(index), np.zeros(n_columns + 2, np.int64)
    for r in range(n_rows):
        for k in range(count[r]):
            first[index[r, k] + 2] += 1
    for r in range(len(index_2)):
        for k in range(count_2[r]):
            first[index_2[r, k] + 2] += 1
    for j in range(n_columns):
        first[j + 2] += first[j + 1]
    grey = len(value) + len(value_2) > 0
    rows = np.empty(first[n_columns + 1], np.uint32)
    values = np.empty(len(rows) if grey else 0, value.dtype)
    for r in range(n_rows):
        for k in range(count[r]):
            place = first[index[r, k] + 1]
            rows[place] = r
            if grey:
                values[place] = entry(value, r, k)
            first[index[r, k] + 1] = place + 1
    for r in range(len(index_2)):
        for k in range(count_2[r]):
            place = first[index_2[r, k] + 1]
            rows[place] = n_rows + r
            if grey:
                values[place] = entry(value_2, r, k)
            first[index_2[r, k] + 1] = place + 1
    return first, rows, values


@kernel
def add_up(index, value, count, share, total):
    """Add the rows, each times its share, to ``total``."""
    for r in range(len(index)):
        for k in range(count[r]):
            total[index[r, k]] += share[r] * entry(value, r, k)


@kernel
def dot(index, value, count, weights, out):
    """Every row's product with a vector, in float64."""
    for r in range(len(index)):
        total = 0.0
        for k in range(count[r]):
            total += np.float64(entry(value, r, k) * weights[index[r, k]])
        out[r] = total
