r"""Hidden units of several columns at a time, for columns with many outputs each.

.. math:: a_{t+1} = a_t + x_t W_t, \qquad h_t = f(\rho_t a_t), \qquad
   z_t = b_t + V_t h_t

Where a column has one input and many outputs, most of the work is in the products with
V, which BLAS does for a block of columns; kernels here fill in the hidden units before,
and take their gradients after. In a block, arrays have shape (n_columns, n_rows,
n_units), and ``first`` is the number of its first column.
"""

import numpy as np

from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.hidden import LOGISTIC, RELU, activate, add


@kernel
def ahead(x, W, rho, kind, first, A, H, start, stop):
    """Hidden units H of a block's columns; pre-activations A move on to its end. For
    rows from ``start`` to ``stop``."""
    width, one = W.shape[1], W.dtype.type(1)
    for t in range(len(H)):
        own = H[t]
        scale = rho[first + t] if len(rho) else one
        for i in range(start, stop):
            activate(A, i, scale, kind, own, width)
            add(A, i, x[i, first + t], W, first + t, width)


@kernel
def back(x, W, rho, kind, first, A, H, start, stop):
    """As :func:`ahead`, from a block's end to its beginning: A is taken back."""
    width, one = W.shape[1], W.dtype.type(1)
    for t in range(len(H) - 1, -1, -1):
        own = H[t]
        scale = rho[first + t] if len(rho) else one
        for i in range(start, stop):
            add(A, i, -x[i, first + t], W, first + t, width)
            activate(A, i, scale, kind, own, width)


@kernel
def learn(x, rho, kind, first, A, H, G, S, W, dW, drho, start, stop):
    """Gradients by W and rho, from those by the hidden units, G, which are used up; of
    units from ``start`` to ``stop``.

    A holds pre-activations at the block's end, which are taken back, and S gradients by
    them from all columns after it, to which the block's are added; ``drho`` has a row
    for each column, and a column for each unit.
    """
    one, left, each = W.dtype.type(1), np.uint64(start), len(rho) > 0
    for t in range(len(H) - 1, -1, -1):
        h, g, c = H[t], G[t], np.uint64(first + t)
        scale = rho[c] if each else one
        for i in range(len(x)):
            entry = x[i, c]
            for j in range(stop - start):
                p = left + np.uint64(j)
                dW[c, p] += entry * S[i, p]
                A[i, p] -= entry * W[c, p]
            if kind == RELU:
                for j in range(stop - start):
                    p = left + np.uint64(j)
                    g[i, p] = g[i, p] if h[i, p] > 0 else 0 * one
            elif kind == LOGISTIC:
                for j in range(stop - start):
                    p = left + np.uint64(j)
                    g[i, p] *= h[i, p] * (one - h[i, p])
            else:
                for j in range(stop - start):
                    p = left + np.uint64(j)
                    g[i, p] *= one - h[i, p] * h[i, p]
            if each:
                for j in range(stop - start):
                    p = left + np.uint64(j)
                    drho[c, p] += g[i, p] * A[i, p]
            for j in range(stop - start):
                p = left + np.uint64(j)
                S[i, p] += scale * g[i, p]
