"""Rows as lists of their nonzero entries, and products with such rows.

Row r has the entries ``value[r, :count[r]]`` in the columns ``index[r, :count[r]]``,
which increase. If ``value`` has no rows, all entries are 1.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.compiler.vectors import prefetch
from skdgm._kernels.sparse.lines import add_lines, zeros

# Number of rows whose lists stay in the caches for all tiles; number of rows to
# prefetch; number of units up to which they are not; entries of a cache line.
_NEAR, _AHEAD, _SHORT, _LINE = 256, 3, 256, 16


class RowLists(NamedTuple):
    """Rows as lists. ``count`` may instead be the bounds of the entries of each thread,
    (n_threads + 1, n_rows); see :func:`mark`."""

    index: np.ndarray
    value: np.ndarray
    count: np.ndarray


class JoinedLists(NamedTuple):
    """Concatenated lists. Row r has the columns ``units`` and the ``values``, empty if
    all are 1, from ``first[r]`` to ``end[r]``."""

    first: np.ndarray
    end: np.ndarray
    units: np.ndarray
    values: np.ndarray


class ColumnEntries(NamedTuple):
    """Entries of rows by column: column j has ``rows`` (uint32) and ``values``, empty
    if all are 1, from ``first[j]`` to ``end[j]``."""

    first: np.ndarray
    end: np.ndarray
    rows: np.ndarray
    values: np.ndarray


@kernel
def pack(X, rows, index, value, count, start, stop):
    """Write lists of the nonzero entries of rows of an array."""
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
    """The k-th entry of row r."""
    return value[r, k] if len(value) else value.dtype.type(1)


@kernel
def unpack(index, value, count, out, start, stop):
    """Write the dense rows of lists to ``out``."""
    for r in range(start, stop):
        for j in range(out.shape[1]):
            out[r, j] = 0
        for k in range(count[r]):
            out[r, index[r, k]] = entry(value, r, k)


@kernel
def collect(lists, tiles, left, right, out, start, stop):
    """Add the product of lists and a matrix in tiles to ``out``, for columns ``left``,
    where a tile begins, to ``right``."""
    index, value, count = lists
    width, step = tiles.shape[2], index.shape[1]
    first, last = left // width, -(-right // width)
    units, values = index.ravel(), value.ravel()
    line = zeros(width, out).reshape(1, width)
    for low in range(start, stop, _NEAR):
        high = min(low + _NEAR, stop)
        for number in range(first, last):
            tile, column = tiles[number], number * width
            n = min(width, out.shape[1] - column)
            for r in range(low, high):
                if number == first and step > _SHORT and r + _AHEAD < high:
                    draw_near(index, value, r + _AHEAD, 0, count[r + _AHEAD])
                if n == width:
                    add_lines(out, r, column, tile, units, values, r * step, count[r])
                else:
                    for j in range(n):
                        line[0, j] = out[r, column + j]
                    add_lines(line, 0, 0, tile, units, values, r * step, count[r])
                    for j in range(n):
                        out[r, column + j] = line[0, j]


@inner()
def draw_near(index, value, r, start, stop):
    """Prefetch entries of a row's list."""
    for k in range(start, stop, _LINE):
        prefetch(index, r, k)
        if len(value):
            prefetch(value, r, k)


@kernel
def send(index, value, count, tiles, out, start, stop):
    """Write the product of lists and a matrix in tiles to ``out``."""
    for r in range(start, stop):
        for j in range(out.shape[1]):
            out[r, j] = 0
    lists = RowLists(index, value, count)
    collect(lists, tiles, 0, out.shape[1], out, start, stop)


@kernel
def transpose(index, value, count, rows, values, n_rows):
    """Write the lists of columns; their rows are in order."""
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
def by_column(lists, lists_2, n_columns):
    """:class:`ColumnEntries` of two sets of lists; rows of the second set are numbered
    after the first."""
    first, end = np.empty(n_columns, np.int64), np.empty(n_columns, np.int64)
    n_entries = 0
    for counts in (lists.count, lists_2.count):
        for r in range(len(counts)):
            n_entries += counts[r]
    rows = np.empty(n_entries, np.uint32)
    grey = len(lists.value) + len(lists_2.value) > 0
    values = np.empty(n_entries if grey else 0, lists.value.dtype)
    entries = ColumnEntries(first, end, rows, values)
    bounded = RowLists(lists.index, lists.value, whole(lists.count))
    bounded_2 = RowLists(lists_2.index, lists_2.value, whole(lists_2.count))
    sort(bounded, bounded_2, 0, 0, n_columns, entries)
    return entries


