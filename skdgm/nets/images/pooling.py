r"""Downsampling and upsampling of images by blocks of pixels, map by map.

========  ==============================  ========================================
max       :math:`y_b = \max_{p \in b} x_p`  its gradient goes to the first maximum
mean      the mean of each block            its gradient is that of all pixels alike
upsample  :math:`x_p = y_b`                 nearest neighbours
unpool    a block's upper left :math:`x_p = y_b`, the others zero
crop      rows and columns at the upper left
log-odds  :math:`1 - 1 / (1 + \sum_{p \in b} e^{x_p})`, probabilistic max pooling [2]_
========  ==============================  ========================================

Un-pooling is that of generators [1]_, which know no places of maxima. Rows and columns
that fill no block are left out by pooling.

References
----------
.. [1] Dosovitskiy, Springenberg and Brox (2015). Learning to generate chairs with
   convolutional neural networks. CVPR.
.. [2] Lee, Grosse, Ranganath and Ng (2009). Convolutional deep belief networks for
   scalable unsupervised learning of hierarchical representations. ICML.
"""

from functools import reduce

import numpy as np
from autograd.extend import defvjp

from skdgm.nets.images.convolution import convolve
from skdgm.nets.tape import primitive


def _corners(x, shape, size):
    """Views of the pixels of blocks: all upper left ones, and so on row by row."""
    height, width, maps = shape
    x = x.reshape(-1, height, width, maps)[:, : height // size * size]
    x = x[:, :, : width // size * size]
    return [x[:, i::size, j::size] for i in range(size) for j in range(size)]


def _rows(images):
    return images.reshape(len(images), -1)


def _spread(parts, shape, size):
    """Images of blocks whose pixels are given as by :func:`_corners`."""
    height, width, maps = shape
    x = np.zeros((len(parts[0]), height * width * maps), parts[0].dtype)
    for corner, part in zip(_corners(x, shape, size), parts):
        corner[...] = part
    return x


def _pooled(y, shape, size):
    """Pooled rows as images."""
    return y.reshape(-1, shape[0] // size, shape[1] // size, shape[2])


def _firsts(x, shape, size):
    """Positions in blocks of the first maximum of each."""
    return np.argmax(_corners(x, shape, size), axis=0)


@primitive
def max_pool(x, shape, size):
    """Maximum of each block of pixels.

    Parameters
    ----------
    x : ndarray of shape (n_images, height * width * maps)
    shape : tuple of int
        Height, width and maps.
    size : int
        Height and width of a block.

    Returns
    -------
    y : ndarray of shape (n_images, height // size * (width // size) * maps)
    """
    return _rows(reduce(np.maximum, _corners(x, shape, size)))


@primitive
def at_max(x, other, shape, size):
    """Numbers of other images where images have the first maximum of each block.

    It is constant in ``x`` except where maxima change.

    Parameters
    ----------
    x, other : ndarray of shape (n_images, height * width * maps)
    shape, size
        As of :func:`max_pool`.

    Returns
    -------
    y : ndarray of shape (n_images, height // size * (width // size) * maps)
    """
    firsts = _firsts(x, shape, size)[None]
    parts = np.stack(_corners(other, shape, size))
    return _rows(np.take_along_axis(parts, firsts, axis=0)[0])


def _to_max(x, shape, size, grad):
    firsts, grad = _firsts(x, shape, size), _pooled(grad, shape, size)
    parts = [np.where(firsts == k, grad, 0) for k in range(size**2)]
    return _spread(parts, shape, size)


@primitive
def mean_pool(x, shape, size):
    """Mean of each block of pixels; parameters are those of :func:`max_pool`."""
    share = x.dtype.type(1 / size**2)
    return _rows(reduce(np.add, _corners(x, shape, size)) * share)


@primitive
def upsample(x, shape, size):
    """Repeat each pixel of images of a shape in a block of ``size`` x ``size``."""
    return _spread([x.reshape(-1, *shape)] * size**2, _larger(shape, size), size)


@primitive
def unpool(x, shape, size):
    """Put each pixel at the upper left of a block of zeros; see :func:`upsample`."""
    return _spread([x.reshape(-1, *shape)], _larger(shape, size), size)


@primitive
def crop(x, shape, size):
    """Cut images of a shape at the right and at the bottom, to the height and width
    ``size``."""
    return _rows(x.reshape(-1, *shape)[:, : size[0], : size[1]])


@primitive
def pool_log_odds(x, unit):
    """Means of pooled units, (n_images, n_pooled), given the natural parameters of all
    units of a :class:`~skdgm.distributions.Pooled`: probabilities that blocks are on,
    or maxima or means of logistic functions."""
    return unit.pool(unit.mean(x))


def pooled_convolution(x, W, b, window, unit):
    """Pooled units of a layer of maps: :func:`pool_log_odds` of a convolution by a
    window."""
    return pool_log_odds(convolve(x, W, b, window), unit)


def _larger(shape, size):
    return shape[0] * size, shape[1] * size, shape[2]


def _mean_back(_, x, shape, size):
    def backward(grad):
        part = _pooled(grad, shape, size) * x.dtype.type(1 / size**2)
        return _spread([part] * size**2, shape, size)

    return backward


def _upsample_back(_, x, shape, size):
    after = _larger(shape, size), size
    return lambda grad: _rows(reduce(np.add, _corners(grad, *after)))


def _unpool_back(_, x, shape, size):
    return lambda grad: _rows(_corners(grad, _larger(shape, size), size)[0])


def _crop_back(_, x, shape, size):
    def backward(grad):
        back = np.zeros((len(x), *shape), x.dtype)
        back[:, : size[0], : size[1]] = grad.reshape(-1, *size, shape[2])
        return _rows(back)

    return backward


def _log_odds_back(y, x, unit):
    return lambda grad: unit.slope(unit.mean(x), y, grad)


defvjp(pool_log_odds, _log_odds_back, None)
defvjp(max_pool, lambda _, x, *how: lambda grad: _to_max(x, *how, grad), None, None)
defvjp(
    at_max,
    lambda _, x, *rest: lambda grad: np.zeros_like(x),
    lambda _, x, other, *how: lambda grad: _to_max(x, *how, grad),
    None,
    None,
)
defvjp(mean_pool, _mean_back, None, None)
defvjp(upsample, _upsample_back, None, None)
defvjp(unpool, _unpool_back, None, None)
defvjp(crop, _crop_back, None, None)
