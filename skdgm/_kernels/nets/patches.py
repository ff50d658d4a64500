"""Patches of images, one below a filter at each of its positions.

A window is a tuple of integers: height, width and maps of the images; rows and columns
of the filter; and strides down and to the right. It also has the numbers of rows of
zeros above and of columns of zeros on the left, and of positions down and to the right.
"""

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel


@inner()
def _clear(patches, p, begin, end):
    for k in range(np.uint64(begin), np.uint64(end)):
        patches[p, k] = 0


@kernel
def gather(x, window, patches):
    """Copy the patches of images x, (n_images, height * width * maps), to ``patches``,
    (n_images * n_positions, rows * columns * maps)."""
    height, width, maps, rows, columns, down, right, top, left, high, wide = window
    p, size = 0, columns * maps
    for r in range(len(x)):
        for i in range(high):
            for j in range(wide):
                first = j * right - left
                begin, end = max(0, -first) * maps, min(columns, width - first) * maps
                for row in range(rows):
                    k, y = row * size, i * down - top + row
                    if y < 0 or y >= height:
                        _clear(patches, p, k, k + size)
                        continue
                    pixel = (y * width + first) * maps
                    _clear(patches, p, k, k + begin)
                    to, start = np.uint64(k + begin), np.uint64(pixel + begin)
                    for m in range(np.uint64(end - begin)):
                        patches[p, to + m] = x[r, start + m]
                    _clear(patches, p, k + end, k + size)
                p += 1


@kernel
def scatter(patches, window, b, x):
    """Add patches and biases of maps, (maps,), to images x, which are overwritten; the
    adjoint of :func:`gather`."""
    height, width, maps, rows, columns, down, right, top, left, high, wide = window
    p, size = 0, columns * maps
    for r in range(len(x)):
        for pixel in range(np.uint64(height * width)):
            for m in range(np.uint64(maps)):
                x[r, pixel * np.uint64(maps) + m] = b[m]
        for i in range(high):
            for j in range(wide):
                first = j * right - left
                begin, end = max(0, -first) * maps, min(columns, width - first) * maps
                for row in range(rows):
                    y = i * down - top + row
                    if y < 0 or y >= height:
                        continue
                    first_entry = (y * width + first) * maps
                    source = np.uint64(row * size + begin)
                    to = np.uint64(first_entry + begin)
                    for m in range(np.uint64(end - begin)):
                        x[r, to + m] += patches[p, source + m]
                p += 1
