"""Blocks of units of which at most one is on: mean, log partition and draw of a field.

Units are images, pixel after pixel and of each map after map. A shape is a tuple of
integers: height, width and maps, and rows and columns of a block.
"""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import inner, kernel


@inner()
def _weigh(row, first, width, shape, top, total, out):
    """Write exp(eta - top) of a block's units, whose first pixel is given, and their
    sum with that of the off state, for each map."""
    _, _, maps, rows, columns = shape
    n_maps, real = np.uint64(maps), total.dtype.type
    for m in range(n_maps):
        top[m] = 0
    for i in range(rows):
        for j in range(columns):
            k = np.uint64((first + i * width + j) * maps)
            for m in range(n_maps):
                value = real(row[k + m])
                top[m] = value if value > top[m] else top[m]
    for m in range(n_maps):
        total[m] = exp(-top[m])
    for i in range(rows):
        for j in range(columns):
            k = np.uint64((first + i * width + j) * maps)
            for m in range(n_maps):
                weight = exp(real(row[k + m]) - top[m])
                out[k + m] = weight
                total[m] += weight


@kernel
def mean(eta, shape, out, start, stop):
    """Probability of each unit to be on, into ``out``."""
    height, width, maps, rows, columns = shape
    top, total = np.empty(maps, out.dtype), np.empty(maps, out.dtype)
    n_maps, one = np.uint64(maps), out.dtype.type(1)
    for r in range(start, stop):
        row, found = eta[r], out[r]
        for y in range(0, height, rows):
            for x in range(0, width, columns):
                first = y * width + x
                _weigh(row, first, width, shape, top, total, found)
                for m in range(n_maps):
                    total[m] = one / total[m]
                for i in range(rows):
                    for j in range(columns):
                        k = np.uint64((first + i * width + j) * maps)
                        for m in range(n_maps):
                            found[k + m] *= total[m]


@kernel
def log_partition(eta, shape, out, start, stop):
    """Sum over all blocks of the log of 1 + the sum of exp(eta), in float64."""
    height, width, maps, rows, columns = shape
    top, total, room = np.empty(maps), np.empty(maps), np.empty(eta.shape[1])
    for r in range(start, stop):
        row, found = eta[r], 0.0
        for y in range(0, height, rows):
            for x in range(0, width, columns):
                _weigh(row, y * width + x, width, shape, top, total, room)
                for m in range(maps):
                    found += top[m] + np.log(total[m])
        out[r] = found


@kernel
def draw(mean, uniform, shape, out, start, stop):
    """Units drawn with the probabilities ``mean``, into ``out``, by a uniform number
    for each map of each block: the first unit whose sum with those before exceeds it.
    """
    height, width, maps, rows, columns = shape
    n_maps, real, across = np.uint64(maps), mean.dtype.type, width // columns
    for r in range(start, stop):
        p, u, found = mean[r], uniform[r], out[r]
        for y in range(0, height, rows):
            for x in range(0, width, columns):
                block = (y // rows * across + x // columns) * maps
                own = u[block : block + maps]
                for i in range(rows):
                    for j in range(columns):
                        k = np.uint64(((y + i) * width + x + j) * maps)
                        for m in range(n_maps):
                            left = own[m] - p[k + m]
                            on = own[m] >= 0 and left < 0
                            found[k + m] = real(1) if on else real(0)
                            own[m] = real(-1) if on else left
