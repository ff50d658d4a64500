r"""Nets that see rows with noise, or with masks, as images.

.. math:: v = Q^\top F(Q \tilde y, s)

Components with noise, in units in which noise is as large in all of them, are turned
back to pixels by their principal axes Q, an orthogonal matrix; and so are the outputs
of a net F of images, a velocity of each pixel, to components. Waves of time and classes
are given beside, s. Masked pixels have two planes, their values and which have one.
"""

from functools import partial
from itertools import pairwise
from math import prod

import numpy as np

from skdgm.diffusion._field import N_TIMES
from skdgm.nets import dense
from skdgm.nets.images.unet import AREA, unet
from skdgm.nets.layers import Net
from skdgm.utils.images import CONV, CONV_SHAPE, halvings, image_shape


def shape_of(own, layout):
    """Height, width and channels of the images that rows are; ValueError if columns are
    no such images, or are not all alike."""
    n = len(layout.noisy) + len(layout.masked)
    shape = image_shape(n, own.image_shape, who=CONV, name=CONV_SHAPE)
    output = layout.output
    parts = () if output is None else (output.n_inputs, output.n_outputs)
    mixed = len(layout.noisy) and len(layout.masked)
    if mixed or any((part != part[0]).any() for part in parts):
        raise ValueError(
            f'{CONV} needs pixels that are all alike: column_types must be "gaussian", '
            '"bernoulli", or "categorical" with as many categories in all columns; for '
            'others use architecture="dense".'
        )
    return shape


def image_net(own, layout, n_told):
    """Net of the inputs of a diffusion, as :func:`~skdgm.diffusion._field.seen` has
    them, to velocities or distributions of pixels; its statistics are the principal
    axes of the pixels, (n_columns, n_columns), or of no size without any."""
    height, width, channels = shape_of(own, layout)
    each = 1 if layout.output is None else int(layout.output.n_inputs[0]) + 1
    n_maps = layout.n_outputs // (height * width)
    shape, sizes = (height, width, channels * each), own.conv_layer_sizes
    how = sizes, own.hidden_layer_sizes, own.activation, int(n_maps)
    body = unet(shape, N_TIMES + n_told, *how)
    parts = _begin, _apply, _tangent
    return Net(*(partial(part, body, layout) for part in parts))


def sizes_of(own, layout):
    """Most numbers of a layer for one row, and number of weights, about."""
    height, width, channels = shape_of(own, layout)
    *_, low = halvings((height, width), len(own.conv_layer_sizes) - 1)
    n_low, hidden = prod(low) * own.conv_layer_sizes[-1], own.hidden_layer_sizes
    every = [n_low, *hidden, n_low] if hidden else []
    above = [channels, *own.conv_layer_sizes]
    n_weights = sum(a * b for a, b in pairwise(every))
    n_weights += AREA * sum(b * (a + 2 * b) for a, b in pairwise(above))
    return max(height * width * max(above), *hidden, n_low), n_weights


def _begin(body, layout, rng, n_inputs, dtype):
    n_outputs, params, _ = body.init(rng, n_inputs, dtype)
    return n_outputs, params, (np.zeros((0, 0), dtype),)


def _apply(body, layout, params, statistics, x, rng=None, train=False):
    (axes,) = statistics
    out = body.apply(params, (), _arranged(layout, axes, x))[0]
    return _turned(out, axes), statistics


def _tangent(body, layout, params, statistics, x, dx, rng=None, train=False):
    (axes,) = statistics
    pair = (_arranged(layout, axes, part) for part in (x, dx))
    return tuple(_turned(part, axes) for part in body.tangent(params, (), *pair))


def _turned(out, axes):
    """Components of pixels."""
    if not axes.size:
        return out
    return dense(out, axes, np.zeros(len(axes), axes.dtype), "identity")


def _arranged(layout, axes, x):
    """Images, and then what is given beside."""
    n, output = len(layout.noisy), layout.output
    if output is None:
        return np.concatenate([x[:, :n] @ axes.T, x[:, n:]], 1) if axes.size else x
    end, n = N_TIMES + output.n_inputs.sum(), len(layout.masked)
    values, known = x[:, N_TIMES:end], x[:, end : end + n]
    planes = [part.reshape(len(x), n, -1) for part in (values, known)]
    image = np.concatenate(planes, axis=2).reshape(len(x), -1)
    return np.concatenate([image, x[:, :N_TIMES], x[:, end + n :]], axis=1)
