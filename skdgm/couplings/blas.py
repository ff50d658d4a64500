"""Gradients and updates by BLAS, faster than kernels where few entries are zero."""

import numpy as np

from skdgm.utils.products import matmul


def gradient(contrast):
    """Gradient of a :class:`~skdgm.couplings.Contrast` as an array, by one product.

    Returns
    -------
    g : ndarray of shape (n_below, n_above)
    """
    x, y, x_model, y_model = map(np.asarray, contrast[:4])
    real = y.dtype.type
    signed = x * real(1 / len(x)), x_model * real(-1 / max(1, len(x_model)))
    g = matmul(np.concatenate(signed).T, np.concatenate([y, y_model]))
    for a, b in zip(*contrast.thin) if contrast.thin else ():
        g -= np.multiply.outer(a, b)
    return g


def ascend(contrast, W, velocity, rate, momentum, l1, l2):
    """Update W and velocity by a step along the gradient, in place.

    Parameters are those of :meth:`~skdgm.couplings.Contrast.ascend`; W and velocity are
    arrays of shape (n_below, n_above).
    """
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
