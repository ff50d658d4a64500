r"""Attention to a region of an image: a grid of Gaussian filters that reads and writes.

.. math:: F_{ia} = \frac{1}{Z_i} \exp\Bigl(-\frac{(a - \mu_i)^2}{2 \sigma^2}\Bigr),
   \qquad \mu_i = g + \Bigl(i - \frac{N + 1}{2}\Bigr) \delta

is the filter of row i of an N x N grid, over the rows a of an image [1]_. Each filter
sums to 1, and filters of columns are analogous. A net outputs, for each image, the
center g of the grid, its stride :math:`\delta`, the variance :math:`\sigma^2` and the
intensity :math:`\gamma`. An image x is read, and a patch w is written, by

.. math:: \text{glimpse} = \gamma \, F_Y \, x \, F_X^\top, \qquad
   \text{stroke} = \frac1\gamma \, F_Y^\top \, w \, F_X

with hand-written gradients. The same filters read all channels (planes) of an image.

References
----------
.. [1] Gregor, Danihelka, Graves, Rezende and Wierstra (2015). DRAW: a recurrent neural
   network for image generation. ICML.
"""

from typing import NamedTuple

import numpy as np
from autograd.extend import defvjp, defvjp_argnums

from skdgm.nets.tape import primitive
from skdgm.utils.math import sigmoid

# Number of outputs of a net: centers in rows and columns, and logs of the variance, of
# the stride and of the intensity.
N_OUTPUTS = 5
# Bound on the absolute value of the logs.
_BOUND = 6.0


class FilterGrid(NamedTuple):
    """Size of images, and number of filters of their rows and of their columns."""

    height: int
    width: int
    n_rows: int
    n_columns: int

    @classmethod
    def of(cls, shape, n_filters):
        """Grid of ``n_filters`` x ``n_filters``, or of fewer along a shorter side."""
        height, width, *_ = shape
        return cls(height, width, min(n_filters, height), min(n_filters, width))

    @property
    def size(self):
        """Number of filters, each of which reads one number of each plane."""
        return self.n_rows * self.n_columns

    @property
    def n_weights(self):
        """Number of weights of all filters."""
        return self.n_rows * self.height + self.n_columns * self.width

    @property
    def stride(self):
        """Stride with which the grid covers the whole image."""
        n_filters = max(self.n_rows, self.n_columns)
        return (max(self.height, self.width) - 1) / max(1, n_filters - 1)

    def start(self, paints=False):
        """Initial outputs of a net, with which filters cover the image evenly. With
        ``paints``, the image that is written has the scale of the patch."""
        stride = max(1.0, self.stride)
        gain = -np.log(stride) * ((self.height > 1) + (self.width > 1)) if paints else 0
        return np.array([0.0, 0.0, 2 * np.log(stride / 2), 0.0, gain])

    def images(self, x):
        """Reshape rows to (n_rows, n_planes, height, width)."""
        return x.reshape(len(x), -1, self.height, self.width)

    def patches(self, x):
        """Reshape readings to (n_rows, n_planes, n_filter_rows, n_filter_columns)."""
        return x.reshape(len(x), -1, self.n_rows, self.n_columns)


class _Filters:
    """Filters of a grid, given outputs of a net, (n_rows, 5)."""

    def __init__(self, out, grid):
        self.grid = grid
        self.logs = out.dtype.type(_BOUND) * np.tanh(out[:, 2:] / _BOUND)
        self.precision = np.exp(-self.logs[:, :1])[:, :, None]
        stride = (grid.stride * np.exp(self.logs[:, 1:2])).astype(out.dtype)
        self.gamma = np.exp(self.logs[:, 2])
        self.parts = []
        sides = (grid.height, grid.n_rows), (grid.width, grid.n_columns)
        for number, (side, n) in enumerate(sides):
            half = out.dtype.type((side + 1) / 2)
            center = half * (out[:, number : number + 1] + 1) - 1
            steps = stride * (np.arange(n, dtype=out.dtype) - (n - 1) / 2)
            distance = np.arange(side, dtype=out.dtype) - (center + steps)[:, :, None]
            F = distance * distance
            F *= -0.5 * self.precision
            F -= F.max(axis=2, keepdims=True)
            np.exp(F, out=F)
            F /= F.sum(axis=2, keepdims=True)
            self.parts.append((F, distance, steps, half))

    @property
    def banks(self):
        """Filters of rows and of columns, with an axis for planes."""
        return tuple(part[0][:, None] for part in self.parts)

    def back(self, grads, of_gamma):
        """Gradient by the outputs, given gradients by both banks and by the log
        intensity. The gradients by the banks are overwritten."""
        by_out = np.empty((len(of_gamma), N_OUTPUTS), of_gamma.dtype)
        by_out[:, 2:4] = 0
        for number, (grad, part) in enumerate(zip(grads, self.parts)):
            F, distance, steps, half = part
            slopes = grad
            slopes -= (F * grad).sum(axis=2, keepdims=True)
            slopes *= F
            slopes *= distance
            of_place = (slopes * self.precision).sum(axis=2)
            by_out[:, number] = half * of_place.sum(axis=1)
            slopes *= distance
            by_out[:, 2] += (slopes * (0.5 * self.precision)).sum(axis=(1, 2))
            by_out[:, 3] += (of_place * steps).sum(axis=1)
        by_out[:, 4] = of_gamma
        by_out[:, 2:] *= 1 - (self.logs / _BOUND) ** 2
        return by_out


