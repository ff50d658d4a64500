"""Correlations of images with filters, over nonzero pixels only.

A window is a tuple of integers, as in :mod:`skdgm._kernels.nets.patches`, with a stride
of one to the right. The work grows with the number of nonzero pixels.

A pixel contributes to several adjacent positions, with decreasing columns of the
filter. These contributions are contiguous if filters are reversed, with shape
(maps, rows, columns * n_maps_above) and the last column first.
"""

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel


@inner()
def _places(at, before, step, size, n):
    """First position of a filter over a pixel, and the position after the last; empty
    if the end is not above the first."""
    # Rounded up; positions are not negative.
    first = max(0, (at + before - size + step) // step)
    return first, min(n, (at + before) // step + 1)


@kernel
def correlate(x, W, window, y):
    """Write the correlation of images x, (n_images, height * width * maps), with
    reversed filters W, (maps, rows, columns * n_maps_above), to y,
    (n_images, n_positions * n_maps_above)."""
    height, width, maps, rows, columns, down, _, top, left, high, wide = window
    n_above = W.shape[2] // columns
    for r in range(len(x)):
        for k in range(np.uint64(y.shape[1])):
            y[r, k] = 0
        for there in range(height):
            i_first, i_end = _places(there, top, down, rows, high)
            for across in range(width):
                j_first, j_end = _places(across, left, 1, columns, wide)
                start = np.uint64((columns - 1 - across - left + j_first) * n_above)
                n = np.uint64(max(0, j_end - j_first) * n_above)
                for m in range(maps):
                    v = x[r, (there * width + across) * maps + m]
                    if v == 0:
                        continue
                    for i in range(i_first, i_end):
                        row = there + top - i * down
                        to = np.uint64((i * wide + j_first) * n_above)
                        for a in range(n):
                            y[r, to + a] += v * W[m, row, start + a]


@kernel
def multiply(x, y, window, G):
    """Add the sum over images and positions of patches times pixels y above to the
    reversed filters G. Shapes are those of :func:`correlate`."""
    height, width, maps, rows, columns, down, _, top, left, high, wide = window
    n_above = G.shape[2] // columns
    for r in range(len(x)):
        for there in range(height):
            i_first, i_end = _places(there, top, down, rows, high)
            for across in range(width):
                j_first, j_end = _places(across, left, 1, columns, wide)
                to = np.uint64((columns - 1 - across - left + j_first) * n_above)
                n = np.uint64(max(0, j_end - j_first) * n_above)
                for m in range(maps):
                    v = x[r, (there * width + across) * maps + m]
                    if v == 0:
                        continue
                    for i in range(i_first, i_end):
                        row = there + top - i * down
                        start = np.uint64((i * wide + j_first) * n_above)
                        for a in range(n):
                            G[m, row, to + a] += v * y[r, start + a]
