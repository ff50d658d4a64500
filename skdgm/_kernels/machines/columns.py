"""Bits and categorical units side by side: means, draws and log partitions, row by row.

Arguments that kernels share, for n sites with m entries:

first : ndarray of int, shape (n + 1,)
    The first entry of each site, and m.
sizes : ndarray of int, shape (n,)
    Number of categories; 0 for a bit.
"""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import kernel


@kernel
def weights(eta, first, sizes, row, high):
    """Weights of a row's entries, into ``row``, without a factor of each site, whose
    log is ``high``."""
    zero = row.dtype.type(0)
    for i in range(len(sizes)):
        top = zero if sizes[i] == 0 else eta[first[i]]
        for c in range(first[i], first[i + 1]):
            top = max(top, eta[c])
        for c in range(first[i], first[i + 1]):
            row[c] = eta[c] - top
        high[i] = top
    for c in range(len(row)):
        row[c] = exp(row[c])


@kernel
def total(row, first, sizes, high, i):
    """Sum of the weights of a site's states."""
    whole = row.dtype.type(0)
    for c in range(first[i], first[i + 1]):
        whole += row[c]
    if sizes[i] == 0:
        whole += exp(-high[i])
    return whole


@kernel
def means(eta, first, sizes, out, start, stop):
    """Probabilities of all entries, into ``out``."""
    high, one = np.empty(len(sizes), out.dtype), out.dtype.type(1)
    for r in range(start, stop):
        row = out[r]
        weights(eta[r], first, sizes, row, high)
        for i in range(len(sizes)):
            share = one / total(row, first, sizes, high, i)
            for c in range(first[i], first[i + 1]):
                row[c] *= share


@kernel
def partitions(eta, first, sizes, out, start, stop):
    """Log partition of each site, into ``out`` of shape (n_rows, n)."""
    row, high = np.empty(eta.shape[1], eta.dtype), np.empty(len(sizes), eta.dtype)
    for r in range(start, stop):
        weights(eta[r], first, sizes, row, high)
        for i in range(len(sizes)):
            out[r, i] = high[i] + np.log(total(row, first, sizes, high, i))


@kernel
def draw(mean, first, sizes, uniform, index, count, start, stop):
    """Lists of the entries that are on, by a uniform number for each site: that of the
    category whose cumulative probability first exceeds it, and bits above it."""
    for r in range(start, stop):
        p, n_on = mean[r], 0
        for i in range(len(sizes)):
            u, a = np.float64(uniform[r, i]), first[i]
            if sizes[i] == 0:
                index[r, n_on] = a
                n_on += u < p[a]
                continue
            chosen, below = first[i + 1] - 1, 0.0
            for c in range(a, first[i + 1] - 1):
                below += np.float64(p[c])
                if u < below:
                    chosen = c
                    break
            index[r, n_on] = chosen
            n_on += 1
        count[r] = n_on
