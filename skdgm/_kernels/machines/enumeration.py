r"""The sum over all states of a few binary units, and over many that they join.

.. math:: \log \sum_{s \in \{0, 1\}^n} \exp\Big(a^\top s + \sum_i \log(1 + e^{b_i +
   s^\top M_{:i}})\Big)

A Gray code flips one unit at a time, which multiplies each :math:`e^{b_i + s^\top M}`
by a number known beforehand; and a sum of logs is the log of a product, taken once for
many factors. So a state costs two multiplications and an addition for each i.
"""

import numpy as np

from skdgm._kernels.compiler.jit import kernel

# Products that are built side by side.
_LANES = 32


@kernel
def total(own, M, bias, flips, n_low, n_factors, out, start, stop):
    """Log sums over the states of the first ``n_low`` units; one for each state of the
    others, whose number in binary it is.

    Parameters
    ----------
    own : ndarray of shape (n_few,)
    M : ndarray of shape (n_few, n_wide)
    bias : ndarray of shape (n_wide,)
        ``n_wide`` is a multiple of 32; -inf where nothing is.
    flips : ndarray of shape (2, n_low, n_wide)
        What turning a unit on, and off, multiplies.
    n_factors : int
        How many factors of 1 + e^x a product can hold.
    out : ndarray
    """
    n_wide = len(bias)
    field, weight = np.empty(n_wide), np.empty(n_wide)
    product = np.empty(_LANES)
    for high in range(start, stop):
        alone = 0.0
        for i in range(n_wide):
            field[i] = bias[i]
        for j in range(n_low, len(own)):
            if high >> (j - n_low) & 1:
                alone += own[j]
                for i in range(n_wide):
                    field[i] += M[j, i]
        for i in range(n_wide):
            weight[i] = np.exp(field[i])
        best, rest, state = -np.inf, 0.0, 0
        for number in range(1 << n_low):
            flipped = 0
            if number:
                while not number >> flipped & 1:
                    flipped += 1
                state ^= 1 << flipped
            on = state >> flipped & 1
            if number:
                alone += own[flipped] if on else -own[flipped]
                factor = flips[0 if on else 1, flipped]
                for i in range(n_wide):
                    weight[i] *= factor[i]
            log_w = alone + sum_log1p(weight, product, n_factors)
            if log_w > best:
                rest = rest * np.exp(best - log_w) + 1.0
                best = log_w
            else:
                rest += np.exp(log_w - best)
        out[high] = best + np.log(rest)


@kernel
def sum_log1p(weight, product, n_factors):
    """The sum of log(1 + w), by products of so many factors."""
    total, held = 0.0, 0
    for lane in range(_LANES):
        product[lane] = 1.0
    for left in range(0, len(weight), _LANES):
        part = weight[left : left + _LANES]
        for lane in range(_LANES):
            product[lane] *= 1.0 + part[lane]
        held += 1
        if held == n_factors:
            for lane in range(_LANES):
                total += np.log(product[lane])
                product[lane] = 1.0
            held = 0
    for lane in range(_LANES):
        total += np.log(product[lane])
    return total
