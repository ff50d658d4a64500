r"""Log odds of a binary unit, and log density of a real one, with those above summed
out.

.. math:: \sum_j \log\frac{1 + e^{\eta_j + w_j}}{1 + e^{\eta_j}} =
   \log \prod_j \left(1 + \sigma(\eta_j) \, (e^{w_j} - 1)\right)

where :math:`\eta` are the fields above with the unit off: one logarithm for several
factors, and the last bracket is the same for all rows. A real unit's density is

.. math:: \log p(v_i) = f(v_i) - \log \int e^{f(u)} \mathrm{d}u, \qquad f(u) =
   \theta u - \tfrac12 \lambda u^2 + \sum_j \log\left(1 + e^{\eta_j + \lambda (u - v_i)
   w_j}\right)

by the sum over equidistant points, which is exact but for rounding where f is smooth at
their distance.
"""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.bernoulli import sum_softplus

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
def log_density(
    field, W, v, units, theta, precision, edges, n_points, out, start, stop
):
    """Log densities of some real units of each row.

    Parameters
    ----------
    field : ndarray of shape (n_rows, n_above)
        Natural parameters of the units above.
    W : ndarray of shape (n_below, n_above)
    v : ndarray of shape (n_rows, n_below)
        Values of the units below, with which ``field`` was computed.
    units : ndarray of int, shape (n_rows, n_units)
    theta, precision : ndarray of shape (n_below,)
        Natural parameters of the units below, without input.
    edges : ndarray of shape (2, n_below)
        First and last point of each one's integral.
    n_points : ndarray of int, shape (n_below,)
        Number of points; 0 for units without a density.
    out : ndarray of shape (n_rows, n_units), float64
    """
    room, eta = np.empty((2, field.shape[1])), np.empty(field.shape[1], field.dtype)
    for r in range(start, stop):
        for k in range(units.shape[1]):
            i = units[r, k]
            if not n_points[i]:
                out[r, k] = np.nan
                continue
            own, w, base = v[r, i], W[i], field[r]
            distance = (edges[1, i] - edges[0, i]) / (n_points[i] - 1)
            best, rest = -np.inf, 0.0
            for number in range(n_points[i]):
                u = edges[0, i] + number * distance
                f = log_weight(u, own, w, base, theta[i], precision[i], eta, room)
                if f > best:
                    rest, best = rest * np.exp(best - f) + 1.0, f
                else:
                    rest += np.exp(f - best)
            f = log_weight(own, own, w, base, theta[i], precision[i], eta, room)
            out[r, k] = f - best - np.log(rest * distance)


@kernel
def log_weight(u, own, w, base, theta, precision, eta, room):
    """The log weight of the value u of a unit, up to a constant."""
    step = base.dtype.type(precision * (u - own))
    for j in range(len(eta)):
        eta[j] = base[j] + step * w[j]
    return theta * u - 0.5 * precision * u * u + sum_softplus(eta, room)


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
