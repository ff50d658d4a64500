r"""Sums over all states of a few coupled sites.

.. math:: \log \sum_x \exp\left(b^\top x + \tfrac12 x^\top J x\right)

States are enumerated as numbers in mixed radix, with two changes of a site for each on
average. Sites without couplings among themselves are summed out.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import kernel


class DividedSites(NamedTuple):
    """``first`` and ``sizes`` are those of
    :class:`~skdgm._kernels.graphs.sites.SiteGraph`. The states of the sites ``few`` are
    enumerated, of which the first ``n_low`` for each result; the sites ``many`` have no
    couplings among themselves, and are summed out."""

    first: np.ndarray
    sizes: np.ndarray
    few: np.ndarray
    many: np.ndarray
    n_low: int


@kernel
def total(J, bias, sites, out, start, stop):
    """Write log sums of exp(-E) over the states of all sites to ``out``, (n_rows *
    n_high,), in float64: one for each row and each of the n_high states of
    ``few[n_low:]``. ``bias`` has shape (n_rows, m)."""
    first, sizes, few, many, n_low = sites
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
            n_site_states = 2 if sizes[i] == 0 else sizes[i]
            state[k] = 0
            if k >= n_low:
                state[k] = code % n_site_states
                code //= n_site_states
            c = first[i] + state[k] - (sizes[i] == 0)
            if c >= first[i]:
                log_w += field[c]
                for d in range(m):
                    field[d] += J[c, d]
        best, scaled_sum = -np.inf, 0.0
        for n in range(n_states):
            if n:
                k, going = 0, True
                while going:
                    i = few[k]
                    n_site_states = 2 if sizes[i] == 0 else sizes[i]
                    c = first[i] + state[k] - (sizes[i] == 0)
                    if c >= first[i]:
                        log_w -= field[c]
                        for d in range(m):
                            field[d] -= J[c, d]
                    state[k] += 1
                    going = state[k] == n_site_states
                    if going:
                        state[k] = 0
                    c = first[i] + state[k] - (sizes[i] == 0)
                    if c >= first[i]:
                        log_w += field[c]
                        for d in range(m):
                            field[d] += J[c, d]
                    k += 1
            log_total = log_w + summed(field, first, sizes, many)
            if log_total > best:
                scaled_sum = scaled_sum * np.exp(best - log_total) + 1.0
                best = log_total
            else:
                scaled_sum += np.exp(log_total - best)
        out[number] = best + np.log(scaled_sum)


@kernel
def summed(field, first, sizes, many):
    """Sum of the log partition functions of sites given their fields, in float64."""
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
