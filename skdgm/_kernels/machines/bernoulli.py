"""Binary units: mean, draw and log partition of a field, row by row."""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.compiler.vectors import prefetch

# Units of a row that is not fetched ahead; numbers of a cache line.
_SHORT, _LINE = 256, 16


@kernel
def squash(row):
    """The sigmoid of a row, in place."""
    one = row.dtype.type(1.0)
    for j in range(len(row)):
        row[j] = one / (one + exp(-row[j]))


@kernel
def mean(eta, out, start, stop):
    """The sigmoid of ``eta``, into ``out``."""
    for r in range(start, stop):
        row = out[r]
        for j in range(len(row)):
            row[j] = eta[r, j]
        squash(row)


@kernel
def draw(mean, root, ids, index, count, start, stop):
    """Lists of the units that are on: those whose uniform number is below ``mean``.

    The numbers are those of :class:`skdgm.utils.random.Stream`.
    """
    n_units, real = mean.shape[1], mean.dtype.type
    on = np.empty(n_units, np.uint32)
    scale, shift = real(2.0**-32), np.uint32(0)
    if mean.itemsize == 4:
        scale, shift = real(2.0**-24), np.uint32(8)
    for r in range(start, stop):
        low, high = halves(ids[r], root)
        if n_units > _SHORT and r + 1 < stop:
            for j in range(0, n_units, _LINE):
                prefetch(mean, r + 1, j)
        for j in range(n_units):
            on[j] = real(bits(j, low, high) >> shift) * scale < mean[r, j]
        n_on = 0
        for j in range(n_units):
            index[r, n_on] = j
            n_on += on[j]
        count[r] = n_on


@kernel
def drop(x, root, ids, threshold, scale, out, start, stop):
    """What is left of x, into ``out``: times ``scale`` if its 32 random bits, those of
    :class:`skdgm.utils.random.Stream`, are a number that reaches the threshold."""
    zero = x.dtype.type(0)
    for r in range(start, stop):
        low, high = halves(ids[r], root)
        row, left = x[r], out[r]
        for j in range(len(left)):
            left[j] = row[j] * (scale if bits(j, low, high) >= threshold else zero)


@kernel
def fold(root, tag):
    """The root of a stream's part for a purpose, or of a row; see
    :meth:`skdgm.utils.random.Stream.fold`."""
    z = np.uint64(np.uint64(tag ^ root) + np.uint64(0x9E3779B97F4A7C15))
    z = np.uint64(np.uint64(z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9))
    z = np.uint64(np.uint64(z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB))
    return np.uint64(z ^ (z >> np.uint64(31)))


@kernel
def halves(number, root):
    """The key of a row's random numbers, in two halves."""
    z = fold(root, number)
    return np.uint32(z), np.uint32(z >> np.uint64(32))


@kernel
def bits(j, low, high):
    """The 32 random bits of a column."""
    z = np.uint32(np.uint32(np.uint32(j) * np.uint32(0x9E3779B9)) + low)
    z = np.uint32(z ^ (z >> np.uint32(16)))
    z = np.uint32(z * np.uint32(0x21F0AAAD))
    z = np.uint32(z ^ high)
    z = np.uint32(z ^ (z >> np.uint32(15)))
    z = np.uint32(z * np.uint32(0xD35A2D97))
    return np.uint32(z ^ (z >> np.uint32(15)))


@kernel
def log_partition(eta, out, start, stop):
    """The sum over a row's units of log(1 + exp(eta)), in float64."""
    room = np.empty((2, eta.shape[1]))
    for r in range(start, stop):
        out[r] = sum_softplus(eta[r], room)


@kernel
def sum_softplus(eta, room):
    """The sum of max(eta, 0) + log(1 + exp(-|eta|)), in float64."""
    positive, factor = room[0], room[1]
    for j in range(len(eta)):
        value = eta[j]
        size = value if value > 0 else -value
        positive[j] = value if value > 0 else 0.0 * value
        factor[j] = np.float64(exp(-size)) + 1.0
    return sum_logs(positive, factor)


@kernel
def sum_logs(terms, factors):
    """The sum of terms and of factors' logarithms; both are used up.

    Factors between 1 and 2 may be multiplied a thousand at a time before a logarithm
    is taken.
    """
    width = len(terms)
    while width > 1 + len(terms) // 1000:
        half = (width + 1) // 2
        for j in range(width - half):
            factors[j] *= factors[j + half]
            terms[j] += terms[j + half]
        width = half
    total = 0.0
    for j in range(width):
        total += terms[j] + np.log(factors[j])
    return total
