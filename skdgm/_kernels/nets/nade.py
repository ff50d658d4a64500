r"""NADE's hidden units, column after column, and their gradients.

.. math:: a_1 = c, \qquad a_{t+1} = a_t + \sum_{i \in \text{column } t} x_i W_i,
   \qquad h_t = f(\rho_t a_t), \qquad z_o = b_o + V_o \cdot h_t

for the outputs o that belong to column t. Hidden units stay as they are from one entry
that is not zero to the next, so such a run of columns has them in common. Entries are
given as lists (:mod:`skdgm._kernels.sparse.lists`), column after column. On the way
back what was heard is taken off again. There may be several c: each is that of as many
consecutive rows.

Work is done for a strip of hidden units after the other, for some rows at a time, and
within these for a block of columns after the other, whose weights are copied to be
near and so stay. On the way back strips need nothing of one another: threads share
them out.
"""

import numpy as np

from skdgm._kernels.compiler.cache_blocks import (
    ROWS,
    WIDTH,
    entry,
    fetch,
    room,
    rounded,
)
from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.hidden import (
    activate,
    add,
    add_four,
    bend,
    clear,
    copy,
    dot,
    dots,
)
from skdgm._kernels.sparse.lines import aligned

# Columns of a block: on the way back there is another, of grads.
_AHEAD, _BACK = 16, 8


