r"""Hidden units of NADE, column by column, and their gradients.

.. math:: a_1 = c, \qquad a_{t+1} = a_t + \sum_{i \in \text{column } t} x_i W_i,
   \qquad h_t = f(\rho_t a_t), \qquad z_o = b_o + V_o \cdot h_t

for the outputs o of column t. Entries are lists (:mod:`skdgm._kernels.sparse.lists`),
ordered by column. Hidden units only change at nonzero entries, so that columns between
two such entries share them. The backward pass subtracts the terms of entries from the
pre-activations again. Each row of c belongs to the same number of consecutive rows.

The outer loop is over strips of hidden units, then over blocks of rows, then over
blocks of columns, whose weights are copied so that they stay in the cache. Strips are
independent in the backward pass, and are divided among threads.
"""

import numpy as np

from skdgm._kernels.compiler.cache_blocks import (
    ROWS,
    WIDTH,
    entry,
    fetch,
    rounded,
    workspace,
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

# Columns of a block; the backward pass has a second block, of gradients.
_AHEAD, _BACK = 16, 8


@kernel
def forward(lists, net, shape, z, start, stop):
    """Write the outputs of rows to z. ``net`` is (W, c, rho, V, b). ``shape`` has the
    column of each entry, the first output of each column, and the activation
    function."""
    (index, value, count), (columns, edges, kind) = lists, shape
    W, c, rho, V, b = net
    n_units, one = W.shape[1], W.dtype.type(1)
    c = c.reshape(-1, n_units)
    n_columns, scaled, n_each = len(edges) - 1, len(rho) > 0, len(z) // len(c)
    A, H, weights, n_taken, is_current = workspace(n_units, _AHEAD, edges, W)
    for r in range(start, stop):
        z[r] = b
    for top in range(start, stop, ROWS):
        n_rows = min(ROWS, stop - top)
        for left in range(0, n_units, WIDTH):
            n = min(WIDTH, n_units - left)
            width = rounded(n)
            for i in range(n_rows):
                n_taken[i], is_current[i] = 0, False
                copy(A, i, c, (top + i) // n_each, width, n, left)
            for t_first in range(0, n_columns, _AHEAD):
                t_last = min(t_first + _AHEAD, n_columns)
                first = edges[t_first]
                fetch(V, first, edges[t_last], left, n, weights)
                for i in range(n_rows):
                    r, k, t = top + i, n_taken[i], t_first
                    while t < t_last:
                        upto = t + 1 if scaled else t_last
                        if k < count[r]:
                            upto = min(upto, columns[index[r, k]] + 1)
                        if scaled or not is_current[i]:
                            activate(A, i, rho[t] if scaled else one, kind, H, width)
                            is_current[i] = True
                        o, end = edges[t], edges[upto]
                        while o + 1 < end:
                            products = dots(H, i, weights, o - first, width)
                            z[r, o] += products[0]
                            z[r, o + 1] += products[1]
                            o += 2
                        if o < end:
                            z[r, o] += dot(H, i, weights, o - first, width)
                        t = upto
                        while k < count[r] and columns[index[r, k]] < t:
                            x = entry(value, r, k)
                            add(A, i, x, W, index[r, k], n, 0, left)
                            k, is_current[i] = k + 1, False
                    n_taken[i] = k


@kernel
def backward(lists, net, shape, dz, grads, start, stop):
    """Gradients by the parameters ``net``, given the gradients dz by the outputs, for
    hidden units ``start`` to ``stop``. The gradient by rho has a row for each hidden
    unit."""
    (index, value, count), (columns, edges, kind) = lists, shape
    (W, c, rho, V, _), (dW, dc, drho, dV) = net, grads
    one, n_columns, scaled = W.dtype.type(1), len(edges) - 1, len(rho) > 0
    c, dc = c.reshape(-1, W.shape[1]), dc.reshape(-1, W.shape[1])
    n_each = len(dz) // len(c)
    A, H, weights, n_taken, is_current = workspace(stop - start, _BACK, edges, W)
    G, g = aligned(A.shape[0], A.shape[1], W), aligned(1, A.shape[1], W)
    by_weights = aligned(weights.shape[0], weights.shape[1], W)
    for left in range(start, stop, WIDTH):
        n = min(WIDTH, stop - left)
        width = rounded(n)
        for top in range(0, len(count), ROWS):
            n_rows = min(ROWS, len(count) - top)
            for i in range(n_rows):
                r = top + i
                n_taken[i], is_current[i] = count[r], False
                clear(G, i, width)
                copy(A, i, c, r // n_each, width, n, left)
                for k in range(count[r]):
                    add(A, i, entry(value, r, k), W, index[r, k], n, 0, left)
            # The blocks of the forward pass, for which the workspace is large enough.
            for t_first in range((n_columns - 1) // _BACK * _BACK, -1, -_BACK):
                t_last = min(t_first + _BACK, n_columns)
                first, beyond = edges[t_first], edges[t_last]
                fetch(V, first, beyond, left, n, weights)
                for p in range(beyond - first):
                    clear(by_weights, p, width)
                for i in range(n_rows):
                    r, k, t = top + i, n_taken[i], t_last
                    while t > t_first:
                        while k > 0 and columns[index[r, k - 1]] >= t - 1:
                            k, is_current[i] = k - 1, False
                            x = entry(value, r, k)
                            add(dW, index[r, k], x, G, i, n, left, 0)
                            add(A, i, -x, W, index[r, k], n, 0, left)
                        t_low = t - 1 if scaled else t_first
                        if k > 0:
                            t_low = max(t_low, columns[index[r, k - 1]] + 1)
                        scale = rho[t_low] if scaled else one
                        if scaled or not is_current[i]:
                            activate(A, i, scale, kind, H, width)
                            is_current[i] = True
                        clear(g, 0, width)
                        o, end = edges[t_low], edges[t]
                        while o + 3 < end:
                            add_four(g, dz, r, o, weights, o - first, width)
                            for p in range(o - first, o + 4 - first):
                                add(by_weights, p, dz[r, first + p], H, i, width)
                            o += 4
                        for p in range(o - first, end - first):
                            add(g, 0, dz[r, first + p], weights, p, width)
                            add(by_weights, p, dz[r, first + p], H, i, width)
                        bend(g, H, i, kind, width)
                        if scaled:
                            for j in range(n):
                                drho[left + j, t_low] += g[0, j] * A[i, j]
                        add(G, i, scale, g, 0, width)
                        t = t_low
                    n_taken[i] = k
                for p in range(beyond - first):
                    add(dV, first + p, one, by_weights, p, n, left, 0)
            for i in range(n_rows):
                add(dc, (top + i) // n_each, one, G, i, n, left, 0)


@kernel
def draw(net, kind, uniform, x, start, stop):
    """Replace NaN in x by bits, which are 1 if the uniform number is below their
    probability, or by this probability without uniform numbers. Each column has one
    input and one output; b may have several rows, as c."""
    W, c, rho, V, b = net
    one, n_units = W.dtype.type(1), W.shape[1]
    c, b = c.reshape(-1, n_units), b.reshape(-1, len(V))
    of_c, of_b = len(x) // len(c), len(x) // len(b)
    A, H = np.empty_like(c[:1]), np.empty_like(c[:1])
    for r in range(start, stop):
        copy(A, 0, c, r // of_c, n_units, n_units, 0)
        changed, bias_row = True, r // of_b
        for t in range(len(V)):
            if np.isnan(x[r, t]):
                if changed or len(rho):
                    activate(A, 0, rho[t] if len(rho) else one, kind, H, n_units)
                    changed = False
                p = one / (one + exp(-(b[bias_row, t] + dot(H, 0, V, t, n_units))))
                if len(uniform) == 0:
                    x[r, t] = p
                else:
                    x[r, t] = one if uniform[r, t] < p else 0 * one
            if x[r, t] != 0:
                add(A, 0, x[r, t], W, t, n_units)
                changed = True


@kernel
def draw_linear(W, A, uniform, x, start, stop):
    r"""Replace NaN in x as :func:`draw` does, with the log odds :math:`a_t + \sum_{i <
    t} x_i W_{it}`. The sums are added to A, whose rows initially are a."""
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
