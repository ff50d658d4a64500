"""Hidden units by themselves: what they make of what they hear, and how it is used."""

from skdgm._kernels.bernoulli import squash
from skdgm._kernels.jit import kernel, summing

LOGISTIC, TANH, RELU = range(3)


@kernel
def activate(a, scale, kind, h):
    """What hidden units make of what they hear."""
    one, two = a.dtype.type(1), a.dtype.type(2)
    for j in range(len(h)):
        h[j] = scale * a[j]
    if kind == RELU:
        for j in range(len(h)):
            h[j] = h[j] if h[j] > 0 else 0 * one
        return
    if kind == TANH:
        for j in range(len(h)):
            h[j] *= two
    squash(h)
    if kind == TANH:
        for j in range(len(h)):
            h[j] = two * h[j] - one


@kernel
def bend(g, h, kind):
    """The slope of what hidden units hear, in place of that of what they are."""
    one = g.dtype.type(1)
    if kind == LOGISTIC:
        for j in range(len(g)):
            g[j] *= h[j] * (one - h[j])
    elif kind == TANH:
        for j in range(len(g)):
            g[j] *= one - h[j] * h[j]
    else:
        for j in range(len(g)):
            g[j] = g[j] if h[j] > 0 else 0 * one


@summing
def dot(a, b):
    """The product of two vectors, summed in an order that is quick."""
    total = a.dtype.type(0)
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@kernel
def add(a, x, w):
    """Add a vector, times a number, to another one."""
    for j in range(len(a)):
        a[j] += x * w[j]


@kernel
def tell(dz, V, dV, left, right, h, begin, end, g):
    """Have weights of some outputs learn, and say what hidden units' slopes are."""
    for j in range(len(g)):
        g[j] = 0
    for o in range(begin, end):
        slope, w, dw = dz[o], V[o, left:right], dV[o, left:right]
        for j in range(len(g)):
            g[j] += slope * w[j]
        for j in range(len(g)):
            dw[j] += slope * h[j]
