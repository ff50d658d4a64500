"""Hidden units of a row: their input, means and draws, and terms of gradients.

Rows are had by the number they have in a table. A row by itself would be a new array,
and to make that takes longer than what is done with it here; and numbers are unsigned
where they add up, as others might count from the end, which no loop is quick with.
"""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import inner

LOGISTIC, TANH, RELU = range(3)


@inner()
def activate(A, i, scale, kind, H, width):
    """What hidden units make of what they hear, A, in row i."""
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
    """The grad of what hidden units of row i hear, in place of that of what they are,
    the first row of G."""
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
    """The product of two rows, summed in an order that is quick."""
    total = H.dtype.type(0)
    for j in range(width):
        total += H[i, j] * V[o, j]
    return total


@inner("reassoc")
def dots(H, i, V, o, width):
    """The products of a row with another and with the next."""
    first, second = H.dtype.type(0), H.dtype.type(0)
    for j in range(width):
        first += H[i, j] * V[o, j]
        second += H[i, j] * V[o + 1, j]
    return first, second


@inner()
def clear(A, i, width):
    """A row of zeros."""
    for j in range(width):
        A[i, j] = 0


@inner()
def copy(A, i, W, k, width, n, there):
    """Put n numbers of a row of W, from the column ``there``, and then zeros, in a row
    of A."""
    for j in range(n):
        A[i, j] = W[k, np.uint64(there) + np.uint64(j)]
    for j in range(n, width):
        A[i, j] = 0


@inner()
def add(A, i, x, W, k, width, here=0, there=0):
    """Add x times a row of W, from the column ``there``, to one of A, from ``here``."""
    for j in range(width):
        A[i, np.uint64(here) + np.uint64(j)] += (
            x * W[k, np.uint64(there) + np.uint64(j)]
        )


@inner()
def add_four(G, dz, r, o, V, p, width):
    """Add four rows of V from row p on, times outputs' grads, to the first of G."""
    one, two, three, four = dz[r, o], dz[r, o + 1], dz[r, o + 2], dz[r, o + 3]
    for j in range(width):
        G[0, j] += (
            one * V[p, j] + two * V[p + 1, j] + three * V[p + 2, j] + four * V[p + 3, j]
        )
