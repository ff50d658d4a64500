"""Means of both phases, and updates of biases and offsets, of some columns."""

import numpy as np

from skdgm._kernels.compiler.jit import exact, kernel
from skdgm._kernels.sparse.lists import entry, part_near

# Tags of an update's random streams, as in skdgm.gradients.contrastive.
DATA, MODEL = np.uint64(1), np.uint64(2)
# Running means of the centred gradient: none, of the data, or of both phases.
NO_OFFSETS, FIXED, OF_DATA, OF_BOTH = range(4)


@kernel
def mean_of_lists(index, value, bounds, rank, total, out, left, right):
    """The mean of rows that are lists, of which ``bounds`` has the parts of threads."""
    part_near(index, value, bounds, rank)
    for j in range(left, right):
        total[j] = 0.0
    for r in range(len(index)):
        for k in range(bounds[rank, r], bounds[rank + 1, r]):
            total[index[r, k]] += entry(value, r, k)
    for j in range(left, right):
        out[j] = total[j] / len(index)


@exact
def mean_of_rows(x, out, left, right):
    """The mean of rows, in their order, as np.add.reduce has it."""
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
    """The difference of two rows."""
    for j in range(left, right):
        out[j] = a[j] - b[j]


@exact
def add(total, x, left, right):
    """Add a row to another."""
    for j in range(left, right):
        total[j] += x[j]


@exact
def move(offset, data, model, pace, centering, left, right):
    """Running means of the data, or of both phases, where they are wanted."""
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
