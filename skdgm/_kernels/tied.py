r"""Hidden units that see one column after the other.

.. math:: a_1 = c, \qquad a_{t+1} = a_t + \sum_{i \in \text{column } t} x_i W_i,
   \qquad h_t = f(\rho_t a_t), \qquad z_o = b_o + V_o \cdot h_t

for the outputs o that belong to column t. Hidden units stay as they are from one entry
that is not zero to the next, so such a *run* of columns has them in common. Entries are
given as lists (:mod:`skdgm._kernels.lists`), column after column.

Work is done for a strip of hidden units after the other, whose weights stay near for
all rows. On the way back strips need nothing of one another: threads share them out.
"""

import numpy as np

from skdgm._kernels.hidden import activate, add, bend, dot, tell
from skdgm._kernels.jit import kernel

# Hidden units of a strip.
_WIDTH = 256


@kernel
def runs(index, count, columns, n_columns, each, first, upto):
    """How a row's columns are shared among runs.

    Run m has the columns from ``upto[m]`` to ``upto[m + 1]``, and hears of the entries
    before the one of number ``first[m]``. Where ``each``, a run is one column.

    Returns
    -------
    n_runs : int
    """
    m, t, k = 0, 0, 0
    first[0], upto[0] = 0, 0
    while t < n_columns:
        t = columns[index[k]] + 1 if k < count else n_columns
        t = upto[m] + 1 if each else t
        while k < count and columns[index[k]] < t:
            k += 1
        m += 1
        first[m], upto[m] = k, t
    return m


@kernel
def forward(index, value, count, columns, edges, net, kind, z, start, stop):
    """Outputs of rows; ``net`` is W, c, rho, V and b, ``columns`` the column of each
    entry, and ``edges`` where each column's outputs begin."""
    W, c, rho, V, b = net
    n_columns, n_units, one = len(edges) - 1, len(c), c.dtype.type(1)
    ends = np.empty((2, n_columns + 1), np.int64)
    first, upto = ends[0], ends[1]
    whole = np.empty((2, min(_WIDTH, n_units)), c.dtype)
    for r in range(start, stop):
        z[r] = b
    for left in range(0, n_units, _WIDTH):
        right = min(left + _WIDTH, n_units)
        a, h = whole[0, : right - left], whole[1, : right - left]
        for r in range(start, stop):
            given = index[r], count[r], columns, n_columns, len(rho) > 0
            n_runs = runs(*given, first, upto)
            a[:] = c[left:right]
            for m in range(n_runs):
                scale = rho[m] if len(rho) else one
                activate(a, scale, kind, h)
                for o in range(edges[upto[m]], edges[upto[m + 1]]):
                    z[r, o] += dot(h, V[o, left:right])
                for k in range(first[m], first[m + 1]):
                    x = value[r, k] if len(value) else one
                    add(a, x, W[index[r, k], left:right])


@kernel
def backward(index, value, count, columns, edges, net, kind, dz, slopes, start, stop):
    """Slopes of a loss by the net's parts, from those by its outputs; of hidden units
    from ``start`` to ``stop``. That of rho has a row for each hidden unit."""
    (W, c, rho, V, _), (dW, dc, drho, dV) = net, slopes
    n_columns, one = len(edges) - 1, c.dtype.type(1)
    ends = np.empty((2, n_columns + 1), np.int64)
    first, upto = ends[0], ends[1]
    # Parts by number: those of an unpacked array would not be known to be contiguous.
    room = np.empty((2, n_columns, _WIDTH), c.dtype)
    heard, seen, whole = room[0], room[1], np.empty((2, _WIDTH), c.dtype)
    for left in range(start, stop, _WIDTH):
        right = min(left + _WIDTH, stop)
        n = right - left
        a, g = whole[0, :n], whole[1, :n]
        for r in range(len(count)):
            given = index[r], count[r], columns, n_columns, len(rho) > 0
            n_runs = runs(*given, first, upto)
            a[:] = c[left:right]
            for m in range(n_runs):
                scale = rho[m] if len(rho) else one
                activate(a, scale, kind, seen[m, :n])
                for j in range(n):
                    heard[m, j] = a[j]
                for k in range(first[m], first[m + 1]):
                    x = value[r, k] if len(value) else one
                    add(a, x, W[index[r, k], left:right])
            for j in range(n):
                a[j] = 0
            for m in range(n_runs - 1, -1, -1):
                for k in range(first[m], first[m + 1]):
                    x = value[r, k] if len(value) else one
                    add(dW[index[r, k], left:right], x, a)
                outputs = edges[upto[m]], edges[upto[m + 1]]
                tell(dz[r], V, dV, left, right, seen[m], *outputs, g)
                bend(g, seen[m, :n], kind)
                if len(rho):
                    for j in range(n):
                        drho[left + j, m] += g[j] * heard[m, j]
                add(a, rho[m] if len(rho) else one, g)
            add(dc[left:right], one, a)
