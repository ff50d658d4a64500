"""Layers of images, as nets of rows.

::

    critic = serial(images((28, 28, 1), conv(32), conv(64)), dense(1))
    generator = serial(
        dense(7 * 7 * 64),
        images((7, 7, 64), map_norm(), activation("relu"), deconv(32), deconv(1)),
    )

Images are rows of height * width * maps numbers, as in
:mod:`~skdgm.nets.images.convolution`. A *block* is a function of the shape of its input
images, which returns a Net and the shape of its output images. :func:`images` passes
the shape from block to block. Nets that keep the shape, such as dropout and activation
functions, can be used as blocks.

References
----------
.. [1] Ioffe and Szegedy (2015). Batch normalization: accelerating deep network training
   by reducing internal covariate shift. ICML.
"""

from collections.abc import Callable
from functools import partial
from math import prod
from numbers import Integral
from typing import NamedTuple

import numpy as np
from autograd.tracer import getval

from skdgm.nets.adversarial.tangents import activated
from skdgm.nets.feed_forward import Layer, initial
from skdgm.nets.images import convolution, pooling
from skdgm.nets.layers import Net, batch_norm, followed, serial, tangent_linear
from skdgm.nets.normalization import map_moments, standardize_maps
from skdgm.utils.counts import is_a
from skdgm.utils.windows import beneath, window


def images(shape, *blocks):
    """Composition of blocks, for images of shape (height, width, maps). It raises
    ValueError if a block does not fit the images; ``net.init`` raises it if the number
    of inputs differs from that of the shape."""
    nets, first = [], tuple(shape)
    if len(first) != 3 or not all(is_a(Integral, n) and n >= 1 for n in first):
        raise ValueError(
            f"Images must have a shape (height, width, maps) of positive integers; got "
            f"{first}."
        )
    for block in blocks:
        net, shape = (block, shape) if isinstance(block, Net) else block(shape)
        nets.append(net)
    net = serial(*nets)
    return net._replace(init=partial(_begin_images, first, net.init))


def _begin_images(shape, init, rng, n_inputs, dtype):
    if n_inputs != prod(shape):
        raise ValueError(
            f"Images of shape {shape} have {prod(shape)} numbers, but there are "
            f"{n_inputs} inputs."
        )
    return init(rng, n_inputs, dtype)


def conv(
    n_maps,
    filter=5,
    stride=2,
    padding="same",
    activation="identity",
    init="glorot_uniform",
):
    """Block of convolution to ``n_maps``, by a :func:`~skdgm.utils.windows.window`.
    ``init`` is one of ``INITIALIZERS``, applied to the fan-in and fan-out of a unit."""
    return partial(_conv, n_maps, filter, stride, padding, activation, init)


def _conv(n_maps, filter, stride, padding, activation, init, shape):
    geometry = window(shape, filter, stride, padding)
    begin = partial(_begin, geometry, n_maps, init, False)
    net = _weighted(begin, convolution.convolve, geometry, activation)
    return net, (geometry.high, geometry.wide, n_maps)


def deconv(
    n_maps,
    filter=5,
    stride=2,
    padding="same",
    activation="identity",
    init="glorot_uniform",
    size=None,
):
    """Block of transposed convolution, which enlarges images by the stride. ``size`` is
    the height and width of its images, which :func:`conv` would map to the input size.
    By default it is the largest possible size with padding "same", and the smallest
    with "valid"."""
    placed = partial(
        _beneath,
        n_maps=n_maps,
        filter=filter,
        stride=stride,
        padding=padding,
        size=size,
    )
    return partial(_deconv, placed, activation, init)


def _beneath(shape, *, n_maps, filter, stride, padding, size):
    return beneath(shape, n_maps, filter, stride, padding, size)


def _deconv(placed, activation, init, shape):
    geometry = placed(shape)
    begin = partial(_begin, geometry, shape[2], init, True)
    net = _weighted(begin, convolution.deconvolve, geometry, activation)
    return net, geometry.below


def _begin(window, n_above, init, transposed, rng, n_inputs, dtype):
    """Draw the weights between images above a window and images below it."""
    area, share = window.rows * window.columns, window.down * window.right
    if transposed:
        fan_in, fan_out = area * n_above / share, window.n_numbers
        n_outputs, maps = prod(window.below), window.maps
    else:
        fan_in, fan_out = window.n_numbers, area * n_above / share
        n_outputs, maps = window.n_positions * n_above, n_above
    shape = window.n_numbers, n_above
    W = initial(init, rng, fan_in, fan_out, shape).astype(dtype)
    return n_outputs, Layer(W, np.zeros(maps, dtype)), ()


def _weighted(begin, function, window, activation):
    layer = _MapLayer(function, window, activation)
    return Net(begin, partial(_apply_weighted, layer), partial(_tangent, layer))


class _MapLayer(NamedTuple):
    """Convolution or its transpose, its window, and the activation function."""

    function: Callable
    window: tuple
    activation: str


def _apply_weighted(layer, params, statistics, x, rng=None, train=False):
    W, b = params
    return layer.function(x, W, b, layer.window, layer.activation), statistics


def _tangent(layer, params, statistics, x, dx, rng=None, train=False):
    (W, b), zeros = params, np.zeros_like(getval(params.b))
    z = layer.function(x, W, b, layer.window)
    dz = layer.function(dx, W, zeros, layer.window)
    return activated(z, dz, layer.activation)


def map_norm():
    """Block of batch normalization of each map, over all pixels of a batch [1]_."""
    return _map_norm


def _map_norm(shape):
    net, n_maps = batch_norm(), shape[2]
    begin = partial(_begin_map_norm, net.init, shape)
    return Net(begin, partial(_apply_map_norm, net.apply, n_maps)), shape


def _begin_map_norm(init, shape, rng, n_inputs, dtype):
    return prod(shape), *init(rng, shape[2], dtype)[1:]


def _apply_map_norm(apply, n_maps, params, statistics, x, rng=None, train=False):
    if train:
        batch_moments = map_moments(getval(x).reshape(-1, n_maps))
        y = standardize_maps(x, params.gain, params.shift, batch_moments)
        return y, followed(statistics, batch_moments)
    y, _ = apply(params, statistics, x.reshape((-1, n_maps)))
    return y.reshape((len(x), -1)), statistics


def upsample(size=2):
    """Block that repeats each pixel ``size`` x ``size`` times."""
    return partial(_grown, size, size**2)


def unpool(size=2):
    """Block that enlarges each pixel to ``size`` x ``size``, with zeros around it."""
    return partial(_grown, size, 1)


def crop(size):
    """Block that crops images at the right and at the bottom, to a height and width."""
    return partial(_cropped, size)


def _grown(size, n, shape):
    new_shape = shape[0] * size, shape[1] * size, shape[2]
    return _resampled(new_shape, partial(_grow, shape=shape, size=size, n=n)), new_shape


def _grow(x, shape, size, n):
    return pooling.grow(x, shape, size, n)


def _cropped(size, shape):
    new_shape = *size, shape[2]
    return _resampled(new_shape, partial(_crop, shape=shape, size=size)), new_shape


def _crop(x, shape, size):
    return pooling.crop(x, shape, size)


def _resampled(after, function):
    apply = partial(_apply_resampled, function)
    begin = partial(_begin_resampled, prod(after))
    return Net(begin, apply, partial(tangent_linear, apply))


def _begin_resampled(n_outputs, rng, n_inputs, dtype):
    return n_outputs, (), ()


def _apply_resampled(function, params, statistics, x, rng=None, train=False):
    return function(x), statistics
