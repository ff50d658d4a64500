r"""One pass over a matrix of weights that learns from two sets of rows.

.. math:: g = \frac1n \sum_r x_r y_r^\top - \frac1{n'} \sum_r x'_r y_r'^\top -
   A^\top B - \lambda_1 \operatorname{sign} W - \lambda_2 W, \qquad
   u \leftarrow \mu u + \epsilon g, \qquad W \leftarrow W + u

The x are lists and the y dense; A and B have few rows, or none. Each line of W's tiles
collects the y of those r whose x it is in, and is written to the tiles of
:math:`W^\top` while it is near.
"""

from skdgm._kernels.jit import inner, kernel
from skdgm._kernels.lines import BLOCK, add_lines, aligned, flip
from skdgm._kernels.lists import by_column


@kernel
def update(
    index, value, count, index_2, value_2, count_2, y, y_2, a, b,
    up, down, velocity, rate, momentum, l1, l2, start, stop,
):  # fmt: skip
    """Learn some tiles of W. Without momentum the velocity may have none, and without
    need of it the transpose."""
    n_units, width, n_rows = up.shape[1], up.shape[2], len(y)
    first, rows, values = by_column(
        index, value, count, index_2, value_2, count_2, n_units
    )
    lines, thin = aligned(n_rows + len(y_2), width, up), aligned(len(b), width, up)
    real, side = up.dtype.type, BLOCK // up.itemsize
    always = momentum != 0 or l1 != 0 or l2 != 0 or len(a) > 0
    for number in range(start, stop):
        left, w = number * width, up[number]
        target = velocity[number] if momentum != 0 else w
        scale(y, rate / real(max(1, n_rows)), left, lines, 0)
        scale(y_2, -rate / real(max(1, len(y_2))), left, lines, n_rows)
        scale(b, -rate, left, thin, 0)
        for low in range(0, n_units, side):
            high = min(low + side, n_units)
            if first[low] == first[high] and not always:
                continue
            if always:
                begin(target, w, a, thin, low, high, rate, momentum, l1, l2)
            for i in range(low, high):
                n = first[i + 1] - first[i]
                add_lines(target, i, 0, lines, rows, values, first[i], n)
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


@inner()
def begin(target, w, a, thin, low, high, rate, momentum, l1, l2):
    """What of some lines' update does not come from rows. Without momentum the lines
    themselves are the target, else their velocity."""
    real = w.dtype.type
    for i in range(low, high):
        for j in range(w.shape[1]):
            if momentum != 0:
                target[i, j] *= momentum
            sign = real(w[i, j] > 0) - real(w[i, j] < 0)
            target[i, j] -= rate * (l1 * sign + l2 * w[i, j])
        for k in range(len(a)):
            for j in range(w.shape[1]):
                target[i, j] += a[k, i] * thin[k, j]


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
