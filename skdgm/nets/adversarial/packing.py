"""Rows that are judged together: side by side, and images as channels of one."""

from functools import partial

import numpy as np
from autograd.extend import defvjp

from skdgm.nets.layers import Net, tangent_linear, unweighted
from skdgm.nets.tape import primitive


def channels(n_pixels, n_channels, n_images):
    """Net without parameters that makes channels of images which stand one after the
    other."""
    shape = n_images, n_pixels, n_channels
    order = np.arange(np.prod(shape)).reshape(shape).transpose(1, 0, 2).ravel()
    apply = partial(_apply, order)
    return Net(unweighted, apply, partial(tangent_linear, apply))


def _apply(order, params, statistics, x, rng=None, train=False):
    return arranged(x, order), statistics


@primitive
def arranged(x, order):
    """Columns in another order, of the shape of ``x``."""
    return x[:, order]


def _back(_, x, order):
    return lambda grad: grad[:, np.argsort(order)]


defvjp(arranged, _back, None)


@primitive
def packed(x, n_rows):
    """Put ``n_rows`` rows side by side, those left over at the end excepted."""
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
    """Rows of one array and then those of another of as many columns."""
    return np.concatenate([a, b])


defvjp(
    stacked,
    lambda _, a, b: lambda grad: grad[: len(a)],
    lambda _, a, b: lambda grad: grad[len(a) :],
)


@primitive
def weighted(x, weights):
    """Weighted sum of columns, of shape (n_rows, 1); ``weights`` has that of ``x``."""
    return (x * weights).sum(axis=1, keepdims=True)


defvjp(weighted, lambda _, x, weights: lambda grad: grad * weights, None)
