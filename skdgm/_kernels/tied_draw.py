"""Bits drawn one after the other, by hidden units that see those before."""

import numpy as np

from skdgm._kernels.exp import exp
from skdgm._kernels.hidden import activate, add, dot
from skdgm._kernels.jit import kernel


@kernel
def draw(net, kind, luck, x, start, stop):
    """Put a bit where a row of x has NaN: 1 if its uniform number is below its
    probability. ``net`` is as of :mod:`skdgm._kernels.tied`, with an output and an
    input for each column."""
    W, c, rho, V, b = net
    one = c.dtype.type(1)
    room = np.empty((2, len(c)), c.dtype)
    a, h = room[0], room[1]
    for r in range(start, stop):
        for j in range(len(a)):
            a[j] = c[j]
        changed = True
        for t in range(len(b)):
            if np.isnan(x[r, t]):
                if changed or len(rho):
                    activate(a, rho[t] if len(rho) else one, kind, h)
                    changed = False
                p = one / (one + exp(-(b[t] + dot(h, V[t]))))
                x[r, t] = one if luck[r, t] < p else 0 * one
            if x[r, t] != 0:
                add(a, x[r, t], W[t])
                changed = True
