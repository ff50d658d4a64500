"""Means of both phases, and updates of biases and offsets, for a range of columns."""

import numpy as np

from skdgm._kernels.compiler.jit import exact, kernel
from skdgm._kernels.sparse.lists import entry, part_near

# Tags of an update's random streams, as in skdgm.gradients.contrastive.
DATA, MODEL = np.uint64(1), np.uint64(2)
# Offsets of the centered gradient: none, fixed, means of the data or of both phases.
NO_OFFSETS, FIXED, OF_DATA, OF_BOTH = range(4)


@kernel
def mean_of_lists(lists, rank, total, out, left, right):
    """Mean of rows that are lists, whose counts are bounds."""
    index, value, bounds = lists
    part_near(lists, rank)
    for j in range(left, right):
        total[j] = 0.0
    for r in range(len(index)):
        for k in range(bounds[rank, r], bounds[rank + 1, r]):
            total[index[r, k]] += entry(value, r, k)
    for j in range(left, right):
        out[j] = total[j] / len(index)


@exact
def mean_of_rows(x, out, left, right):
    """Mean of rows, summed in the order of np.add.reduce."""
    share = x.dtype.type(1 / len(x))
    for j in range(left, right):
        out[j] = x[0, j]
    for r in range(1, len(x)):
        for j in range(left, right):
            out[j] += x[r, j]
    for j in range(left, right):
        out[j] *= share


@exact
def subtract(a, b, out, left, right):
    """Write a - b to ``out``."""
    for j in range(left, right):
        out[j] = a[j] - b[j]


@exact
def add(total, x, left, right):
    """Add x to ``total``."""
    for j in range(left, right):
        total[j] += x[j]


@exact
def move(offset, data, model, pace, centering, left, right):
    """Update offsets, the running means of the data or of both phases."""
    half = offset.dtype.type(0.5)
    for j in range(left, right):
        if centering == OF_DATA:
            offset[j] = offset[j] + pace * (data[j] - offset[j])
        elif centering == OF_BOTH:
            offset[j] = offset[j] + pace * ((data[j] + model[j]) * half - offset[j])


@exact
def ascend(theta, u, g, rate, momentum, left, right):
    """Gradient ascent of biases with momentum."""
    for j in range(left, right):
        u[j] *= momentum
        u[j] += rate * g[j]
        theta[j] += u[j]