@kernel
def forward(index, value, count, columns, edges, net, kind, z, start, stop):
    """Outputs of rows; ``net`` is W, c, rho, V and b, ``columns`` the column of each
    entry, and ``edges`` where each column's outputs begin."""
    W, c, rho, V, b = net
    n_units, one = W.shape[1], W.dtype.type(1)
    c = c.reshape(-1, n_units)
    n_columns, each, n_each = len(edges) - 1, len(rho) > 0, len(z) // len(c)
    A, H, near, taken, fresh = room(n_units, _AHEAD, edges, W)
    for r in range(start, stop):
        z[r] = b
    for top in range(start, stop, ROWS):
        n_rows = min(ROWS, stop - top)
        for left in range(0, n_units, WIDTH):
            n = min(WIDTH, n_units - left)
            width = rounded(n)
            for i in range(n_rows):
                taken[i], fresh[i] = 0, False
                copy(A, i, c, (top + i) // n_each, width, n, left)
            for t_first in range(0, n_columns, _AHEAD):
                t_last = min(t_first + _AHEAD, n_columns)
                first = edges[t_first]
                fetch(V, first, edges[t_last], left, n, near)
                for i in range(n_rows):
                    r, k, t = top + i, taken[i], t_first
                    while t < t_last:
                        upto = t + 1 if each else t_last
                        if k < count[r]:
                            upto = min(upto, columns[index[r, k]] + 1)
                        if each or not fresh[i]:
                            activate(A, i, rho[t] if each else one, kind, H, width)
                            fresh[i] = True
                        o, end = edges[t], edges[upto]
                        while o + 1 < end:
                            products = dots(H, i, near, o - first, width)
                            z[r, o] += products[0]
                            z[r, o + 1] += products[1]
                            o += 2
                        if o < end:
                            z[r, o] += dot(H, i, near, o - first, width)
                        t = upto
                        while k < count[r] and columns[index[r, k]] < t:
                            x = entry(value, r, k)
                            add(A, i, x, W, index[r, k], n, 0, left)
                            k, fresh[i] = k + 1, False
                    taken[i] = k


@kernel
def backward(index, value, count, columns, edges, net, kind, dz, grads, start, stop):
    """Slopes of a loss by the net's parts, from those by its outputs; of hidden units
    from ``start`` to ``stop``. That of rho has a row for each hidden unit."""
    (W, c, rho, V, _), (dW, dc, drho, dV) = net, grads
    one, n_columns, each = W.dtype.type(1), len(edges) - 1, len(rho) > 0
    c, dc = c.reshape(-1, W.shape[1]), dc.reshape(-1, W.shape[1])
    n_each = len(dz) // len(c)
    A, H, near, taken, fresh = room(stop - start, _BACK, edges, W)
    G, g = aligned(*A.shape, W), aligned(1, A.shape[1], W)
    learned = aligned(*near.shape, W)
    for left in range(start, stop, WIDTH):
        n = min(WIDTH, stop - left)
        width = rounded(n)
        for top in range(0, len(count), ROWS):
            n_rows = min(ROWS, len(count) - top)
            for i in range(n_rows):
                r = top + i
                taken[i], fresh[i] = count[r], False
                clear(G, i, width)
                copy(A, i, c, r // n_each, width, n, left)
                for k in range(count[r]):
                    add(A, i, entry(value, r, k), W, index[r, k], n, 0, left)
            # The same blocks as on the way there: there is room for those.
            for t_first in range((n_columns - 1) // _BACK * _BACK, -1, -_BACK):
                t_last = min(t_first + _BACK, n_columns)
                first, beyond = edges[t_first], edges[t_last]
                fetch(V, first, beyond, left, n, near)
                for p in range(beyond - first):
                    clear(learned, p, width)
                for i in range(n_rows):
                    r, k, t = top + i, taken[i], t_last
                    while t > t_first:
                        while k > 0 and columns[index[r, k - 1]] >= t - 1:
                            k, fresh[i] = k - 1, False
                            x = entry(value, r, k)
                            add(dW, index[r, k], x, G, i, n, left, 0)
                            add(A, i, -x, W, index[r, k], n, 0, left)
                        since = t - 1 if each else t_first
                        if k > 0:
                            since = max(since, columns[index[r, k - 1]] + 1)
                        scale = rho[since] if each else one
                        if each or not fresh[i]:
                            activate(A, i, scale, kind, H, width)
                            fresh[i] = True
                        clear(g, 0, width)
                        o, end = edges[since], edges[t]
                        while o + 3 < end:
                            add_four(g, dz, r, o, near, o - first, width)
                            for p in range(o - first, o + 4 - first):
                                add(learned, p, dz[r, first + p], H, i, width)
                            o += 4
                        for p in range(o - first, end - first):
                            add(g, 0, dz[r, first + p], near, p, width)
                            add(learned, p, dz[r, first + p], H, i, width)
                        bend(g, H, i, kind, width)
                        if each:
                            for j in range(n):
                                drho[left + j, since] += g[0, j] * A[i, j]
                        add(G, i, scale, g, 0, width)
                        t = since
                    taken[i] = k
                for p in range(beyond - first):
                    add(dV, first + p, one, learned, p, n, left, 0)
            for i in range(n_rows):
                add(dc, (top + i) // n_each, one, G, i, n, left, 0)


@kernel
def draw(net, kind, uniform, x, start, stop):
    """Put a bit where a row of x has NaN: 1 if its uniform number is below its
    probability, or this itself if there are no such numbers. The net has an output and
    an input for each column; b as c may be several."""
    W, c, rho, V, b = net
    one, n_units = W.dtype.type(1), W.shape[1]
    c, b = c.reshape(-1, n_units), b.reshape(-1, len(V))
    of_c, of_b = len(x) // len(c), len(x) // len(b)
    A, H = np.empty_like(c[:1]), np.empty_like(c[:1])
    for r in range(start, stop):
        copy(A, 0, c, r // of_c, n_units, n_units, 0)
        changed, own = True, r // of_b
        for t in range(len(V)):
            if np.isnan(x[r, t]):
                if changed or len(rho):
                    activate(A, 0, rho[t] if len(rho) else one, kind, H, n_units)
                    changed = False
                p = one / (one + exp(-(b[own, t] + dot(H, 0, V, t, n_units))))
                if len(uniform) == 0:
                    x[r, t] = p
                else:
                    x[r, t] = one if uniform[r, t] < p else 0 * one
            if x[r, t] != 0:
                add(A, 0, x[r, t], W, t, n_units)
                changed = True


@kernel
def draw_linear(W, A, uniform, x, start, stop):
    r"""As :func:`draw`, of log odds that are linear in the bits before,
    :math:`a_t + \sum_{i < t} x_i W_{it}`: those of A, to which the rest is added."""
    one, n = W.dtype.type(1), len(W)
    for r in range(start, stop):
        for t in range(n):
            if np.isnan(x[r, t]):
                p = one / (one + exp(-A[r, t]))
                if len(uniform) == 0:
                    x[r, t] = p
                else:
                    x[r, t] = one if uniform[r, t] < p else 0 * one
            if x[r, t] != 0:
                add(A, r, x[r, t], W, t, n - t - 1, t + 1, t + 1)
