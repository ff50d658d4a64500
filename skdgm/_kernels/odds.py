r"""Log odds of a binary unit of which those above are summed out.

.. math:: \sum_j \log\frac{1 + e^{\eta_j + w_j}}{1 + e^{\eta_j}} =
   \log \prod_j \left(1 + \sigma(\eta_j) \, (e^{w_j} - 1)\right)

where :math:`\eta` are the fields above with the unit off: one logarithm for several
factors, and the last bracket is the same for all rows.
"""

import numpy as np

from skdgm._kernels.exp import exp
from skdgm._kernels.jit import kernel

# Factors between e^-40 and e^40 that have a product of at most e^640; and that limit.
_FACTORS, LIMIT = 16, 40.0


@kernel
def log_odds(field, W, rise, v, units, out, start, stop):
    """Add the log odds of some units of each row, but for their biases, to ``out``.

    Parameters
    ----------
    field : ndarray of shape (n_rows, n_above)
        Natural parameters of the units above.
    W, rise : ndarray of shape (n_below, n_above)
        Weights, of magnitudes of at most ``LIMIT``, and exp(W) - 1 in float64.
    v : ndarray of shape (n_rows, n_below)
        Values of the units below, with which ``field`` was computed.
    units : ndarray of int, shape (n_rows, n_units)
        Units below.
    out : ndarray of shape (n_rows, n_units), float64
    """
    n_above, one = field.shape[1], field.dtype.type(1)
    line, factor = np.empty(n_above, field.dtype), np.empty(n_above)
    for r in range(start, stop):
        for k in range(units.shape[1]):
            i = units[r, k]
            own = v[r, i]
            for j in range(n_above):
                line[j] = own * W[i, j] - field[r, j]
            for j in range(n_above):
                line[j] = one / (one + exp(line[j]))
            for j in range(n_above):
                factor[j] = 1.0 + line[j] * rise[i, j]
            out[r, k] += log_of_product(factor)


@kernel
def log_of_product(factor):
    """The logarithm of the product of all factors, which are used up."""
    width, fewest = len(factor), -(-len(factor) // _FACTORS)
    while width > fewest:
        half = max(fewest, (width + 1) // 2)
        for j in range(width - half):
            factor[j] *= factor[j + half]
        width = half
    total = 0.0
    for j in range(width):
        total += np.log(factor[j])
    return total
