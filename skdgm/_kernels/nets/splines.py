r"""Monotone rational-quadratic splines of entries, and gradients by all arguments.

With :math:`\theta = (x - x_k) / w_k`, :math:`t = \theta (1 - \theta)` and :math:`s =
h_k / w_k`, in the k-th of K bins,

.. math:: y = y_k + h_k \frac{s \theta^2 + d_k t}{D}, \qquad
   \frac{dy}{dx} = \frac{s^2 B}{D^2}, \qquad D = s + (d_k + d_{k+1} - 2 s) t, \quad
   B = d_{k+1} \theta^2 + 2 s t + d_k (1 - \theta)^2

Parameters of a column are K for widths, K for heights and K - 1 for slopes; ``raw`` has
those of each row, or of all rows. ``own`` is the bound of the range, the minimum share
of a bin, the minimum slope, and a constant that is added to the parameters of slopes.
"""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import inner, kernel


@inner()
def _shares(raw, r, n, workspace):
    """Write the shares of the range to ``workspace``: widths, then heights, for each
    column."""
    for t in range(raw.shape[1]):
        for part in range(2):
            high = raw[r, t, part * n]
            for k in range(1, n):
                high = max(high, raw[r, t, part * n + k])
            for k in range(n):
                workspace[(2 * t + part) * n + k] = raw[r, t, part * n + k] - high
    for i in range(workspace.shape[0]):
        workspace[i] = exp(workspace[i])
    for i in range(2 * raw.shape[1]):
        total = workspace[i * n]
        for k in range(1, n):
            total += workspace[i * n + k]
        per = raw.dtype.type(1) / total
        for k in range(n):
            workspace[i * n + k] *= per


@inner()
def _slope(v, own):
    """Slope of a parameter v."""
    v += own[3]
    high = max(v, 0 * v)
    return own[2] + high + np.log1p(exp(-abs(v)))


@inner()
def _bin(value, raw, r, t, n, own, workspace, of_y, bin):
    """Index of the bin of a value of x, or of y. ``bin`` gets its start and width in x,
    its start and height in y, and its two slopes."""
    smallest, one = own[1], own.dtype.type(1)
    scale, index = (one + one) * own[0], n - 1
    free_share = one - n * smallest
    bin[0] = bin[2] = -own[0]
    for k in range(n):
        bin[1] = scale * (smallest + free_share * workspace[2 * t * n + k])
        bin[3] = scale * (smallest + free_share * workspace[(2 * t + 1) * n + k])
        end = bin[2] + bin[3] if of_y else bin[0] + bin[1]
        if value < end or k == n - 1:
            index = k
            break
        bin[0] += bin[1]
        bin[2] += bin[3]
    bin[4] = one if index == 0 else _slope(raw[r, t, 2 * n + index - 1], own)
    bin[5] = one if index == n - 1 else _slope(raw[r, t, 2 * n + index], own)
    return index


@kernel
def values(x, raw, own, found, log_slope):
    """Write splines of x, (n_rows, n_columns), to ``found``, and log slopes to
    ``log_slope``."""
    n, one = (raw.shape[2] + 1) // 3, own.dtype.type(1)
    work, bin = np.empty(2 * n * x.shape[1], x.dtype), np.empty(6, x.dtype)
    for r in range(x.shape[0]):
        raw_row = r if raw.shape[0] > 1 else 0
        if raw_row == r:
            _shares(raw, raw_row, n, work)
        for t in range(x.shape[1]):
            v = x[r, t]
            if not abs(v) < own[0]:
                found[r, t], log_slope[r, t] = v, 0 * one
                continue
            _bin(v, raw, raw_row, t, n, own, work, False, bin)
            start, w, y, h, low, high = bin
            theta = min(max((v - start) / w, 0 * one), one)
            s, complement = h / w, one - theta
            product = theta * complement
            den = s + (low + high - s - s) * product
            B = high * theta * theta + (s + s) * product + low * complement * complement
            found[r, t] = y + h * (s * theta * theta + low * product) / den
            ratio = s / den
            log_slope[r, t] = np.log(ratio * ratio * B)