@kernel
def whole(count):
    """Bounds of :func:`mark` for a single thread."""
    bounds = np.empty((2, len(count)), np.int64)
    for r in range(len(count)):
        bounds[0, r], bounds[1, r] = 0, count[r]
    return bounds


@kernel
def mark(index, count, n_columns, bounds, size, start, stop):
    """Divide the entries of rows among ``size`` threads by column: those of thread
    ``rank`` are from ``bounds[rank, r]`` to ``bounds[rank + 1, r]``."""
    for r in range(start, stop):
        k, bounds[0, r], bounds[size, r] = 0, 0, count[r]
        for rank in range(1, size):
            edge = n_columns * rank // size
            while k < count[r] and index[r, k] < edge:
                k += 1
            bounds[rank, r] = k


@kernel
def sort(lists, lists_2, rank, left, right, out):
    """Sort entries by column as :func:`by_column` does, for a thread's columns ``left``
    to ``right``. Counts of lists are bounds."""
    first, end = out.first, out.end
    part_near(lists, rank)
    part_near(lists_2, rank)
    for j in range(left, right):
        end[j] = 0
    count_part(lists, rank, end)
    count_part(lists_2, rank, end)
    position = left * (len(lists.index) + len(lists_2.index))
    for j in range(left, right):
        first[j] = position
        position += end[j]
        end[j] = first[j]
    sort_part(lists, rank, 0, out)
    sort_part(lists_2, rank, len(lists.index), out)


@inner()
def part_near(lists, rank):
    """Prefetch a thread's entries, which other threads have written."""
    index, value, bounds = lists
    if len(bounds) > 2:
        for r in range(len(index)):
            draw_near(index, value, r, bounds[rank, r], bounds[rank + 1, r])


@kernel
def count_part(lists, rank, n):
    """Count the entries in each of a thread's columns."""
    index, bounds = lists.index, lists.count
    for r in range(len(index)):
        for k in range(bounds[rank, r], bounds[rank + 1, r]):
            n[index[r, k]] += 1


@kernel
def sort_part(lists, rank, n_before, out):
    """Append a thread's entries to the ends of their columns."""
    (index, value, bounds), (_, end, rows, values) = lists, out
    for r in range(len(index)):
        for k in range(bounds[rank, r], bounds[rank + 1, r]):
            j = index[r, k]
            rows[end[j]] = n_before + r
            if len(values):
                values[end[j]] = entry(value, r, k)
            end[j] += 1


@kernel
def add_up(index, value, count, share, total):
    """Add the rows, each times its share, to ``total``."""
    for r in range(len(index)):
        for k in range(count[r]):
            total[index[r, k]] += share[r] * entry(value, r, k)


@kernel
def dot(index, value, count, weights, out):
    """Write the product of each row and a vector to ``out``, in float64."""
    for r in range(len(index)):
        total = 0.0
        for k in range(count[r]):
            total += np.float64(entry(value, r, k) * weights[index[r, k]])
        out[r] = total


@kernel
def join(lists, first, units, values, start, stop):
    """Concatenate lists; that of row r begins at ``first[r]``."""
    index, value, count = lists
    for r in range(start, stop):
        transfer(index[r], 0, units, first[r], count[r])
        if len(value):
            transfer(value[r], 0, values, first[r], count[r])


@kernel
def pick(source, rows, lists, start, stop):
    """Copy lists of ``rows`` from concatenated lists."""
    (first, end, units, values), (index, value, count) = source, lists
    for r in range(start, stop):
        position = first[rows[r]]
        count[r] = end[rows[r]] - position
        transfer(units, position, index[r], 0, count[r])
        if len(value):
            transfer(values, position, value[r], 0, count[r])


@kernel
def transfer(source, place, target, to, n):
    """Copy n entries."""
    entries, out = source[place : place + n], target[to : to + n]
    for k in range(len(out)):
        out[k] = entries[k]


@kernel
def add_up_joined(first, units, values, rows, share, total):
    """Add rows of concatenated lists, each times its share, to ``total``."""
    for i in range(len(rows)):
        for k in range(first[rows[i]], first[rows[i] + 1]):
            total[units[k]] += share[i] * (values[k] if len(values) else 1)
