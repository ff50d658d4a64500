"""Bits drawn one after the other, by hidden units that see those before."""

import numpy as np

from skdgm._kernels.exp import exp
from skdgm._kernels.hidden import activate, add, copy, dot
from skdgm._kernels.jit import kernel


@kernel
def draw(net, kind, uniform, x, start, stop):
    """Put a bit where a row of x has NaN: 1 if its uniform number is below its
    probability. ``net`` is as of :mod:`skdgm._kernels.tied`, with an output and an
    input for each column."""
    W, c, rho, V, b = net
    one, n_units, c = c.dtype.type(1), len(c), c.reshape(1, -1)
    A, H = np.empty_like(c), np.empty_like(c)
    for r in range(start, stop):
        copy(A, 0, c, 0, n_units, n_units, 0)
        changed = True
        for t in range(len(b)):
            if np.isnan(x[r, t]):
                if changed or len(rho):
                    activate(A, 0, rho[t] if len(rho) else one, kind, H, n_units)
                    changed = False
                p = one / (one + exp(-(b[t] + dot(H, 0, V, t, n_units))))
                x[r, t] = one if uniform[r, t] < p else 0 * one
            if x[r, t] != 0:
                add(A, 0, x[r, t], W, t, n_units)
                changed = True
