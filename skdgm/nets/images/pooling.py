r"""Upsampling and cropping of images, and pooled units.

Upsampling repeats each pixel in a block (nearest neighbor). Unpooling copies it to the
upper left of a block of zeros, as in generators, which have no locations of maxima
[1]_. Units of probabilistic max pooling are [2]_

.. math:: y_b = 1 - 1 / (1 + \sum_{p \in b} e^{x_p})

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
    """Views of enlarged images, one for each position in a block, row by row; ``shape``
    is that of the small images."""
    height, width, maps = shape
    x = x.reshape(-1, height * size, width * size, maps)
    return [x[:, i::size, j::size] for i in range(size) for j in range(size)]


@primitive
def grow(x, shape, size, n):
    """Enlarge each pixel of images of shape (height, width, maps) to a block of
    ``size`` x ``size``. The pixel is copied to the first n positions of the block, row
    by row; others are zero."""
    y = np.zeros((len(x), size**2 * x.shape[1]), x.dtype)
    for corner in _corners(y, shape, size)[:n]:
        corner[...] = x.reshape((-1, *shape))
    return y


def _grow_back(_, x, shape, size, n):
    def backward(grad):
        return reduce(np.add, _corners(grad, shape, size)[:n]).reshape(len(x), -1)

    return backward


@primitive
def crop(x, shape, size):
    """Crop images at the right and at the bottom, to the height and width ``size``."""
    return x.reshape((-1, *shape))[:, : size[0], : size[1]].reshape(len(x), -1)


def _crop_back(_, x, shape, size):
    def backward(grad):
        back = np.zeros((len(x), *shape), x.dtype)
        back[:, : size[0], : size[1]] = grad.reshape((-1, *size, shape[2]))
        return back.reshape(len(x), -1)

    return backward


@primitive
def pool_log_odds(x, unit):
    """Means of pooled units, (n_images, n_pooled), given the natural parameters of all
    units. ``unit`` is a :class:`~skdgm.distributions.Pooled`: means are probabilities
    that blocks are on, or maxima or means of logistic functions."""
    return unit.pool(unit.mean(x))


def _log_odds_back(y, x, unit):
    return lambda grad: unit.slope(unit.mean(x), y, grad)


defvjp(grow, _grow_back, None, None, None)
defvjp(crop, _crop_back, None, None)
defvjp(pool_log_odds, _log_odds_back, None)


def pooled_convolution(x, W, b, window, unit):
    """Pooled units of a convolution by a window; see :func:`pool_log_odds`."""
    return pool_log_odds(convolve(x, W, b, window), unit)
