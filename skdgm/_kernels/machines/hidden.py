"""Hidden units of a row: pre-activations, means, and terms of gradients.

Rows are addressed by number, because a view of a row would cost more than the loop over
it. Indices are unsigned where they are sums: signed indices may be negative, which
prevents vectorization.
"""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import inner

LOGISTIC, TANH, RELU = range(3)


@inner()
def activate(A, i, scale, kind, H, width):
    """Write the hidden units for the pre-activations ``scale`` * A[i] to H[i]."""
    one, two = A.dtype.type(1), A.dtype.type(2)
    if kind == RELU:
        for j in range(width):
            pre = scale * A[i, j]
            H[i, j] = pre if pre > 0 else 0 * one
    elif kind == TANH:
        for j in range(width):
            H[i, j] = two / (one + exp(-two * (scale * A[i, j]))) - one
    else:
        for j in range(width):
            H[i, j] = one / (one + exp(-(scale * A[i, j])))


@inner()
def bend(G, H, i, kind, width):
    """Replace G[0], the gradient by hidden units of row i, by the gradient by
    pre-activations."""
    one = G.dtype.type(1)
    if kind == LOGISTIC:
        for j in range(width):
            G[0, j] *= H[i, j] * (one - H[i, j])
    elif kind == TANH:
        for j in range(width):
            G[0, j] *= one - H[i, j] * H[i, j]
    else:
        for j in range(width):
            G[0, j] = G[0, j] if H[i, j] > 0 else 0 * one


@inner("reassoc")
def dot(H, i, V, o, width):
    """Product of two rows, summed in any order."""
    total = H.dtype.type(0)
    for j in range(width):
        total += H[i, j] * V[o, j]
    return total


@inner("reassoc")
def dots(H, i, V, o, width):
    """Products of a row with two consecutive rows."""
    first, second = H.dtype.type(0), H.dtype.type(0)
    for j in range(width):
        first += H[i, j] * V[o, j]
        second += H[i, j] * V[o + 1, j]
    return first, second


@inner()
def clear(A, i, width):
    """Set a row to zero."""
    for j in range(width):
        A[i, j] = 0


@inner()
def copy(A, i, W, k, width, n, there):
    """Copy n numbers of row k of W, from column ``there``, to row i of A, and append
    zeros."""
    for j in range(n):
        A[i, j] = W[k, np.uint64(there) + np.uint64(j)]
    for j in range(n, width):
        A[i, j] = 0


@inner()
def add(A, i, x, W, k, width, here=0, there=0):
    """Add x times row k of W, from column ``there``, to row i of A, from column
    ``here``."""
    for j in range(width):
        A[i, np.uint64(here) + np.uint64(j)] += (
            x * W[k, np.uint64(there) + np.uint64(j)]
        )


@inner()
def add_four(G, dz, r, o, V, p, width):
    """Add four rows of V from row p, times the gradients by outputs, to G[0]."""
    one, two, three, four = dz[r, o], dz[r, o + 1], dz[r, o + 2], dz[r, o + 3]
    for j in range(width):
        G[0, j] += (
            one * V[p, j] + two * V[p + 1, j] + three * V[p + 2, j] + four * V[p + 3, j]
        )
