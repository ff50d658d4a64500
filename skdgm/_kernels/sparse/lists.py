"""Rows as lists of their nonzero entries, and products with such rows.

Row r has its entries ``value[r, :count[r]]`` in the columns ``index[r, :count[r]]``,
which increase. Where ``value`` has no rows, all entries are 1.
"""

import numpy as np

from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.sparse.lines import add_lines, zeros

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
def collect(index, value, count, tiles, left, right, out, start, stop):
    """Add what products of rows with a matrix are from column left, where a tile
    begins, to column right."""
    width, step = tiles.shape[2], index.shape[1]
    first, last = left // width, -(-right // width)
    units, values = index.ravel(), value.ravel()
    line = zeros(width, out).reshape(1, width)
    for low in range(start, stop, _NEAR):
        high = min(low + _NEAR, stop)
        for number in range(first, last):
            tile, place = tiles[number], number * width
            n = min(width, out.shape[1] - place)
            for r in range(low, high):
                if n == width:
                    add_lines(out, r, place, tile, units, values, r * step, count[r])
                else:
                    for j in range(n):
                        line[0, j] = out[r, place + j]
                    add_lines(line, 0, 0, tile, units, values, r * step, count[r])
                    for j in range(n):
                        out[r, place + j] = line[0, j]


@kernel
def send(index, value, count, tiles, out, start, stop):
    """The product of lists with a matrix in tiles."""
    for r in range(start, stop):
        for j in range(out.shape[1]):
            out[r, j] = 0
    collect(index, value, count, tiles, 0, out.shape[1], out, start, stop)


@kernel
def transpose(index, value, count, rows, values, n_rows):
    """The lists of columns; each has its rows in order."""
    for j in range(len(n_rows)):
        n_rows[j] = 0
    for r in range(len(index)):
        for k in range(count[r]):
            j = index[r, k]
            rows[j, n_rows[j]] = r
            if len(value):
                values[j, n_rows[j]] = value[r, k]
            n_rows[j] += 1


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
    first = np.empty(n_columns + 2, np.int64)
    first[:] = 0
    tally(index, count, first)
    tally(index_2, count_2, first)
    for j in range(n_columns):
        first[j + 2] += first[j + 1]
    n_entries = first[n_columns + 1]
    rows = np.empty(n_entries, np.uint32)
    grey = len(value) + len(value_2) > 0
    values = np.empty(n_entries if grey else 0, value.dtype)
    turn(index, value, count, 0, first, rows, values)
    turn(index_2, value_2, count_2, len(index), first, rows, values)
    return first, rows, values


@kernel
def tally(index, count, first):
    """Count each column's entries, two places on."""
    for r in range(len(index)):
        for k in range(count[r]):
            first[index[r, k] + 2] += 1


@kernel
def turn(index, value, count, n_before, first, rows, values):
    """Put entries where ``first`` has their columns', one place on; which moves on."""
    for r in range(len(index)):
        for k in range(count[r]):
            place = first[index[r, k] + 1]
            rows[place] = n_before + r
            if len(values):
                values[place] = entry(value, r, k)
            first[index[r, k] + 1] = place + 1


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


@kernel
def join(index, value, count, first, units, values, start, stop):
    """Put lists one after the other, row r's from ``first[r]`` on."""
    for r in range(start, stop):
        transfer(index[r], 0, units, first[r], count[r])
        if len(value):
            transfer(value[r], 0, values, first[r], count[r])


@kernel
def pick(first, units, values, rows, index, value, count, start, stop):
    """Some of the lists that :func:`join` joined."""
    for r in range(start, stop):
        place = first[rows[r]]
        count[r] = first[rows[r] + 1] - place
        transfer(units, place, index[r], 0, count[r])
        if len(value):
            transfer(values, place, value[r], 0, count[r])


@kernel
def transfer(source, place, target, to, n):
    """Copy n entries."""
    part, out = source[place : place + n], target[to : to + n]
    for k in range(len(out)):
        out[k] = part[k]


@kernel
def add_up_joined(first, units, values, rows, share, total):
    """Add some of the lists, each times its share, to ``total``."""
    for i in range(len(rows)):
        for k in range(first[rows[i]], first[rows[i] + 1]):
            total[units[k]] += share[i] * (values[k] if len(values) else 1)