def _turned(x):
    return x.swapaxes(2, 3)


def _summed(A, B):
    """Matrix products, summed over planes."""
    return sum(A[:, plane] @ B[:, plane] for plane in range(A.shape[1]))


@primitive
def with_residual(images, canvas, logistic):
    """Images, (n_rows, n_numbers), concatenated with their difference from a canvas.
    The first n_numbers of the canvas are means, or log odds if ``logistic``."""
    mean = canvas[:, : images.shape[1]]
    return np.concatenate([images, images - (sigmoid(mean) if logistic else mean)], 1)


def _by_canvas(both, images, canvas, logistic, grad):
    """Gradient by a canvas, given the gradient by the difference."""
    n = images.shape[1]
    by_canvas = np.zeros_like(canvas)
    np.negative(grad, out=by_canvas[:, :n])
    if logistic:
        mean = images - both[:, n:]
        by_canvas[:, :n] *= mean
        by_canvas[:, :n] *= np.subtract(1, mean, out=mean)
    return by_canvas


def _residual_back(both, images, canvas, logistic):
    n = images.shape[1]
    return lambda grad: _by_canvas(both, images, canvas, logistic, grad[:, n:])


defvjp(with_residual, None, _residual_back, None)


@primitive
def glimpse(images, canvas, out, grid, logistic):
    """Readings of images, and of their difference from a canvas, by a
    :class:`FilterGrid`. Readings have shape (n_rows, n_planes * grid.size), with the
    planes of both; ``out``, (n_rows, 5), are the outputs of a net. See
    :func:`with_residual`."""
    filters = _Filters(out, grid)
    rows, columns = filters.banks
    seen = grid.images(with_residual(images, canvas, logistic))
    read = (rows @ seen @ _turned(columns)).reshape(len(images), -1)
    read *= filters.gamma[:, None]
    return read


def _glimpse_back(argnums, read, args, kwargs):
    images, canvas, out, grid, logistic = args

    def backward(grad):
        filters = _Filters(out, grid)
        rows, columns = filters.banks
        seen = with_residual(images, canvas, logistic)
        patches, planes = grid.patches(grad * filters.gamma[:, None]), grid.images(seen)
        grads = []
        if 1 in argnums:
            lacks = patches[:, planes.shape[1] // 2 :] @ columns
            by_seen = (_turned(rows) @ lacks).reshape(images.shape)
            grads.append(_by_canvas(seen, images, canvas, logistic, by_seen))
            del lacks, by_seen
        if 2 in argnums:
            by_rows = _summed(patches, columns @ _turned(planes))
            by_columns = _summed(_turned(patches), rows @ planes)
            grads.append(filters.back((by_rows, by_columns), (grad * read).sum(axis=1)))
        return grads

    return backward


defvjp_argnums(glimpse, _glimpse_back)


@primitive
def stroke(canvas, patch, out, grid):
    """Canvas plus patches, as written by the filters of a :class:`FilterGrid`. The
    canvas has shape (n_rows, n_planes * height * width), patches have shape (n_rows,
    n_planes * grid.size), and outputs of the net (n_rows, 5)."""
    filters = _Filters(out, grid)
    rows, columns = filters.banks
    patches = grid.patches(patch / filters.gamma[:, None])
    painted = _turned(rows) @ (patches @ columns)
    painted = painted.reshape(len(patch), -1)
    painted += canvas
    return painted


def _stroke_back(argnums, _, args, kwargs):
    _, patch, out, grid = args

    def backward(grad):
        filters = _Filters(out, grid)
        gain = 1 / filters.gamma[:, None]
        rows, columns = filters.banks
        halfway = rows @ grid.images(grad)
        grads = []
        if 0 in argnums:
            grads.append(grad)
        by_patch = gain * (halfway @ _turned(columns)).reshape(patch.shape)
        if 1 in argnums:
            grads.append(by_patch)
        if 2 in argnums:
            patches = grid.patches(gain * patch)
            by_rows = _summed(patches, columns @ _turned(grid.images(grad)))
            by_columns = _summed(_turned(patches), halfway)
            of_gamma = -(by_patch * patch).sum(axis=1)
            grads.append(filters.back((by_rows, by_columns), of_gamma))
        return grads

    return backward


defvjp_argnums(stroke, _stroke_back)
