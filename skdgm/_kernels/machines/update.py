r"""Update of a weight matrix from the rows of two phases, in one pass over the matrix.

.. math:: g = \frac1n \sum_r x_r y_r^\top - \frac1{n'} \sum_r x'_r y_r'^\top -
   A^\top B - \lambda_1 \operatorname{sign} W - \lambda_2 W, \qquad
   u \leftarrow \mu u + \epsilon g, \qquad W \leftarrow W + u

Rows x are lists, rows y are dense, and A and B have at most a few rows. Each line of
W's tiles adds the y of the rows whose x contains it, or the y of all rows, times x, if
few x are 0. It is copied to the tiles of :math:`W^\top` while it is in the cache.
"""

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.compiler.vectors import prefetch
from skdgm._kernels.machines.arguments import ColumnLists
from skdgm._kernels.sparse.lines import (
    BLOCK,
    add_lines,
    add_products,
    aligned,
    flip,
    zeros,
)
from skdgm._kernels.sparse.lists import RowLists, by_column, entry, whole

# Density of lists from which arrays are faster; number of units up to which rows are
# not prefetched; row numbers of a cache line.
FULL, _SHORT, _LINE = 0.25, 256, 16


@kernel
def update(data, model, thin, tiles, step, start, stop):
    """Update tiles ``start`` to ``stop`` of W; ``thin`` are A and B."""
    ((index, value, count), y), ((index_2, value_2, count_2), y_2) = data, model
    a, n_units, n_rows = thin.below, tiles.up.shape[1], len(y) + len(y_2)
    full = dense(count, count_2, n_units)
    n_lists, n_lists_2 = (0, 0) if full else (len(index), len(index_2))
    entries = by_column(
        RowLists(index[:n_lists], value[:n_lists], count[:n_lists]),
        RowLists(index_2[:n_lists_2], value_2[:n_lists_2], count_2[:n_lists_2]),
        n_units,
    )
    top = 0 if full else n_rows
    factors = columns(a, n_rows - top + len(a))
    if full:
        scatter(RowLists(index, value, whole(count)), 0, factors, 0)
        scatter(RowLists(index_2, value_2, whole(count_2)), 0, factors, len(y))
    lines_range = start, stop, 0, n_units
    columns_of = ColumnLists(entries, factors, top)
    learn(columns_of, y, y_2, thin.above, tiles, step, lines_range)


@kernel
def dense(count, count_2, n_units):
    """Return whether the lists of two phases have so many entries that arrays are
    faster."""
    n_listed = 0
    for r in range(len(count)):
        n_listed += count[r]
    for r in range(len(count_2)):
        n_listed += count_2[r]
    return n_listed > FULL * n_units * (len(count) + len(count_2))


@kernel
def learn(columns_of, y, y_2, b, tiles, step, part):
    """Update lines of tiles of W. ``columns_of`` has x and A by column, and b is B.
    ``part`` is the first and last tile, and the first and last line, which begin and
    end at blocks."""
    (first, end, rows, values), factors, top = columns_of
    (up, down, velocity), (rate, momentum, l1, l2) = tiles, step
    start, stop, low_line, high_line = part
    n_units, width, real = up.shape[1], up.shape[2], up.dtype.type
    n_lines, n, side = (
        len(y) + len(y_2) + len(b),
        factors.shape[1],
        BLOCK // up.itemsize,
    )
    lines, flat, row_numbers = (
        aligned(n_lines, width, up),
        factors.ravel(),
        rows.reshape(1, -1),
    )
    decays = l1 != 0 or l2 != 0
    n_used = n_units if n else 0
    numbers, starts = np.empty(n_used, np.int64), np.empty(n_used, np.int64)
    for i in range(n_used):
        numbers[i], starts[i] = i, i * n
    for number in range(start, stop):
        left, w = number * width, up[number]
        target = velocity[number] if momentum != 0 else w
        scale(y, rate / real(max(1, len(y))), left, lines, 0)
        scale(y_2, -rate / real(max(1, len(y_2))), left, lines, len(y))
        scale(b, -rate, left, lines, len(y) + len(y_2))
        for low in range(low_line, high_line, side):
            high, is_needed = min(low + side, n_units), momentum != 0 or decays or n > 0
            if number == start and n_units > _SHORT and high < high_line:
                for i in range(high, min(high + side, n_units)):
                    for k in range(first[i], end[i], _LINE):
                        prefetch(row_numbers, 0, k)
            for i in range(low, high):
                is_needed |= first[i] < end[i]
            if not is_needed:
                continue
            for i in range(low, high):
                if momentum != 0:
                    fade(target, i, momentum)
                if decays and momentum != 0:
                    decay(target[i], w[i], rate, l1, l2)
                elif decays:
                    shrink(w[i], rate, l1, l2)
                n_terms = end[i] - first[i]
                if n_terms > 0:
                    add_lines(target, i, 0, lines, rows, values, first[i], n_terms)
            if n:
                add_products(
                    target, numbers, low, 0, flat, starts, low, 1, lines, top,
                    high - low, n,
                )  # fmt: skip
            if momentum != 0:
                for i in range(low, high):
                    for j in range(width):
                        w[i, j] += target[i, j]
            if len(down):
                transpose(w, down, left, low)


