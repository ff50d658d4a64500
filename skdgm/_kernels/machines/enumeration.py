r"""Sums over all states of a few binary units, with many others summed out.

.. math:: \log \sum_{s \in \{0, 1\}^n} \exp\Big(a^\top s + \sum_i \log(1 + e^{b_i +
   s^\top M_{:i}})\Big)

A Gray code flips one unit at a time, which multiplies each :math:`e^{b_i + s^\top M}`
by a precomputed number. The sum of logarithms is the logarithm of a product of many
factors. A state thus costs two multiplications and one addition for each i.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.jit import kernel

# Number of products that are accumulated in parallel.
_LANES = 32


class TwoBlocks(NamedTuple):
    """Arrays of a block of few units, which are enumerated, and of a wide block.

    Biases ``own`` of the few units have shape (n_few,), weights M (n_few, n_wide), and
    biases of the wide block (n_wide,), padded with -inf to a multiple of 32. ``flips``,
    (2, n_low, n_wide), are the factors of turning a unit on and off. The last field is
    the number of factors that a product can have without overflow."""

    own: np.ndarray
    M: np.ndarray
    bias: np.ndarray
    flips: np.ndarray
    n_factors: int


@kernel
def total(blocks, out, start, stop):
    """Write log sums over the states of the first ``n_low`` enumerated units to
    ``out``, one for each state of the others, whose binary number is its index."""
    own, M, bias, flips, n_factors = blocks
    n_low, n_wide = flips.shape[1], len(bias)
    field, weight = np.empty(n_wide), np.empty(n_wide)
    product = np.empty(_LANES)
    for high in range(start, stop):
        bias_sum = 0.0
        for i in range(n_wide):
            field[i] = bias[i]
        for j in range(n_low, len(own)):
            if high >> (j - n_low) & 1:
                bias_sum += own[j]
                for i in range(n_wide):
                    field[i] += M[j, i]
        for i in range(n_wide):
            weight[i] = np.exp(field[i])
        best, scaled_sum, state = -np.inf, 0.0, 0
        for number in range(1 << n_low):
            flipped = 0
            if number:
                while not number >> flipped & 1:
                    flipped += 1
                state ^= 1 << flipped
            on = state >> flipped & 1
            if number:
                bias_sum += own[flipped] if on else -own[flipped]
                factor = flips[0 if on else 1, flipped]
                for i in range(n_wide):
                    weight[i] *= factor[i]
            log_w = bias_sum + sum_log1p(weight, product, n_factors)
            if log_w > best:
                scaled_sum = scaled_sum * np.exp(best - log_w) + 1.0
                best = log_w
            else:
                scaled_sum += np.exp(log_w - best)
        out[high] = best + np.log(scaled_sum)


@kernel
def sum_log1p(weight, product, n_factors):
    """Sum of log(1 + weight), by products of ``n_factors`` factors each."""
    total, n_multiplied = 0.0, 0
    for lane in range(_LANES):
        product[lane] = 1.0
    for left in range(0, len(weight), _LANES):
        lanes = weight[left : left + _LANES]
        for lane in range(_LANES):
            product[lane] *= 1.0 + lanes[lane]
        n_multiplied += 1
        if n_multiplied == n_factors:
            for lane in range(_LANES):
                total += np.log(product[lane])
                product[lane] = 1.0
            n_multiplied = 0
    for lane in range(_LANES):
        total += np.log(product[lane])
    return total
