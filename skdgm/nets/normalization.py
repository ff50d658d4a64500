r"""Batch normalization of columns, or of the maps of images.

.. math:: y = \gamma \odot \hat x + \beta, \qquad
   \hat x = \frac{x - m}{\sqrt{v + \epsilon}}

with means m and variances v of the batch's columns [1]_, or after training those of the
data. Given the gradient :math:`\bar y` by the outputs, the gradients by the arguments
are

.. math:: \bar\gamma = \textstyle\sum_r \bar y_r \hat x_r, \quad
   \bar\beta = \sum_r \bar y_r, \quad
   \bar x = \frac{\gamma}{\sqrt{v + \epsilon}}
   \bigl(\bar y - \tfrac1n \bar\beta - \tfrac1n \hat x \bar\gamma \bigr)

A map has one row for each pixel of all images. NumPy is slow with many short rows;
kernels are five times as fast.

References
----------
.. [1] Ioffe and Szegedy (2015). Batch normalization: accelerating deep network training
   by reducing internal covariate shift. ICML.
"""

import numpy as np
from autograd.extend import defvjp_argnums

from skdgm._kernels.nets.maps import MapCombination, add_up, combine
from skdgm.nets.tape import primitive
from skdgm.utils.threading.parallel import run

# Added to variances, for numerical stability.
EPSILON = 1e-5
# Number of pixels that are summed at a time; cost of a pixel of a map in multiply-adds.
_ROWS, _WORK = 2048, 5


@primitive
def standardize(x, gain, shift, known=None):
    """Standardize the columns of a batch, (n_rows, n_columns), then scale and shift
    them. ``known`` are the means and variances, if they have been computed."""
    normal, _ = _normalized(x, known)
    return normal * gain + shift


def _normalized(x, known):
    """Standardized columns, and the standard deviations."""
    mean, variance = moments(x) if known is None else known
    size = np.sqrt(variance + x.dtype.type(EPSILON))
    return (x - mean) / size, size


def moments(x):
    """Means and variances of columns, (n_columns,)."""
    return x.mean(axis=0), x.var(axis=0)


def _back(argnums, y, args, kwargs):
    x, gain, _, *known = args
    known = known[0] if known else None

    def backward(grad):
        normal, size = _normalized(x, known)
        of_shift, of_gain = grad.sum(axis=0), (grad * normal).sum(axis=0)
        grads = [None, of_gain, of_shift]
        if 0 in argnums:
            shared = (of_shift + normal * of_gain) / x.dtype.type(len(x))
            grads[0] = gain / size * (grad - shared)
        return [grads[argnum] for argnum in argnums]

    return backward


defvjp_argnums(standardize, _back)


def map_moments(pixels):
    """Means and variances of maps, (n_maps,), given pixels, (n_pixels, n_maps)."""
    zero = np.zeros(pixels.shape[1], pixels.dtype)
    mean = _sums(pixels, zero, pixels, zero)[0] / len(pixels)
    return mean, _sums(pixels, mean, pixels, mean)[1] / len(pixels)


def _sums(x, mean, y, shift):
    """Sums over pixels of y - shift and of (y - shift) (x - mean), (2, n_maps)."""
    n = 1 + len(x) // _ROWS
    out = np.empty((n, 2, x.shape[1]), x.dtype)
    run(add_up, x, mean, y, shift, out, n=n, work=_WORK * x.size)
    return out.sum(axis=0)


@primitive
def standardize_maps(x, gain, shift, known):
    """Standardize the maps of images, (n_images, n_pixels * n_maps), by their ``known``
    means and variances, then scale and shift each map."""
    (mean, variance), pixels = known, x.reshape(-1, len(gain))
    slope = gain / np.sqrt(variance + x.dtype.type(EPSILON))
    return _combined(pixels, mean, slope, pixels, 0 * slope, shift).reshape(x.shape)


def _combined(x, mean, slope, y, factor, shift):
    combination = MapCombination(mean, slope, factor, shift)
    out, work = np.empty_like(x), _WORK * x.size
    run(combine, x, y, combination, out, n=len(x), work=work)
    return out


def _maps_back(argnums, y, args, kwargs):
    x, gain, _, (mean, variance) = args
    size = np.sqrt(variance + x.dtype.type(EPSILON))

    def backward(grad):
        pixels, grad = (array.reshape(-1, len(gain)) for array in (x, grad))
        of_shift, of_gain = _sums(pixels, mean, grad, 0 * mean)
        of_gain /= size
        grads = [None, of_gain, of_shift]
        if 0 in argnums:
            share = gain / size
            slope, by = (
                -share * of_gain / size / len(grad),
                -share * of_shift / len(grad),
            )
            grads[0] = _combined(pixels, mean, slope, grad, share, by).reshape(x.shape)
        return [grads[argnum] for argnum in argnums]

    return backward


defvjp_argnums(standardize_maps, _maps_back)
