r"""Monotone rational-quadratic splines of entries, and gradients by all that they have.

With :math:`\theta = (x - x_k) / w_k`, :math:`t = \theta (1 - \theta)` and
:math:`s = h_k / w_k`, in the k-th of K bins,

.. math:: y = y_k + h_k \frac{s \theta^2 + d_k t}{D}, \qquad
   \frac{dy}{dx} = \frac{s^2 B}{D^2}, \qquad D = s + (d_k + d_{k+1} - 2 s) t, \quad
   B = d_{k+1} \theta^2 + 2 s t + d_k (1 - \theta)^2

Raw numbers of a column are K for widths, K for heights and K - 1 for slopes; ``raw``
has those of each row, or of all rows at once. ``own`` holds the range's bound, the
least share of a bin, the least slope, and what is added to raw slopes.
"""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import inner, kernel


@inner()
def _shares(raw, r, n, room):
    """Shares of the range, in ``room``: of all columns the widths, then heights."""
    for t in range(raw.shape[1]):
        for part in range(2):
            high = raw[r, t, part * n]
            for k in range(1, n):
                high = max(high, raw[r, t, part * n + k])
            for k in range(n):
                room[(2 * t + part) * n + k] = raw[r, t, part * n + k] - high
    for i in range(room.shape[0]):
        room[i] = exp(room[i])
    for i in range(2 * raw.shape[1]):
        total = room[i * n]
        for k in range(1, n):
            total += room[i * n + k]
        per = raw.dtype.type(1) / total
        for k in range(n):
            room[i * n + k] *= per


@inner()
def _slope(v, own):
    """Slope of a raw number."""
    v += own[3]
    high = max(v, 0 * v)
    return own[2] + high + np.log1p(exp(-abs(v)))


@inner()
def _bin(value, raw, r, t, n, own, room, of_y, bin):
    """Bin of a value of x, or of y, and into ``bin`` where it starts, in x and in y,
    its width, height and slopes."""
    least, one = own[1], own.dtype.type(1)
    scale, index = (one + one) * own[0], n - 1
    rest = one - n * least
    bin[0] = bin[2] = -own[0]
    for k in range(n):
        bin[1] = scale * (least + rest * room[2 * t * n + k])
        bin[3] = scale * (least + rest * room[(2 * t + 1) * n + k])
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
    """Splines of x, of shape (n_rows, n_columns), into ``found``, and the logs of their
    slopes."""
    n, one = (raw.shape[2] + 1) // 3, own.dtype.type(1)
    room, bin = np.empty(2 * n * x.shape[1], x.dtype), np.empty(6, x.dtype)
    for r in range(x.shape[0]):
        of = r if raw.shape[0] > 1 else 0
        if of == r:
            _shares(raw, of, n, room)
        for t in range(x.shape[1]):
            v = x[r, t]
            if not abs(v) < own[0]:
                found[r, t], log_slope[r, t] = v, 0 * one
                continue
            _bin(v, raw, of, t, n, own, room, False, bin)
            start, w, y, h, low, high = bin
            theta = min(max((v - start) / w, 0 * one), one)
            s, rest = h / w, one - theta
            both = theta * rest
            den = s + (low + high - s - s) * both
            B = high * theta * theta + (s + s) * both + low * rest * rest
            found[r, t] = y + h * (s * theta * theta + low * both) / den
            ratio = s / den
            log_slope[r, t] = np.log(ratio * ratio * B)


@kernel
def inverses(y, raw, own, found):
    """Values whose splines are y, into ``found``."""
    n, one = (raw.shape[2] + 1) // 3, own.dtype.type(1)
    room, bin = np.empty(2 * n * y.shape[1], y.dtype), np.empty(6, y.dtype)
    for r in range(y.shape[0]):
        of = r if raw.shape[0] > 1 else 0
        if of == r:
            _shares(raw, of, n, room)
        for t in range(y.shape[1]):
            v = y[r, t]
            if not abs(v) < own[0]:
                found[r, t] = v
                continue
            _bin(v, raw, of, t, n, own, room, True, bin)
            start, w, first, h, low, high = bin
            s, gap = h / w, v - first
            more = gap * (low + high - s - s)
            a, b, c = h * (s - low) + more, h * low - more, -s * gap
            ac = a * c
            root = np.sqrt(max(b * b - (ac + ac + ac + ac), 0 * one))
            theta = (c + c) / (-b - root)
            found[r, t] = start + w * min(max(theta, 0 * one), one)


@kernel
def gradients(x, raw, own, by_y, by_log, by_x, by_raw):
    """Gradients by x into ``by_x``, and added to ``by_raw`` by raw numbers, given those
    by the splines and by the logs of their slopes."""
    n, one = (raw.shape[2] + 1) // 3, own.dtype.type(1)
    room, bin = np.empty(2 * n * x.shape[1], x.dtype), np.empty(6, x.dtype)
    factor = (one + one) * own[0] * (one - n * own[1])
    for r in range(x.shape[0]):
        of = r if raw.shape[0] > 1 else 0
        if of == r:
            _shares(raw, of, n, room)
        for t in range(x.shape[1]):
            v, gy, gl = x[r, t], by_y[r, t], by_log[r, t]
            if not abs(v) < own[0]:
                by_x[r, t] = gy
                continue
            index = _bin(v, raw, of, t, n, own, room, False, bin)
            start, w, _, h, low, high = bin
            theta = min(max((v - start) / w, 0 * one), one)
            s, rest = h / w, one - theta
            both, square = theta * rest, theta * theta
            curve = low + high - s - s
            den, q = s + curve * both, s * square + low * both
            B = high * square + (s + s) * both + low * rest * rest
            g_q, g_B = gy * h / den, gl / B
            g_den = -(g_q * q + gl + gl) / den
            g_s = (gl + gl) / s + g_q * square + g_den * (one - both - both)
            g_s += (g_B + g_B) * both
            g_low = (g_q + g_den) * both + g_B * rest * rest
            g_high = g_den * both + g_B * square
            g_both = g_q * low + g_den * curve + (g_B + g_B) * s
            g_theta = (g_q * s + g_B * high) * theta - g_B * low * rest
            g_theta = g_theta + g_theta + g_both * (rest - theta)
            by_x[r, t] = g_theta / w
            # A bin begins where those before it end.
            for part in range(2):
                g_start = gy if part else -by_x[r, t]
                g_size = -(g_s * s + g_theta * theta) / w
                if part:
                    g_size = gy * q / den + g_s / w
                g_start, g_size = factor * g_start, factor * g_size
                at, mean = (2 * t + part) * n, 0 * one
                for k in range(index):
                    mean += room[at + k]
                mean = mean * g_start + g_size * room[at + index]
                for k in range(n):
                    own_part = -mean
                    if k < index:
                        own_part += g_start
                    elif k == index:
                        own_part += g_size
                    by_raw[of, t, part * n + k] += room[at + k] * own_part
            if index > 0:
                v = raw[of, t, 2 * n + index - 1] + own[3]
                by_raw[of, t, 2 * n + index - 1] += g_low / (one + exp(-v))
            if index < n - 1:
                v = raw[of, t, 2 * n + index] + own[3]
                by_raw[of, t, 2 * n + index] += g_high / (one + exp(-v))