@kernel
def scale(y, factor, left, out, first):
    """Write columns of y times a factor to rows of ``out``."""
    for r in range(len(y)):
        source, line = y[r, left : left + out.shape[1]], out[first + r]
        for j in range(len(source)):
            line[j] = factor * source[j]
        for j in range(len(source), len(line)):
            line[j] = 0


@kernel
def columns(a, n):
    """Array with a row of n numbers for each column of ``a``, which ends with that
    column."""
    out, n_before = zeros(a.shape[1] * n, a).reshape(a.shape[1], n), n - len(a)
    for k in range(len(a)):
        for i in range(a.shape[1]):
            out[i, n_before + k] = a[k, i]
    return out


@kernel
def scatter(lists, rank, out, first):
    """Write a thread's columns of rows that are lists, whose counts are bounds, to
    lines of ``out``, from column ``first``."""
    index, value, bounds = lists
    for r in range(len(index)):
        for k in range(bounds[rank, r], bounds[rank + 1, r]):
            out[index[r, k], first + r] = entry(value, r, k)


@inner()
def fade(velocity, i, momentum):
    """Multiply a line of velocities by the momentum."""
    for j in range(velocity.shape[1]):
        velocity[i, j] *= momentum


@inner()
def decay(velocity, w, rate, l1, l2):
    """Apply the penalties of a line of weights to its velocity."""
    for j in range(len(w)):
        velocity[j] -= rate * penalty(w[j], l1, l2)


@inner()
def shrink(w, rate, l1, l2):
    """Apply the penalties of a line of weights to itself, without momentum."""
    for j in range(len(w)):
        w[j] -= rate * penalty(w[j], l1, l2)


@inner()
def penalty(w, l1, l2):
    """Derivative of the penalties of a weight."""
    sign = l1 if w > 0 else (-l1 if w < 0 else 0 * l1)
    return sign + l2 * w


@kernel
def transpose(tile, down, left, low):
    """Copy a block of lines of a tile, whose first column is ``left``, to the tiles of
    the transpose."""
    width, side = tile.shape[1], BLOCK // tile.itemsize
    high, right = min(low + side, len(tile)), min(left + width, down.shape[1])
    target, column = down[low // width], low % width
    for j in range(left, right, side):
        if high - low == side and j + side <= right:
            flip(tile, low, j - left, target, j, column)
        else:
            for i in range(low, high):
                for k in range(j, min(j + side, right)):
                    target[k, column + i - low] = tile[i, k - left]


@kernel
def refresh(up, down, start, stop):
    """Copy tiles of W to the tiles of its transpose."""
    side = BLOCK // up.itemsize
    for number in range(start, stop):
        for low in range(0, up.shape[1], side):
            transpose(up[number], down, number * up.shape[2], low)


@kernel
def limit(up, scale, most):
    """Rescale columns whose norm, with lines multiplied by ``scale``, exceeds ``most``;
    return whether there were any."""
    real, exceeds = up.dtype.type, False
    total = np.empty(up.shape[2])
    for number in range(len(up)):
        w = up[number]
        for j in range(len(total)):
            total[j] = 0.0
        for i in range(len(w)):
            for j in range(len(total)):
                weight = np.float64(scale[i]) * np.float64(w[i, j])
                total[j] += weight * weight
        for j in range(len(total)):
            norm = np.sqrt(total[j])
            if norm > most:
                exceeds = True
                for i in range(len(w)):
                    w[i, j] *= real(most / norm)
    return exceeds
