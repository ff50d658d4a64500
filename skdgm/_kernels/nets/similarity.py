r"""Mixtures of Gaussian kernels of all pairs of rows, in one pass over their products.

.. math:: k(x, y) = \frac1S \sum_s e^{-\gamma_s d}, \qquad
   \frac{\partial k}{\partial d} = -\frac1S \sum_s \gamma_s e^{-\gamma_s d}, \qquad
   d = \lVert x \rVert^2 + \lVert y \rVert^2 - 2 x y^\top
"""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import inner, kernel


@inner("reassoc")
def _total(terms):
    total = 0.0
    for j in range(len(terms)):
        total += np.float64(terms[j])
    return total


@kernel
def similarities(pairs, own, other, gammas, sums, start, stop):
    """Write the sum of each row's kernels to ``sums``, (n_rows,), in float64, and
    replace the products ``pairs``, (n_rows, n_others), by the derivatives of kernels by
    squared distances. ``own`` and ``other`` are squared norms, and ``gammas``,
    (n_kernels,), are half the inverse squared bandwidths, in the dtype of ``pairs``."""
    zero, two = pairs.dtype.type(0), pairs.dtype.type(2)
    share = pairs.dtype.type(1 / len(gammas))
    work = np.empty((2, pairs.shape[1]), pairs.dtype)
    gaps, value = work[0], work[1]
    for r in range(start, stop):
        slope, norm = pairs[r], own[r]
        for j in range(len(gaps)):
            gap = norm + other[j] - two * slope[j]
            gaps[j] = gap if gap > zero else zero
            value[j] = zero
            slope[j] = zero
        for s in range(len(gammas)):
            gamma = gammas[s]
            weight = share * gamma
            for j in range(len(gaps)):
                kernel_value = exp(-gamma * gaps[j])
                value[j] += share * kernel_value
                slope[j] -= weight * kernel_value
        sums[r] = _total(value)
