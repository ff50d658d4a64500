r"""Log odds of a binary unit and log density of a real unit given all other visible
units.

Hidden units are summed out. The log odds of a binary unit contain

.. math:: \sum_j \log\frac{1 + e^{\eta_j + w_j}}{1 + e^{\eta_j}} =
   \log \prod_j \left(1 + \sigma(\eta_j) \, (e^{w_j} - 1)\right)

where :math:`\eta` are the inputs of hidden units with the unit off. One logarithm is
taken for several factors, and the last parentheses are the same for all rows. The
density of a real unit is

.. math:: \log p(v_i) = f(v_i) - \log \int e^{f(u)} \mathrm{d}u, \qquad f(u) =
   \theta u - \tfrac12 \lambda u^2 + \sum_j \log\left(1 + e^{\eta_j + \lambda (u - v_i)
   w_j}\right)

The integral is a sum over equidistant points, which is exact up to rounding if f is
smooth on the scale of their distance.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.bernoulli import sum_softplus

# Number of factors that are multiplied, each between e^-40 and e^40; largest exponent.
_FACTORS, LIMIT = 16, 40.0


class UnitRows(NamedTuple):
    """Natural parameters above, (n_rows, n_above), given the values v, (n_rows,
    n_below), and units of each row, (n_rows, n_units)."""

    field: np.ndarray
    v: np.ndarray
    units: np.ndarray


class RealUnitArrays(NamedTuple):
    """Weights, (n_below, n_above), and natural parameters without inputs, (n_below,).
    The integral of unit i is over ``n_points[i]`` points from ``edges[0, i]`` to
    ``edges[1, i]``."""

    W: np.ndarray
    theta: np.ndarray
    precision: np.ndarray
    edges: np.ndarray
    n_points: np.ndarray


@kernel
def log_odds(rows, W, rise, out, start, stop):
    """Add the log odds of units of each row, without their biases, to ``out``, (n_rows,
    n_units). W and ``rise`` = exp(W) - 1 (float64) have shape (n_below, n_above), with
    magnitudes of W up to ``LIMIT``."""
    field, v, units = rows
    n_above, one = field.shape[1], field.dtype.type(1)
    line, factor = np.empty(n_above, field.dtype), np.empty(n_above)
    for r in range(start, stop):
        for k in range(units.shape[1]):
            i = units[r, k]
            value = v[r, i]
            for j in range(n_above):
                line[j] = value * W[i, j] - field[r, j]
            for j in range(n_above):
                line[j] = one / (one + exp(line[j]))
            for j in range(n_above):
                factor[j] = 1.0 + line[j] * rise[i, j]
            out[r, k] += log_of_product(factor)


@kernel
def log_density(rows, block, out, start, stop):
    """Write log densities of real units of each row to ``out``, (n_rows, n_units), in
    float64; units without points get NaN."""
    (field, v, units), (W, theta, precision, edges, n_points) = rows, block
    work, eta = np.empty((2, field.shape[1])), np.empty(field.shape[1], field.dtype)
    for r in range(start, stop):
        for k in range(units.shape[1]):
            i = units[r, k]
            if not n_points[i]:
                out[r, k] = np.nan
                continue
            value, inputs = v[r, i], (field[r], W[i])
            unit = theta[i], precision[i]
            distance = (edges[1, i] - edges[0, i]) / (n_points[i] - 1)
            best, scaled_sum = -np.inf, 0.0
            for number in range(n_points[i]):
                u = edges[0, i] + number * distance
                f = log_weight(u, value, inputs, unit, eta, work)
                if f > best:
                    scaled_sum, best = scaled_sum * np.exp(best - f) + 1.0, f
                else:
                    scaled_sum += np.exp(f - best)
            f = log_weight(value, value, inputs, unit, eta, work)
            out[r, k] = f - best - np.log(scaled_sum * distance)


@kernel
def log_weight(u, value, inputs, unit, eta, workspace):
    """Log weight of the value u of a unit, up to a constant. ``inputs`` are the natural
    parameters above given ``value``, and weights; ``unit`` are natural parameters."""
    (base, w), (theta, precision) = inputs, unit
    step = base.dtype.type(precision * (u - value))
    for j in range(len(eta)):
        eta[j] = base[j] + step * w[j]
    return theta * u - 0.5 * precision * u * u + sum_softplus(eta, workspace)


@kernel
def log_of_product(factor):
    """Logarithm of the product of all factors, which are overwritten."""
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
