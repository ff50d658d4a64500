r"""Bits of a parent layer of a sigmoid belief net: Gibbs sweeps, and Saul's mean field.

Children i have the log odds :math:`a_i = b_i + \sum_j z_j W_{ji}`. With means
:math:`\mu` of the parents and :math:`\xi_i` between 0 and 1,

.. math:: \mathbb{E}[\log(1 + e^{a_i})] \le \xi_i \mathbb{E}[a_i] +
   \log(e^{A_{0i}} + e^{A_{1i}}), \qquad e^{A_{0i}} = \mathbb{E}[e^{-\xi_i a_i}], \quad
   e^{A_{1i}} = \mathbb{E}[e^{(1 - \xi_i) a_i}]

whose expectations are products over parents [1]_. An update of a mean by the tangent of
this bound improves it. The curvature by :math:`\xi_i` is a variance.

References
----------
.. [1] Saul, Jaakkola and Jordan (1996). Mean field theory for sigmoid belief networks.
   Journal of Artificial Intelligence Research.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.bernoulli import sum_logs

# Number of factors that are multiplied before a logarithm is taken.
_FACTORS = 8


class SaulRows(NamedTuple):
    """Means of parents, (n_rows, n_bits), and children t and xi, (n_rows,
    n_children)."""

    mean: np.ndarray
    t: np.ndarray
    xi: np.ndarray


@kernel
def _loss(a, t, terms, factors):
    """Negative log probability of children t, NaN where unknown, given log odds."""
    for i in range(len(a)):
        value, target = a[i], t[i]
        size = value if value > 0 else -value
        term = (value if value > 0 else 0 * value) - target * value
        known = target == target
        terms[i] = term if known else 0.0
        factors[i] = np.float64(exp(-size)) + 1.0 if known else 1.0
    return sum_logs(terms, factors)


@kernel
def sweep(z, t, field, layer, noise, start, stop):
    """Draw each bit of rows z given the others, one after another, in place. Children t
    are NaN where unknown; ``field`` are log odds of the bits given the layer above;
    ``layer`` are weights, (n_bits, n_children), and biases of the children; ``noise``
    is uniform."""
    W, b = layer
    one, n = z.dtype.type(1), W.shape[1]
    a, flipped = np.empty(n, W.dtype), np.empty(n, W.dtype)
    terms, factors = np.empty(n), np.empty(n)
    for r in range(start, stop):
        for i in range(n):
            a[i] = b[i]
        for j in range(len(W)):
            for i in range(n):
                a[i] += z[r, j] * W[j, i]
        loss = _loss(a, t[r], terms, factors)
        for j in range(len(W)):
            sign = one - z[r, j] - z[r, j]
            for i in range(n):
                flipped[i] = a[i] + sign * W[j, i]
            new_loss = _loss(flipped, t[r], terms, factors)
            gain = np.float64(sign * field[r, j]) + loss - new_loss
            if noise[r, j] < 1.0 / (1.0 + exp(-gain)):
                loss, z[r, j] = new_loss, one - z[r, j]
                for i in range(n):
                    a[i] = flipped[i]


@kernel
def mean_field(rows, field, layer, slack, found, start, stop):
    """Update each mean of rows of parents in turn, in place. ``field`` is that of
    :func:`sweep`, and ``slack`` the largest odds. ``found`` gets xi after a Newton
    step, and each child's weight of the second expectation."""
    (mean, t, xi), (W, b), (better, share) = rows, layer, found
    one, half, n = W.dtype.type(1), W.dtype.type(0.5), W.shape[1]
    smallest = one / slack
    up = np.empty(W.shape, W.dtype)
    for j in range(len(W)):
        for i in range(n):
            up[j, i] = exp(W[j, i])
    work = np.empty((11, n), W.dtype)
    odds, middle, first, second = work[0], work[1], work[2], work[3]
    spread, over, tilted, other = work[4], work[5], work[6], work[7]
    known, gap, terms = work[8], work[9], work[10]
    for r in range(start, stop):
        for i in range(n):
            seen = t[r, i] == t[r, i]
            known[i] = one if seen else 0 * one
            gap[i] = t[r, i] - xi[r, i] if seen else 0 * one
            odds[i], middle[i] = exp(b[i]), b[i]
            first[i] = second[i] = b[i]
            spread[i] = over[i] = 0 * one
        for j in range(len(W)):
            m = mean[r, j]
            for i in range(n):
                low = exp(-xi[r, i] * W[j, i])
                ratio = (one - m + m * low * up[j, i]) / (one - m + m * low)
                value = odds[i] * ratio
                value = value if value < slack else slack
                odds[i] = value if value > smallest else smallest
        for j in range(len(W)):
            m = mean[r, j]
            for i in range(n):
                low = exp(-xi[r, i] * W[j, i])
                high = low * up[j, i]
                part = odds[i] / (one + odds[i])
                slope = part * (high - one) / (one - m + m * high)
                slope += (one - part) * (low - one) / (one - m + m * low)
                terms[i] = gap[i] * W[j, i] - known[i] * slope
            total = field[r, j]
            for i in range(n):
                total += terms[i]
            new = one / (one + exp(-total))
            mean[r, j] = new
            for i in range(n):
                low = exp(-xi[r, i] * W[j, i])
                high = low * up[j, i]
                below, above = one - new + new * low, one - new + new * high
                ratio = above * (one - m + m * low)
                ratio /= below * (one - m + m * high)
                value = odds[i] * ratio
                value = value if value < slack else slack
                odds[i] = value if value > smallest else smallest
                # Tilted probabilities of this parent, with log partitions A0 and A1.
                tilted[i], other[i] = new * low / below, new * high / above
            for i in range(n):
                middle[i] += new * W[j, i]
                first[i] += tilted[i] * W[j, i]
                spread[i] += tilted[i] * (one - tilted[i]) * W[j, i] * W[j, i]
            for i in range(n):
                second[i] += other[i] * W[j, i]
                over[i] += other[i] * (one - other[i]) * W[j, i] * W[j, i]
        for i in range(n):
            part, difference = odds[i] / (one + odds[i]), second[i] - first[i]
            slope = first[i] + part * difference - middle[i]
            curve = spread[i] + part * (over[i] - spread[i])
            curve += part * (one - part) * difference * difference + smallest
            step = min(max(slope / curve, -half), half)
            better[r, i] = min(max(xi[r, i] + step, 0 * one), one)
            share[r, i] = part


