"""Bits and categorical units together: means, draws and log partition functions.

Arguments of kernels, for n sites with m entries, are

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
    """Write the unnormalized probabilities of a row's entries to ``row``, divided for
    each site by exp(high), where ``high`` is the largest natural parameter."""
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
    weight_sum = row.dtype.type(0)
    for c in range(first[i], first[i + 1]):
        weight_sum += row[c]
    if sizes[i] == 0:
        weight_sum += exp(-high[i])
    return weight_sum


@kernel
def means(eta, first, sizes, out, start, stop):
    """Write the probabilities of all entries to ``out``."""
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
    """Write the log partition function of each site to ``out``, (n_rows, n)."""
    row, high = np.empty(eta.shape[1], eta.dtype), np.empty(len(sizes), eta.dtype)
    for r in range(start, stop):
        weights(eta[r], first, sizes, row, high)
        for i in range(len(sizes)):
            out[r, i] = high[i] + np.log(total(row, first, sizes, high, i))


@kernel
def draw(mean, first, sizes, uniform, index, count, start, stop):
    """Draw lists of the entries that are on, with one uniform number for each site, by
    inversion of the cumulative probabilities."""
    for r in range(start, stop):
        p, n_on = mean[r], 0
        for i in range(len(sizes)):
            u, a = np.float64(uniform[r, i]), first[i]
            if sizes[i] == 0:
                index[r, n_on] = a
                n_on += u < p[a]
                continue
            chosen, cumulative = first[i + 1] - 1, 0.0
            for c in range(a, first[i + 1] - 1):
                cumulative += np.float64(p[c])
                if u < cumulative:
                    chosen = c
                    break
            index[r, n_on] = chosen
            n_on += 1
        count[r] = n_on
