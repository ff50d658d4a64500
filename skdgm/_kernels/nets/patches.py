"""Patches of images, one beneath a filter at each of its positions.

A window is a tuple of integers: height, width and maps of the images; rows and columns
of the filter; steps down and to the right; rows and columns of zeros above and to the
left; positions down and to the right.
"""

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel


@inner()
def _clear(patches, p, begin, end):
    for k in range(np.uint64(begin), np.uint64(end)):
        patches[p, k] = 0


@kernel
def gather(x, window, patches):
    """Copy the patches of images.

    Parameters
    ----------
    x : ndarray of shape (n_images, height * width * maps)
    window : tuple of int
    patches : ndarray of shape (n_images * n_positions, rows * columns * maps)
        Overwritten.
    """
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
                    there = (y * width + first) * maps
                    _clear(patches, p, k, k + begin)
                    to, start = np.uint64(k + begin), np.uint64(there + begin)
                    for m in range(np.uint64(end - begin)):
                        patches[p, to + m] = x[r, start + m]
                    _clear(patches, p, k + end, k + size)
                p += 1


@kernel
def scatter(patches, window, b, x):
    """Add the patches of images, and biases of maps; the adjoint of :func:`gather`.

    Parameters
    ----------
    patches : ndarray of shape (n_images * n_positions, rows * columns * maps)
    window : tuple of int
    b : ndarray of shape (maps,)
    x : ndarray of shape (n_images, height * width * maps)
        Overwritten.
    """
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
                    there = (y * width + first) * maps
                    source = np.uint64(row * size + begin)
                    to = np.uint64(there + begin)
                    for m in range(np.uint64(end - begin)):
                        x[r, to + m] += patches[p, source + m]
                p += 1
