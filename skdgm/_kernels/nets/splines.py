r"""Monotone rational-quadratic splines of entries, and gradients by all arguments.

With :math:`\theta = (x - x_k) / w_k`, :math:`t = \theta (1 - \theta)` and :math:`s =
h_k / w_k`, in the k-th of K bins,

.. math:: y = y_k + h_k \frac{s \theta^2 + d_k t}{D}, \qquad
   \frac{dy}{dx} = \frac{s^2 B}{D^2}, \qquad D = s + (d_k + d_{k+1} - 2 s) t, \quad
   B = d_{k+1} \theta^2 + 2 s t + d_k (1 - \theta)^2

Entries x are flat arrays. The parameters of an entry, a row of ``raw``, are K for
widths, K for heights and K - 1 for slopes; the rows repeat if there are fewer of them
than entries. ``own`` is the bound of the range, the minimum share of a bin, the minimum
slope, and a constant that is added to the parameters of slopes.

Entries are computed in blocks, by a loop over the block for each operation, which
compilers can vectorize.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.compiler.log import log

# Number of entries of a block.
LANES = 128


class Block(NamedTuple):
    """Entries of a block, with their bins and parameters.

    x are the entries, (LANES,), or 0 outside the range. ``raw`` are parameters,
    (3 K, LANES), of which widths and heights are replaced by shares. ``index`` are the
    numbers of bins. Their ``starts`` and ``sizes`` in x and in y, and the ``slopes`` at
    both ends, have shape (2, LANES). ``work`` is workspace, (9, LANES).
    """

    x: np.ndarray
    raw: np.ndarray
    index: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    slopes: np.ndarray
    work: np.ndarray


@inner()
def _block(n_bins, own):
    raw, index = np.empty((3 * n_bins, LANES), own.dtype), np.empty(LANES, np.int32)
    # Compilers know that rows of one array do not overlap.
    rows = np.empty((16, LANES), own.dtype)
    return Block(rows[0], raw, index, rows[1:3], rows[3:5], rows[5:7], rows[7:])


@inner()
def _read(values, raw, own, first, n, block):
    """Read the ``n`` entries from the ``first`` on, and their parameters. The last
    value is repeated."""
    row, columns = first % raw.shape[0], block.raw
    for i in range(LANES):
        v = values[first + min(i, n - 1)]
        block.x[i] = v if abs(v) < own[0] else 0 * own[0]
        for k in range(raw.shape[1]):
            columns[k, i] = raw[row, k]
        row = row + 1 if row + 1 < raw.shape[0] else 0


@inner()
def _shares(part, number):
    """Replace widths, or heights, (n_bins, LANES), by shares of the range."""
    one = part.dtype.type(1)
    for k in range(len(part)):
        for i in range(LANES):
            number[i] = max(number[i], part[k, i]) if k > 0 else part[k, i]
    for k in range(len(part)):
        for i in range(LANES):
            part[k, i] = exp(part[k, i] - number[i])
    for i in range(LANES):
        number[i] = 0 * one
    for k in range(len(part)):
        for i in range(LANES):
            number[i] += part[k, i]
    for i in range(LANES):
        number[i] = one / number[i]
    for k in range(len(part)):
        for i in range(LANES):
            part[k, i] *= number[i]


@inner()
def _replace(old, new, start, x):
    """Replace numbers of the entries that are not below the start of a bin."""
    for i in range(LANES):
        a, b = old[i], new[i]
        old[i] = b if x[i] >= start[i] else a


@inner()
def _find(block, own, of_y):
    """Find the bins of entries, which are values of x, or of y."""
    n_bins, one = len(block.raw) // 3, own.dtype.type(1)
    scale, free_share = (one + one) * own[0], one - n_bins * own[1]
    ends, sizes, x = block.work[:2], block.work[2:4], block.x
    searched = ends[1] if of_y else ends[0]
    _shares(block.raw[:n_bins], ends[0])
    _shares(block.raw[n_bins : 2 * n_bins], ends[0])
    for i in range(LANES):
        ends[0, i] = ends[1, i] = block.starts[0, i] = block.starts[1, i] = -own[0]
        block.index[i] = 0
    for k in range(n_bins):
        for of in range(2):
            for i in range(LANES):
                share = block.raw[of * n_bins + k, i]
                sizes[of, i] = scale * (own[1] + free_share * share)
            _replace(block.starts[of], ends[of], searched, x)
            _replace(block.sizes[of], sizes[of], searched, x)
        number = np.int32(k)
        for i in range(LANES):
            last = block.index[i]
            block.index[i] = number if x[i] >= searched[i] else last
        for of in range(2):
            for i in range(LANES):
                ends[of, i] += sizes[of, i]
    for i in range(LANES):
        k = block.index[i]
        block.slopes[0, i] = block.raw[2 * n_bins + max(k - 1, 0), i] + own[3]
        block.slopes[1, i] = block.raw[2 * n_bins + min(k, n_bins - 2), i] + own[3]


@inner()
def _raise(slope, index, edge, own):
    """Replace parameters by slopes, which are 1 at the edge of the range."""
    one = own.dtype.type(1)
    for i in range(LANES):
        v = slope[i]
        e = exp(-abs(v))
        total = one + e
        # The logarithm of 1 + e, corrected for the rounding of the sum.
        rest, number = total - one, log(total)
        number = number * e / rest if rest > 0 * one else e
        number += own[2] + max(v, 0 * v)
        slope[i] = one if index[i] == edge else number


@inner()
def _load(values, raw, own, first, n, block, of_y):
    """Load a block and find the bins and their slopes. Derivatives of slopes by their
    parameters are written to the workspace."""
    one = own.dtype.type(1)
    _read(values, raw, own, first, n, block)
    _find(block, own, of_y)
    for end in range(2):
        edge = 0 if end == 0 else len(block.raw) // 3 - 1
        for i in range(LANES):
            block.work[end, i] = one / (one + exp(-block.slopes[end, i]))
        _raise(block.slopes[end], block.index, edge, own)


@inner()
def _of_bin(block, i, own):
    """Relative position in the bin, its height over its width, and the terms D and B of
    an entry."""
    one = own.dtype.type(1)
    w, low, high = block.sizes[0, i], block.slopes[0, i], block.slopes[1, i]
    theta = min(max((block.x[i] - block.starts[0, i]) / w, 0 * one), one)
    s, complement = block.sizes[1, i] / w, one - theta
    product = theta * complement
    den = s + (low + high - s - s) * product
    B = high * theta * theta + (s + s) * product + low * complement * complement
    return theta, s, den, B


@kernel
def values(x, raw, own, found, log_slope, start, stop):
    """Write splines of entries ``start`` to ``stop`` to ``found``, and log slopes to
    ``log_slope``."""
    n_bins, one = (raw.shape[1] + 1) // 3, own.dtype.type(1)
    block = _block(n_bins, own)
    y, slope = block.work[2], block.work[3]
    for first in range(start, stop, LANES):
        n = min(LANES, stop - first)
        _load(x, raw, own, first, n, block, False)
        for i in range(LANES):
            theta, s, den, B = _of_bin(block, i, own)
            q = s * theta * theta + block.slopes[0, i] * (theta * (one - theta))
            y[i] = block.starts[1, i] + block.sizes[1, i] * q / den
            ratio = s / den
            slope[i] = ratio * ratio * B
        for i in range(LANES):
            slope[i] = log(slope[i])
        for i in range(n):
            v = x[first + i]
            is_inside = abs(v) < own[0]
            found[first + i] = y[i] if is_inside else v
            log_slope[first + i] = slope[i] if is_inside else 0 * one


@kernel
def inverses(y, raw, own, found, start, stop):
    """Write the values whose splines are entries ``start`` to ``stop`` of y to
    ``found``."""
    n_bins, one = (raw.shape[1] + 1) // 3, own.dtype.type(1)
    block = _block(n_bins, own)
    x = block.work[2]
    for first in range(start, stop, LANES):
        n = min(LANES, stop - first)
        _load(y, raw, own, first, n, block, True)
        for i in range(LANES):
            w, h = block.sizes[0, i], block.sizes[1, i]
            low, high = block.slopes[0, i], block.slopes[1, i]
            s, gap = h / w, block.x[i] - block.starts[1, i]
            correction = gap * (low + high - s - s)
            a, b, c = h * (s - low) + correction, h * low - correction, -s * gap
            ac = a * c
            root = np.sqrt(max(b * b - (ac + ac + ac + ac), 0 * one))
            theta = (c + c) / (-b - root)
            x[i] = block.starts[0, i] + w * min(max(theta, 0 * one), one)
        for i in range(n):
            v = y[first + i]
            found[first + i] = x[i] if abs(v) < own[0] else v


@inner()
def _by_bin(block, i, gy, gl, own):
    """Gradients by x, by the start in y, by both sizes, and by both slopes of the bin
    of an entry."""
    one = own.dtype.type(1)
    theta, s, den, B = _of_bin(block, i, own)
    w, h = block.sizes[0, i], block.sizes[1, i]
    low, high = block.slopes[0, i], block.slopes[1, i]
    complement, square = one - theta, theta * theta
    product, curve = theta * complement, low + high - s - s
    q = s * square + low * product
    g_q, g_B = gy * h / den, gl / B
    g_den = -(g_q * q + gl + gl) / den
    g_s = (gl + gl) / s + g_q * square + g_den * (one - product - product)
    g_s += (g_B + g_B) * product
    g_low = (g_q + g_den) * product + g_B * complement * complement
    g_high = g_den * product + g_B * square
    g_both = g_q * low + g_den * curve + (g_B + g_B) * s
    g_theta = (g_q * s + g_B * high) * theta - g_B * low * complement
    g_theta = g_theta + g_theta + g_both * (complement - theta)
    g_width = -(g_s * s + g_theta * theta) / w
    return g_theta / w, g_width, gy * q / den + g_s / w, g_low, g_high


@inner()
def _by_shares(part, index, by_start, by_size, mean):
    """Replace shares of bins, (n_bins, LANES), by the gradients by their parameters. A
    bin begins at the end of the previous bin."""
    for i in range(LANES):
        mean[i] = 0
    for again in range(2):
        for k in range(len(part)):
            number = np.int32(k)
            for i in range(LANES):
                share = part[k, i]
                pull = by_start[i] if number < index[i] else 0 * share
                pull = by_size[i] if number == index[i] else pull
                if again:
                    part[k, i] = share * (pull - mean[i])
                else:
                    mean[i] += share * pull


@kernel
def gradients(x, raw, own, by_y, by_log, by_x, by_raw, start, stop):
    """Write the gradients by entries ``start`` to ``stop`` of x to ``by_x``, and add
    those by parameters to ``by_raw``, given the gradients by the splines and by their
    log slopes."""
    n_bins, one = (raw.shape[1] + 1) // 3, own.dtype.type(1)
    block = _block(n_bins, own)
    by_ends, mean, back = block.work[:2], block.work[2], block.work[4:]
    factor = (one + one) * own[0] * (one - n_bins * own[1])
    for first in range(start, stop, LANES):
        n = min(LANES, stop - first)
        _load(x, raw, own, first, n, block, False)
        for i in range(LANES):
            entry = first + min(i, n - 1)
            is_inside = abs(x[entry]) < own[0]
            back[1, i] = by_y[entry] if is_inside else 0 * one
            back[4, i] = by_log[entry] if is_inside else 0 * one
        for i in range(LANES):
            gy, gl = back[1, i], back[4, i]
            g_x, g_width, g_height, g_low, g_high = _by_bin(block, i, gy, gl, own)
            back[0, i], back[1, i] = -factor * g_x, factor * gy
            back[2, i], back[3, i], back[4, i] = (
                factor * g_width,
                factor * g_height,
                g_x,
            )
            by_ends[0, i] *= g_low
            by_ends[1, i] *= g_high
        _by_shares(block.raw[:n_bins], block.index, back[0], back[2], mean)
        _by_shares(block.raw[n_bins : 2 * n_bins], block.index, back[1], back[3], mean)
        for k in range(n_bins - 1):
            lower, upper = np.int32(k), np.int32(k + 1)
            for i in range(LANES):
                pull = by_ends[1, i] if block.index[i] == lower else 0 * one
                pull = by_ends[0, i] if block.index[i] == upper else pull
                block.raw[2 * n_bins + k, i] = pull
        row = first % raw.shape[0]
        for i in range(n):
            is_inside = abs(x[first + i]) < own[0]
            by_x[first + i] = back[4, i] if is_inside else by_y[first + i]
            for k in range(raw.shape[1]):
                by_raw[row, k] += block.raw[k, i]
            row = row + 1 if row + 1 < raw.shape[0] else 0
