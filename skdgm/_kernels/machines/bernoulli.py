"""Binary units: means, draws and log partition functions given natural parameters."""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.compiler.vectors import prefetch

# Number of units up to which rows are not prefetched; numbers of a cache line.
_SHORT, _LINE = 256, 16


@kernel
def squash(row):
    """Sigmoid of a row, in place."""
    one = row.dtype.type(1.0)
    for j in range(len(row)):
        row[j] = one / (one + exp(-row[j]))


@kernel
def mean(eta, out, start, stop):
    """Write the sigmoid of ``eta`` to ``out``."""
    for r in range(start, stop):
        row = out[r]
        for j in range(len(row)):
            row[j] = eta[r, j]
        squash(row)


@kernel
def draw(mean, root, ids, index, count, start, stop):
    """Draw units with probabilities ``mean``, as lists of the units that are on. Random
    numbers are those of :class:`skdgm.utils.random.Stream`."""
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
    """Write x to ``out``, multiplied by ``scale`` where its 32 random bits, those of
    :class:`skdgm.utils.random.Stream`, are at least ``threshold``, and by 0
    elsewhere."""
    zero = x.dtype.type(0)
    for r in range(start, stop):
        low, high = halves(ids[r], root)
        row, out_row = x[r], out[r]
        for j in range(len(out_row)):
            out_row[j] = row[j] * (scale if bits(j, low, high) >= threshold else zero)


@kernel
def fold(root, tag):
    """Root of a substream, for a purpose or a row; see
    :meth:`skdgm.utils.random.Stream.fold`."""
    z = np.uint64(np.uint64(tag ^ root) + np.uint64(0x9E3779B97F4A7C15))
    z = np.uint64(np.uint64(z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9))
    z = np.uint64(np.uint64(z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB))
    return np.uint64(z ^ (z >> np.uint64(31)))


@kernel
def halves(number, root):
    """Key of a row's random numbers, in two halves of 32 bits."""
    z = fold(root, number)
    return np.uint32(z), np.uint32(z >> np.uint64(32))


@kernel
def bits(j, low, high):
    """Random bits of a column, as uint32."""
    z = np.uint32(np.uint32(np.uint32(j) * np.uint32(0x9E3779B9)) + low)
    z = np.uint32(z ^ (z >> np.uint32(16)))
    z = np.uint32(z * np.uint32(0x21F0AAAD))
    z = np.uint32(z ^ high)
    z = np.uint32(z ^ (z >> np.uint32(15)))
    z = np.uint32(z * np.uint32(0xD35A2D97))
    return np.uint32(z ^ (z >> np.uint32(15)))


@kernel
def log_partition(eta, out, start, stop):
    """Write the sum of log(1 + exp(eta)) over the units of each row to ``out``, in
    float64."""
    work = np.empty((2, eta.shape[1]))
    for r in range(start, stop):
        out[r] = sum_softplus(eta[r], work)


@kernel
def sum_softplus(eta, workspace):
    """Sum of log(1 + exp(eta)) over a row, in float64, with workspace ``workspace``,
    (2, n_units)."""
    positive, factor = workspace[0], workspace[1]
    for j in range(len(eta)):
        value = eta[j]
        size = value if value > 0 else -value
        positive[j] = value if value > 0 else 0.0 * value
        factor[j] = np.float64(exp(-size)) + 1.0
    return sum_logs(positive, factor)


@kernel
def sum_logs(terms, factors):
    """Sum of terms and of the logarithms of factors; both arrays are overwritten.
    Factors are between 1 and 2, so that a thousand can be multiplied before a logarithm
    is taken."""
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
