"""Learning by BLAS, which is quicker than kernels where little is zero."""

import numpy as np

from skdgm.utils.products import matmul


def gradient(contrast):
    """A gradient of two terms, computed as one product."""
    x, y, x_model, y_model = map(np.asarray, contrast[:4])
    real = y.dtype.type
    signed = x * real(1 / len(x)), x_model * real(-1 / max(1, len(x_model)))
    g = matmul(np.concatenate(signed).T, np.concatenate([y, y_model]))
    for a, b in zip(*contrast.thin) if contrast.thin else ():
        g -= np.multiply.outer(a, b)
    return g


def ascend(contrast, W, velocity, rate, momentum, l1, l2):
    """Follow a gradient, in place."""
    real, g = W.dtype.type, gradient(contrast)
    if l1:
        g -= real(l1) * np.sign(W)
    if l2:
        g -= real(l2) * W
    g *= real(rate)
    if momentum:
        velocity *= real(momentum)
        velocity += g
        g = velocity
    W += g
