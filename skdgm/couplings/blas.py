"""Learning by BLAS, which is quicker than kernels where little is zero."""

import numpy as np

from skdgm.utils.parallel import matmul


def ascend(contrast, W, velocity, rate, momentum, l1, l2):
    """Follow a gradient of two terms, computed as one product, in place."""
    x, y, x_model, y_model = map(np.asarray, contrast)
    real = W.dtype.type
    signed = x * real(1 / len(x)), x_model * real(-1 / len(x_model))
    g = matmul(np.concatenate(signed).T, np.concatenate([y, y_model]))
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
