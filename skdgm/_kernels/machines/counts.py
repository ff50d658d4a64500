"""Counts: log factorials, and draws by inverting distribution functions."""

import math

import numpy as np

from skdgm._kernels.compiler.jit import kernel


@kernel
def log_factorials(x, table, out, start, stop):
    """log Γ(x + 1) of the entries of a vector, into ``out``, from a table of it for 0,
    1, 2, … where they are such numbers."""
    top = len(table)
    for k in range(start, stop):
        if 0 <= x[k] < top and x[k] == np.floor(x[k]):
            out[k] = table[int(x[k])]
        else:
            out[k] = math.lgamma(x[k] + 1)


@kernel
def draw_binomial(p, n, uniform, out, start, stop):
    """Counts up to ``n`` (of each column), each a sum of bits of probability ``p``,
    into ``out``: they rise with ``uniform``, in [0, 1)."""
    for r in range(start, stop):
        for j in range(len(n)):
            # The smaller of both probabilities: that of no bit at all is above 0.
            low = p[r, j] <= 0.5
            share = p[r, j] if low else 1 - p[r, j]
            left = uniform[r, j] if low else 1 - uniform[r, j]
            odds, weight, count = share / (1 - share), (1 - share) ** n[j], 0
            while left >= weight and count < n[j]:
                left -= weight
                count += 1
                weight *= odds * (n[j] - count + 1) / count
            out[r, j] = count if low else n[j] - count


@kernel
def draw_poisson(rate, uniform, out, start, stop):
    """Poisson counts of given rates, into ``out``: they rise with ``uniform``."""
    for r in range(start, stop):
        for j in range(rate.shape[1]):
            left, weight, count = uniform[r, j], np.exp(-rate[r, j]), 0
            # Beyond the mode weights fall, at last to what no longer counts.
            while left >= weight and (weight > 1e-20 or count < rate[r, j]):
                left -= weight
                count += 1
                weight *= rate[r, j] / count
            out[r, j] = count
