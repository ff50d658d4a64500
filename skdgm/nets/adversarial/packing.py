"""Rows that a discriminator sees together, and images as channels of one image."""

from functools import partial

import numpy as np
from autograd.extend import defvjp

from skdgm.nets.layers import Net, tangent_linear, unweighted
from skdgm.nets.tape import primitive


def channels(n_pixels, n_channels, n_images):
    """Layer without parameters that turns consecutive images into channels of one."""
    shape = n_images, n_pixels, n_channels
    order = np.arange(np.prod(shape)).reshape(shape).transpose(1, 0, 2).ravel()
    apply = partial(_apply, order)
    return Net(unweighted, apply, partial(tangent_linear, apply))


def _apply(order, params, statistics, x, rng=None, train=False):
    return arranged(x, order), statistics


@primitive
def arranged(x, order):
    """Columns in another order."""
    return x[:, order]


def _back(_, x, order):
    return lambda grad: grad[:, np.argsort(order)]


defvjp(arranged, _back, None)


@primitive
def packed(x, n_rows):
    """Concatenate groups of ``n_rows`` consecutive rows; drop remaining rows."""
    n = len(x) // n_rows
    return x[: n * n_rows].reshape((n, -1))


def _packed_back(_, x, n_rows):
    def backward(grad):
        back = np.zeros_like(x)
        back[: len(grad) * n_rows] = grad.reshape((-1, x.shape[1]))
        return back

    return backward


defvjp(packed, _packed_back, None)


@primitive
def stacked(a, b):
    """Concatenate the rows of two arrays."""
    return np.concatenate([a, b])


defvjp(
    stacked,
    lambda _, a, b: lambda grad: grad[: len(a)],
    lambda _, a, b: lambda grad: grad[len(a) :],
)


@primitive
def weighted(x, weights):
    """Weighted sum of the columns of each row, (n_rows, 1)."""
    return (x * weights).sum(axis=1, keepdims=True)


defvjp(weighted, lambda _, x, weights: lambda grad: grad * weights, None)