@kernel
def inverses(y, raw, own, found):
    """Write the values whose splines are y to ``found``."""
    n, one = (raw.shape[2] + 1) // 3, own.dtype.type(1)
    work, bin = np.empty(2 * n * y.shape[1], y.dtype), np.empty(6, y.dtype)
    for r in range(y.shape[0]):
        raw_row = r if raw.shape[0] > 1 else 0
        if raw_row == r:
            _shares(raw, raw_row, n, work)
        for t in range(y.shape[1]):
            v = y[r, t]
            if not abs(v) < own[0]:
                found[r, t] = v
                continue
            _bin(v, raw, raw_row, t, n, own, work, True, bin)
            start, w, first, h, low, high = bin
            s, gap = h / w, v - first
            correction = gap * (low + high - s - s)
            a, b, c = h * (s - low) + correction, h * low - correction, -s * gap
            ac = a * c
            root = np.sqrt(max(b * b - (ac + ac + ac + ac), 0 * one))
            theta = (c + c) / (-b - root)
            found[r, t] = start + w * min(max(theta, 0 * one), one)


@kernel
def gradients(x, raw, own, by_y, by_log, by_x, by_raw):
    """Write the gradients by x to ``by_x``, and add those by parameters to ``by_raw``,
    given the gradients by the splines and by their log slopes."""
    n, one = (raw.shape[2] + 1) // 3, own.dtype.type(1)
    work, bin = np.empty(2 * n * x.shape[1], x.dtype), np.empty(6, x.dtype)
    factor = (one + one) * own[0] * (one - n * own[1])
    for r in range(x.shape[0]):
        raw_row = r if raw.shape[0] > 1 else 0
        if raw_row == r:
            _shares(raw, raw_row, n, work)
        for t in range(x.shape[1]):
            v, gy, gl = x[r, t], by_y[r, t], by_log[r, t]
            if not abs(v) < own[0]:
                by_x[r, t] = gy
                continue
            index = _bin(v, raw, raw_row, t, n, own, work, False, bin)
            start, w, _, h, low, high = bin
            theta = min(max((v - start) / w, 0 * one), one)
            s, complement = h / w, one - theta
            product, square = theta * complement, theta * theta
            curve = low + high - s - s
            den, q = s + curve * product, s * square + low * product
            B = high * square + (s + s) * product + low * complement * complement
            g_q, g_B = gy * h / den, gl / B
            g_den = -(g_q * q + gl + gl) / den
            g_s = (gl + gl) / s + g_q * square + g_den * (one - product - product)
            g_s += (g_B + g_B) * product
            g_low = (g_q + g_den) * product + g_B * complement * complement
            g_high = g_den * product + g_B * square
            g_both = g_q * low + g_den * curve + (g_B + g_B) * s
            g_theta = (g_q * s + g_B * high) * theta - g_B * low * complement
            g_theta = g_theta + g_theta + g_both * (complement - theta)
            by_x[r, t] = g_theta / w
            # A bin begins at the end of the previous bin.
            for part in range(2):
                g_start = gy if part else -by_x[r, t]
                g_size = -(g_s * s + g_theta * theta) / w
                if part:
                    g_size = gy * q / den + g_s / w
                g_start, g_size = factor * g_start, factor * g_size
                at, mean = (2 * t + part) * n, 0 * one
                for k in range(index):
                    mean += work[at + k]
                mean = mean * g_start + g_size * work[at + index]
                for k in range(n):
                    by_share = -mean
                    if k < index:
                        by_share += g_start
                    elif k == index:
                        by_share += g_size
                    by_raw[raw_row, t, part * n + k] += work[at + k] * by_share
            if index > 0:
                v = raw[raw_row, t, 2 * n + index - 1] + own[3]
                by_raw[raw_row, t, 2 * n + index - 1] += g_low / (one + exp(-v))
            if index < n - 1:
                v = raw[raw_row, t, 2 * n + index] + own[3]
                by_raw[raw_row, t, 2 * n + index] += g_high / (one + exp(-v))
