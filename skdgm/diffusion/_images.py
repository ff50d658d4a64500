r"""U-nets for images with noise or with masks.

.. math:: v = Q^\top F(Q \tilde y, s)

Noisy components :math:`\tilde y`, in units in which they have equal noise, are rotated
to pixels by their principal axes Q, an orthogonal matrix. The outputs of the U-net F, a
velocity of each pixel, are rotated back. The time embedding and the covariates are
further inputs s. Masked pixels have two planes: values, and indicators of observed
values.
"""

from itertools import pairwise
from math import prod
from typing import NamedTuple

import numpy as np

from skdgm.diffusion._field import N_TIMES
from skdgm.diffusion._layout import ColumnLayout
from skdgm.nets import dense
from skdgm.nets.images.unet import AREA, unet
from skdgm.nets.layers import Net
from skdgm.utils.images import CONV, CONV_SHAPE, halvings, image_shape


def shape_of(structure, layout):
    """Height, width and channels of the images in rows; ValueError if columns are not
    pixels of one type."""
    n = len(layout.noisy) + len(layout.masked)
    shape = image_shape(n, structure.image_shape, subject=CONV, name=CONV_SHAPE)
    output = layout.output
    sizes_of_columns = () if output is None else (output.n_inputs, output.n_outputs)
    is_mixed = len(layout.noisy) and len(layout.masked)
    if is_mixed or any((sizes != sizes[0]).any() for sizes in sizes_of_columns):
        raise ValueError(
            f'{CONV} needs pixels of one kind: column_types must be "gaussian", '
            '"bernoulli", or "categorical" with the same categories in all columns; '
            'for other columns use architecture="dense".'
        )
    return shape


def image_net(structure, layout, n_covariates):
    """Net from :func:`~skdgm.diffusion._field.net_inputs` to velocities or
    distributions of pixels. Its statistics are the principal axes, (n_columns,
    n_columns), or an empty matrix for independent pixels."""
    height, width, channels = shape_of(structure, layout)
    n_planes = 1 if layout.output is None else int(layout.output.n_inputs[0]) + 1
    n_maps = layout.n_outputs // (height * width)
    body = unet(
        (height, width, channels * n_planes),
        N_TIMES + n_covariates,
        structure.conv_layer_sizes,
        structure.hidden_layer_sizes,
        structure.activation,
        int(n_maps),
    )

    net = ImageParts(body, layout)
    return Net(net.init, net.apply, net.tangent)


class ImageParts(NamedTuple):
    """Init, apply and tangent functions of a net around ``body``, a net of images."""

    body: Net
    layout: ColumnLayout

    def init(self, rng, n_inputs, dtype):
        """Number of outputs, parameters, and statistics with empty axes."""
        n_outputs, params, _ = self.body.init(rng, n_inputs, dtype)
        return n_outputs, params, (np.zeros((0, 0), dtype),)

    def apply(self, params, statistics, x, rng=None, train=False):
        """Outputs for inputs x, and statistics."""
        (axes,) = statistics
        out = self.body.apply(params, (), _arranged(self.layout, axes, x))[0]
        return _components(out, axes), statistics

    def tangent(self, params, statistics, x, dx, rng=None, train=False):
        """Outputs, and their directional derivatives along dx."""
        (axes,) = statistics
        x, dx = (_arranged(self.layout, axes, inputs) for inputs in (x, dx))
        out, slopes = self.body.tangent(params, (), x, dx)
        return _components(out, axes), _components(slopes, axes)


def sizes_of(structure, layout):
    """Largest number of activations of a layer for one row, and the approximate number
    of weights."""
    height, width, channels = shape_of(structure, layout)
    *_, smallest = halvings((height, width), len(structure.conv_layer_sizes) - 1)
    n_smallest = prod(smallest) * structure.conv_layer_sizes[-1]
    hidden = structure.hidden_layer_sizes
    dense_sizes = [n_smallest, *hidden, n_smallest] if hidden else []
    maps = [channels, *structure.conv_layer_sizes]
    n_weights = sum(a * b for a, b in pairwise(dense_sizes))
    n_weights += AREA * sum(b * (a + 2 * b) for a, b in pairwise(maps))
    return max((height * width * max(maps), *hidden, n_smallest)), n_weights


def _components(out, axes):
    """Rotate pixels to components."""
    if not axes.size:
        return out
    return dense(out, axes, np.zeros(len(axes), axes.dtype), "identity")


def _arranged(layout, axes, x):
    """Inputs as images, followed by all other inputs."""
    n, output = len(layout.noisy), layout.output
    if output is None:
        return np.concatenate([x[:, :n] @ axes.T, x[:, n:]], 1) if axes.size else x
    end_of_values, n = N_TIMES + output.n_inputs.sum(), len(layout.masked)
    values = x[:, N_TIMES:end_of_values]
    indicators = x[:, end_of_values : end_of_values + n]
    planes = [plane.reshape(len(x), n, -1) for plane in (values, indicators)]
    image = np.concatenate(planes, axis=2).reshape(len(x), -1)
    return np.concatenate([image, x[:, :N_TIMES], x[:, end_of_values + n :]], axis=1)
