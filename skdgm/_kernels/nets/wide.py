r"""Hidden units of several columns at a time, for columns with many outputs each.

.. math:: a_{t+1} = a_t + x_t W_t, \qquad h_t = f(\rho_t a_t), \qquad
   z_t = b_t + V_t h_t

Columns have one input and many outputs, so that most of the work is in the products
with V, which BLAS computes for a block of columns. Kernels compute the hidden units
before, and their gradients afterwards. In a block, whose first column is ``first``,
arrays have shape (n_columns, n_rows, n_units).
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.hidden import LOGISTIC, RELU, activate, add


class WideLayer(NamedTuple):
    """Weights, scales of columns, and activation function."""

    W: np.ndarray
    rho: np.ndarray
    kind: int


class WideBlock(NamedTuple):
    """Arrays of a block of columns: pre-activations A at its end, which are updated to
    its beginning, hidden units H, and their gradients G, which are overwritten. S has
    the gradients by the pre-activations from all later columns, to which the gradients
    of the block are added."""

    A: np.ndarray
    H: np.ndarray
    G: np.ndarray
    S: np.ndarray


@kernel
def ahead(x, layer, first, A, H, start, stop):
    """Write the hidden units of a block's columns to H, and update pre-activations A to
    its end, for rows ``start`` to ``stop``."""
    W, rho, kind = layer
    width, one = W.shape[1], W.dtype.type(1)
    for t in range(len(H)):
        h = H[t]
        scale = rho[first + t] if len(rho) else one
        for i in range(start, stop):
            activate(A, i, scale, kind, h, width)
            add(A, i, x[i, first + t], W, first + t, width)


@kernel
def back(x, layer, first, A, H, start, stop):
    """Write hidden units as :func:`ahead` does, and update A from the end of the block
    to its beginning."""
    W, rho, kind = layer
    width, one = W.shape[1], W.dtype.type(1)
    for t in range(len(H) - 1, -1, -1):
        h = H[t]
        scale = rho[first + t] if len(rho) else one
        for i in range(start, stop):
            add(A, i, -x[i, first + t], W, first + t, width)
            activate(A, i, scale, kind, h, width)


@kernel
def learn(x, layer, first, block, grads, start, stop):
    """Gradients by W and by rho, (n_columns, n_units), for units ``start`` to
    ``stop``."""
    (W, rho, kind), (A, H, G, S), (dW, drho) = layer, block, grads
    one, left, scaled = W.dtype.type(1), np.uint64(start), len(rho) > 0
    for t in range(len(H) - 1, -1, -1):
        h, g, c = H[t], G[t], np.uint64(first + t)
        scale = rho[c] if scaled else one
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
            if scaled:
                for j in range(stop - start):
                    p = left + np.uint64(j)
                    drho[c, p] += g[i, p] * A[i, p]
            for j in range(stop - start):
                p = left + np.uint64(j)
                S[i, p] += scale * g[i, p]
