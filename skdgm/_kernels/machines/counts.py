"""Log factorials, and draws of counts by inversion of distribution functions."""

import math

import numpy as np

from skdgm._kernels.compiler.jit import kernel


@kernel
def log_factorials(x, table, out, start, stop):
    """Write log Γ(x + 1) to ``out``, from a ``table`` of log factorials where it has
    x."""
    top = len(table)
    for k in range(start, stop):
        if 0 <= x[k] < top and x[k] == np.floor(x[k]):
            out[k] = table[int(x[k])]
        else:
            out[k] = math.lgamma(x[k] + 1)


@kernel
def draw_binomial(p, n, uniform, out, start, stop):
    """Write binomial counts of ``n`` (n_columns,) trials with probabilities p to
    ``out``. They increase with ``uniform``, in [0, 1)."""
    for r in range(start, stop):
        for j in range(len(n)):
            # With the smaller probability, that of a count of 0 does not underflow.
            low = p[r, j] <= 0.5
            share = p[r, j] if low else 1 - p[r, j]
            remaining = uniform[r, j] if low else 1 - uniform[r, j]
            odds, weight, count = share / (1 - share), (1 - share) ** n[j], 0
            while remaining >= weight and count < n[j]:
                remaining -= weight
                count += 1
                weight *= odds * (n[j] - count + 1) / count
            out[r, j] = count if low else n[j] - count


@kernel
def draw_poisson(rate, uniform, out, start, stop):
    """Write Poisson counts to ``out``. They increase with ``uniform``, in [0, 1)."""
    for r in range(start, stop):
        for j in range(rate.shape[1]):
            remaining, weight, count = uniform[r, j], np.exp(-rate[r, j]), 0
            # Beyond the mode, weights decrease until they are negligible.
            while remaining >= weight and (weight > 1e-20 or count < rate[r, j]):
                remaining -= weight
                count += 1
                weight *= rate[r, j] / count
            out[r, j] = count
