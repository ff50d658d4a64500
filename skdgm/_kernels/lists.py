"""Rows as lists of their nonzero entries, and products with such rows.

Row r has its entries ``value[r, :count[r]]`` in the columns ``index[r, :count[r]]``,
which increase. Where all values are 1, ``value`` has a single row of ones.
"""

import numpy as np

from skdgm._kernels.jit import kernel


@kernel
def pack(X, rows, own, index, value, count, start, stop):
    """List the nonzero entries of some of an array's rows; their values if they have
    their own."""
    for r in range(start, stop):
        x, n_listed = X[rows[r]], 0
        for j in range(X.shape[1]):
            index[r, n_listed] = j
            if own:
                value[r, n_listed] = x[j]
            n_listed += x[j] != 0
        count[r] = n_listed


@kernel
def unpack(index, value, count, out, start, stop):
    """The dense rows of lists."""
    for r in range(start, stop):
        for j in range(out.shape[1]):
            out[r, j] = 0
        for k in range(count[r]):
            out[r, index[r, k]] = value[r if len(value) > 1 else 0, k]


@kernel
def add_rows(out, W, left, right, index, value, n):
    """Add ``value[k] * W[index[k], left:right]`` for k below n: eight rows a pass, as
    ``out`` is read and written in each, and what is left in passes of four, two and
    one."""
    width, k = right - left, 0
    if n & 1:
        a, u = W[index[k], left:right], value[k]
        for j in range(width):
            out[j] += u * a[j]
        k += 1
    if n & 2:
        a, u = W[index[k], left:right], value[k]
        b, v = W[index[k + 1], left:right], value[k + 1]
        for j in range(width):
            out[j] += u * a[j] + v * b[j]
        k += 2
    if n & 4:
        a, u = W[index[k], left:right], value[k]
        b, v = W[index[k + 1], left:right], value[k + 1]
        c, w = W[index[k + 2], left:right], value[k + 2]
        d, x = W[index[k + 3], left:right], value[k + 3]
        for j in range(width):
            out[j] += (u * a[j] + v * b[j]) + (w * c[j] + x * d[j])
        k += 4
    while k < n:
        a, u = W[index[k], left:right], value[k]
        b, v = W[index[k + 1], left:right], value[k + 1]
        c, w = W[index[k + 2], left:right], value[k + 2]
        d, x = W[index[k + 3], left:right], value[k + 3]
        e, y = W[index[k + 4], left:right], value[k + 4]
        f, z = W[index[k + 5], left:right], value[k + 5]
        g, s = W[index[k + 6], left:right], value[k + 6]
        h, t = W[index[k + 7], left:right], value[k + 7]
        for j in range(width):
            out[j] += ((u * a[j] + v * b[j]) + (w * c[j] + x * d[j])) + (
                (y * e[j] + z * f[j]) + (s * g[j] + t * h[j])
            )
        k += 8


@kernel
def collect(out, W, left, right, index, value, count, r):
    """Add row r's product with some columns of W."""
    values = value[r if len(value) > 1 else 0]
    add_rows(out, W, left, right, index[r], values, count[r])


@kernel
def merge(index, n, n_units, out):
    """A list in which neighbours 2 i and 2 i + 1 are one entry, n_units + i."""
    n_out, k = 0, 0
    while k < n:
        unit = np.int64(index[k])
        k += 1
        if unit % 2 == 0 and k < n and index[k] == unit + 1:
            unit = n_units + unit // 2
            k += 1
        out[n_out] = unit
        n_out += 1
    return n_out


@kernel
def send(index, value, count, W, out, start, stop):
    """The product of lists with a matrix."""
    for r in range(start, stop):
        for j in range(W.shape[1]):
            out[r, j] = 0
        collect(out[r], W, 0, W.shape[1], index, value, count, r)


@kernel
def add_up(index, value, count, share, total):
    """Add the rows, each times its share, to ``total``."""
    for r in range(len(index)):
        for k in range(count[r]):
            total[index[r, k]] += share[r] * value[r if len(value) > 1 else 0, k]


@kernel
def dot(index, value, count, weights, out):
    """Every row's product with a vector, in float64."""
    for r in range(len(index)):
        total = 0.0
        for k in range(count[r]):
            part = value[r if len(value) > 1 else 0, k] * weights[index[r, k]]
            total += np.float64(part)
        out[r] = total
