"""Blocks of units with at most one unit on (probabilistic max pooling).

Rows of units are images of shape (height, width, maps). A shape is a tuple of integers:
height, width and maps, and the rows and columns of a block.
"""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import inner, kernel


@inner()
def _weigh(row, first, width, shape, top, total, out):
    """Write exp(eta - top) of a block's units to ``out``, and the sum over its states
    to ``total``, for each map; ``first`` is the first pixel of the block."""
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
    """Write the probability that each unit is on to ``out``."""
    height, width, maps, rows, columns = shape
    top, total = np.empty(maps, out.dtype), np.empty(maps, out.dtype)
    n_maps, one = np.uint64(maps), out.dtype.type(1)
    for r in range(start, stop):
        row, out_row = eta[r], out[r]
        for y in range(0, height, rows):
            for x in range(0, width, columns):
                first = y * width + x
                _weigh(row, first, width, shape, top, total, out_row)
                for m in range(n_maps):
                    total[m] = one / total[m]
                for i in range(rows):
                    for j in range(columns):
                        k = np.uint64((first + i * width + j) * maps)
                        for m in range(n_maps):
                            out_row[k + m] *= total[m]


@kernel
def log_partition(eta, shape, out, start, stop):
    """Write the sum of the log partition functions of all blocks to ``out``, in
    float64."""
    height, width, maps, rows, columns = shape
    top, total, work = np.empty(maps), np.empty(maps), np.empty(eta.shape[1])
    for r in range(start, stop):
        row, log_z = eta[r], 0.0
        for y in range(0, height, rows):
            for x in range(0, width, columns):
                _weigh(row, y * width + x, width, shape, top, total, work)
                for m in range(maps):
                    log_z += top[m] + np.log(total[m])
        out[r] = log_z


@kernel
def draw(mean, uniform, shape, out, start, stop):
    """Draw units with probabilities ``mean``, with one uniform number for each map of
    each block, by inversion of the cumulative probabilities."""
    height, width, maps, rows, columns = shape
    n_maps, real, across = np.uint64(maps), mean.dtype.type, width // columns
    for r in range(start, stop):
        p, u, out_row = mean[r], uniform[r], out[r]
        for y in range(0, height, rows):
            for x in range(0, width, columns):
                block = (y // rows * across + x // columns) * maps
                remaining = u[block : block + maps]
                for i in range(rows):
                    for j in range(columns):
                        k = np.uint64(((y + i) * width + x + j) * maps)
                        for m in range(n_maps):
                            difference = remaining[m] - p[k + m]
                            on = remaining[m] >= 0 and difference < 0
                            out_row[k + m] = real(1) if on else real(0)
                            remaining[m] = real(-1) if on else difference
