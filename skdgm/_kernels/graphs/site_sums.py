r"""Sums over all states of a few linked sites.

.. math:: \log \sum_x \exp\left(b^\top x + \tfrac12 x^\top J x\right)

States follow one another as numbers in mixed radix do, with two changes of a site for
each on average, and sites that are not linked among themselves are summed out.
Arguments are those of :mod:`skdgm._kernels.graphs.sites`.
"""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import kernel


@kernel
def total(J, bias, first, sizes, few, many, n_low, out, start, stop):
    """Log sums of exp(-E) over the states of all sites; one for each row and each state
    of ``few[n_low:]``, whose number in mixed radix it is.

    Parameters
    ----------
    bias : ndarray of shape (n_rows, m)
        Of each row.
    few : ndarray of int
        Sites whose states are enumerated.
    many : ndarray of int
        Sites without links among themselves, which are summed out.
    n_low : int
    out : ndarray of shape (n_rows * n_high,), float64
    """
    m = bias.shape[1]
    field, state = np.empty(m), np.zeros(len(few), np.int64)
    n_high, n_states = 1, 1
    for k in range(len(few)):
        if k < n_low:
            n_states *= max(2, sizes[few[k]]) if sizes[few[k]] != 1 else 1
        else:
            n_high *= max(2, sizes[few[k]]) if sizes[few[k]] != 1 else 1
    for number in range(start, stop):
        r, code = number // n_high, number % n_high
        for c in range(m):
            field[c] = bias[r, c]
        log_w = 0.0
        for k in range(len(few)):
            i = few[k]
            n_own = 2 if sizes[i] == 0 else sizes[i]
            state[k] = 0
            if k >= n_low:
                state[k] = code % n_own
                code //= n_own
            c = first[i] + state[k] - (sizes[i] == 0)
            if c >= first[i]:
                log_w += field[c]
                for d in range(m):
                    field[d] += J[c, d]
        best, rest = -np.inf, 0.0
        for n in range(n_states):
            if n:
                k, going = 0, True
                while going:
                    i = few[k]
                    n_own = 2 if sizes[i] == 0 else sizes[i]
                    c = first[i] + state[k] - (sizes[i] == 0)
                    if c >= first[i]:
                        log_w -= field[c]
                        for d in range(m):
                            field[d] -= J[c, d]
                    state[k] += 1
                    going = state[k] == n_own
                    if going:
                        state[k] = 0
                    c = first[i] + state[k] - (sizes[i] == 0)
                    if c >= first[i]:
                        log_w += field[c]
                        for d in range(m):
                            field[d] += J[c, d]
                    k += 1
            whole = log_w + summed(field, first, sizes, many)
            if whole > best:
                rest = rest * np.exp(best - whole) + 1.0
                best = whole
            else:
                rest += np.exp(whole - best)
        out[number] = best + np.log(rest)


@kernel
def summed(field, first, sizes, many):
    """The sum of the log partitions of some sites, given their fields, in float64."""
    log_sum, product = 0.0, 1.0
    for k in range(len(many)):
        i = many[k]
        a = first[i]
        high = 0.0 if sizes[i] == 0 else field[a]
        for c in range(a, first[i + 1]):
            high = max(high, field[c])
        factor = exp(-high) if sizes[i] == 0 else 0.0
        for c in range(a, first[i + 1]):
            factor += exp(field[c] - high)
        log_sum += high
        product *= factor
        if product > 1e200:
            log_sum += np.log(product)
            product = 1.0
    return log_sum + np.log(product)