@kernel
def bound(rows, layer, out, start, stop):
    """Write the bound on each row's expected log probability of children to ``out``."""
    (mean, t, xi), (W, b) = rows, layer
    n = W.shape[1]
    work = np.empty((5, n))
    middle, first, second, low, high = work[0], work[1], work[2], work[3], work[4]
    for r in range(start, stop):
        for i in range(n):
            middle[i], low[i], high[i] = b[i], 1.0, 1.0
            first[i] = -np.float64(xi[r, i]) * b[i]
            second[i] = (1.0 - xi[r, i]) * np.float64(b[i])
        for j in range(len(W)):
            m = np.float64(mean[r, j])
            for i in range(n):
                weight = np.float64(W[j, i])
                middle[i] += m * weight
                low[i] *= 1.0 + m * (exp(-xi[r, i] * weight) - 1.0)
                high[i] *= 1.0 + m * (exp((1.0 - xi[r, i]) * weight) - 1.0)
            if j % _FACTORS == _FACTORS - 1 or j == len(W) - 1:
                for i in range(n):
                    first[i] += np.log(low[i])
                    second[i] += np.log(high[i])
                    low[i] = high[i] = 1.0
        total = 0.0
        for i in range(n):
            size = abs(second[i] - first[i])
            top = max(second[i], first[i]) + np.log(1.0 + exp(-size))
            term = (t[r, i] - xi[r, i]) * middle[i] - top
            total += term if t[r, i] == t[r, i] else 0.0
        out[r] = total


@kernel
def slope(rows, W, share, out, start, stop):
    """Write the gradient of the sum of :func:`bound` by weights, for a range of
    parents, to ``out``."""
    mean, t, xi = rows
    one, n = W.dtype.type(1), W.shape[1]
    up = np.empty(n, W.dtype)
    for j in range(start, stop):
        for i in range(n):
            up[i], out[j, i] = exp(W[j, i]), 0 * one
        for r in range(len(mean)):
            m = mean[r, j]
            for i in range(n):
                low = exp(-xi[r, i] * W[j, i])
                high = low * up[i]
                part = t[r, i] - xi[r, i]
                part += (one - share[r, i]) * xi[r, i] * low / (one - m + m * low)
                part -= share[r, i] * (one - xi[r, i]) * high / (one - m + m * high)
                out[j, i] += m * part if t[r, i] == t[r, i] else 0 * m
