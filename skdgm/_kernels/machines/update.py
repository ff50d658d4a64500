r"""One pass over a matrix of weights that learns from two sets of rows.

.. math:: g = \frac1n \sum_r x_r y_r^\top - \frac1{n'} \sum_r x'_r y_r'^\top -
   A^\top B - \lambda_1 \operatorname{sign} W - \lambda_2 W, \qquad
   u \leftarrow \mu u + \epsilon g, \qquad W \leftarrow W + u

The x are lists and the y dense; A and B have few rows, or none. Each line of W's tiles
collects the y of those r whose x it is in (or of all r, times their x, where few x are
0), and is written to the tiles of :math:`W^\top` while it is near.
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
from skdgm._kernels.sparse.lists import by_column, entry, whole

# Density of lists above which they count as arrays; units whose rows are not fetched
# ahead; row numbers of a cache line.
FULL, _SHORT, _LINE = 0.25, 256, 16


@kernel
def update(data, model, thin, tiles, step, start, stop):
    """Learn some tiles of W.

    Parameters
    ----------
    data, model : ListedPhase
    thin : Ends
        A and B.
    tiles : Tiles
    step : GradientStep
    start, stop : int
    """
    (index, value, count, y), (index_2, value_2, count_2, y_2) = data, model
    a, n_units, n_rows = thin.below, tiles.up.shape[1], len(y) + len(y_2)
    full = dense(count, count_2, n_units)
    some, some_2 = (0, 0) if full else (len(index), len(index_2))
    first, end, rows, values = by_column(
        index[:some], value[:some], count[:some],
        index_2[:some_2], value_2[:some_2], count_2[:some_2], n_units,
    )  # fmt: skip
    top = 0 if full else n_rows
    factors = columns(a, n_rows - top + len(a))
    if full:
        scatter(index, value, whole(count), 0, factors, 0)
        scatter(index_2, value_2, whole(count_2), 0, factors, len(y))
    columns_of = ColumnLists(first, end, rows, values, factors, top)
    part = start, stop, 0, n_units
    learn(columns_of, y, y_2, thin.above, tiles, step, part)


@kernel
def dense(count, count_2, n_units):
    """Whether two sets of lists have so many entries that they count as arrays."""
    n_listed = 0
    for r in range(len(count)):
        n_listed += count[r]
    for r in range(len(count_2)):
        n_listed += count_2[r]
    return n_listed > FULL * n_units * (len(count) + len(count_2))


@kernel
def learn(columns_of, y, y_2, b, tiles, step, part):
    """Learn some lines of some tiles of W.

    Parameters
    ----------
    columns_of : ColumnLists
        Of the x, and of A.
    y, y_2, b : ndarray of shape (n_rows, n_above)
    tiles : Tiles
    step : GradientStep
    part : tuple of int
        First and last of the tiles; first and last of their lines, from one that begins
        a block.
    """
    first, end, rows, values, factors, top = columns_of
    (up, down, velocity), (rate, momentum, l1, l2) = tiles, step
    start, stop, low_line, high_line = part
    n_units, width, real = up.shape[1], up.shape[2], up.dtype.type
    n_lines, n, side = (
        len(y) + len(y_2) + len(b),
        factors.shape[1],
        BLOCK // up.itemsize,
    )
    lines, flat, near = (
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
            high, some = min(low + side, n_units), momentum != 0 or decays or n > 0
            if number == start and n_units > _SHORT and high < high_line:
                for i in range(high, min(high + side, n_units)):
                    for k in range(first[i], end[i], _LINE):
                        prefetch(near, 0, k)
            for i in range(low, high):
                some |= first[i] < end[i]
            if not some:
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
                where = numbers, low, 0, flat, starts, low, 1
                add_products(target, *where, lines, top, high - low, n)
            if momentum != 0:
                for i in range(low, high):
                    for j in range(width):
                        w[i, j] += target[i, j]
            if len(down):
                transpose(w, down, left, low)


@kernel
def scale(y, factor, left, out, first):
    """Some columns times a factor."""
    for r in range(len(y)):
        part, line = y[r, left : left + out.shape[1]], out[first + r]
        for j in range(len(part)):
            line[j] = factor * part[j]
        for j in range(len(part), len(line)):
            line[j] = 0


@kernel
def columns(a, n):
    """Room for a row of n numbers for each column of ``a``, which end with its own."""
    out, before = zeros(a.shape[1] * n, a).reshape(a.shape[1], n), n - len(a)
    for k in range(len(a)):
        for i in range(a.shape[1]):
            out[i, before + k] = a[k, i]
    return out


@kernel
def scatter(index, value, bounds, rank, out, first):
    """Write a thread's columns of rows that are lists into lines of ``out``, from the
    given column on."""
    for r in range(len(index)):
        for k in range(bounds[rank, r], bounds[rank + 1, r]):
            out[index[r, k], first + r] = entry(value, r, k)


@inner()
def fade(velocity, i, momentum):
    """A line of velocities, some time later."""
    for j in range(velocity.shape[1]):
        velocity[i, j] *= momentum


@inner()
def decay(velocity, w, rate, l1, l2):
    """What penalties of a line of weights change in its velocity."""
    for j in range(len(w)):
        velocity[j] -= rate * penalty(w[j], l1, l2)


@inner()
def shrink(w, rate, l1, l2):
    """What they change in the line itself, without momentum."""
    for j in range(len(w)):
        w[j] -= rate * penalty(w[j], l1, l2)


@inner()
def penalty(w, l1, l2):
    """The derivative of the penalties of a weight."""
    sign = l1 if w > 0 else (-l1 if w < 0 else 0 * l1)
    return sign + l2 * w


@kernel
def transpose(tile, down, left, low):
    """Write a few lines of the tile that begins with column ``left`` into the tiles of
    the transpose."""
    width, side = tile.shape[1], BLOCK // tile.itemsize
    high, right = min(low + side, len(tile)), min(left + width, down.shape[1])
    target, place = down[low // width], low % width
    for j in range(left, right, side):
        if high - low == side and j + side <= right:
            flip(tile, low, j - left, target, j, place)
        else:
            for i in range(low, high):
                for k in range(j, min(j + side, right)):
                    target[k, place + i - low] = tile[i, k - left]


@kernel
def refresh(up, down, start, stop):
    """Write some tiles of W into those of its transpose."""
    side = BLOCK // up.itemsize
    for number in range(start, stop):
        for low in range(0, up.shape[1], side):
            transpose(up[number], down, number * up.shape[2], low)


@kernel
def limit(up, scale, most):
    """Scale down columns whose norm, with lines times ``scale``, exceeds a limit;
    return whether there were some."""
    real, exceeds = up.dtype.type, False
    total = np.empty(up.shape[2])
    for number in range(len(up)):
        w = up[number]
        for j in range(len(total)):
            total[j] = 0.0
        for i in range(len(w)):
            for j in range(len(total)):
                own = np.float64(scale[i]) * np.float64(w[i, j])
                total[j] += own * own
        for j in range(len(total)):
            norm = np.sqrt(total[j])
            if norm > most:
                exceeds = True
                for i in range(len(w)):
                    w[i, j] *= real(most / norm)
    return exceeds
