r"""Convolution of images and its transpose, with hand-written gradients.

An image is a row of numbers, an array of shape (height, width, maps) in C order. A
window W has one column for each map above it and one row for each number of a patch
below it. With the patch :math:`P_p x` at position p, a convolution [1]_ is

.. math:: y_p = f\bigl(W^\top P_p x + b\bigr), \qquad
   \bar x = \textstyle\sum_p P_p^\top W \delta_p, \quad
   \bar W = \sum_p P_p x\, \delta_p^\top, \quad \bar b = \sum_p \delta_p, \qquad
   \delta = \bar y \odot f',

and a transposed convolution [2]_ exchanges the product with its gradient,

.. math:: x = f\bigl(\textstyle\sum_p P_p^\top W y_p + b\bigr), \qquad
   \bar y_p = W^\top P_p \delta, \quad \bar W = \sum_p P_p \delta\, y_p^\top.

[3]_ illustrates both. Patches of a few images at a time are copied to a matrix, so that
BLAS does nearly all of the work; pixels outside of the image are zero. The groups of
images do not depend on the number of threads. Maps are the last axis: each row of a
patch is contiguous, and products need no reordering. ``doc/benchmarks/convolution.md``
compares this with PyTorch.

References
----------
.. [1] LeCun, Bottou, Bengio and Haffner (1998). Gradient-based learning applied to
   document recognition. Proceedings of the IEEE.
.. [2] Zeiler and Fergus (2014). Visualizing and understanding convolutional networks.
   ECCV.
.. [3] Dumoulin and Visin (2016). A guide to convolution arithmetic for deep learning.
   arXiv:1603.07285.
"""

from typing import NamedTuple

import numpy as np
from autograd.extend import defvjp_argnums

from skdgm._kernels.nets.patches import gather, scatter
from skdgm.nets.primitives import FORWARD, pull_back
from skdgm.nets.tape import primitive
from skdgm.utils.windows import add, by_images, n_groups


class ConvolutionInputs(NamedTuple):
    """Images x, filters W, biases b, and geometry of the filters, a tuple."""

    x: np.ndarray
    W: np.ndarray
    b: np.ndarray
    window: tuple


class FilterGradients(NamedTuple):
    """Gradients by images, and by filters and biases for each group of images; None if
    they are not needed."""

    x: np.ndarray | None
    W: np.ndarray | None
    b: np.ndarray | None


@primitive
def convolve(x, W, b, window, activation="identity"):
    """Convolution of images, (n_images, height * width * maps). W has shape
    (rows * columns * maps, n_maps_above), and the result
    (n_images, high * wide * n_maps_above)."""
    y = np.empty((len(x), window.n_positions * len(b)), x.dtype)
    plain_window = tuple(window)

    def convolve_part(rows, patches, place):
        gather(x[rows], plain_window, patches)
        z = y[rows].reshape(-1, len(b))
        np.matmul(patches, W, out=z)
        z += b
        _activate(z, activation)

    by_images(convolve_part, x, W, window)
    return y


@primitive
def deconvolve(x, W, b, window, activation="identity"):
    """Transposed convolution, from images above a window to images below it. Shapes are
    those of :func:`convolve` reversed; b has one bias for each map below."""
    y = np.empty((len(x), window.height * window.width * len(b)), x.dtype)
    plain_window = tuple(window)

    def deconvolve_part(rows, patches, place):
        np.matmul(x[rows].reshape(len(patches), -1), W.T, out=patches)
        scatter(patches, plain_window, b, y[rows])
        _activate(y[rows], activation)

    by_images(deconvolve_part, x, W, window)
    return y


def _activate(z, activation):
    y = FORWARD[activation](z)
    if y is not z:
        z[...] = y


def _back(function):
    """Vector-Jacobian products, by ``function(filters, delta, grads, rows, patches,
    place)`` for each group of images; delta are gradients by pre-activations."""

    def of(argnums, y, args, kwargs):
        x, W, b, window, *activation = args
        name = activation[0] if activation else "identity"
        filters = ConvolutionInputs(x, W, b, tuple(window))

        def backward(grad):
            n = n_groups(x, W, window)
            grads = FilterGradients(
                np.empty(x.shape, x.dtype) if 0 in argnums else None,
                np.empty((n, *W.shape), W.dtype) if 1 in argnums else None,
                np.empty((n, *b.shape), b.dtype) if 2 in argnums else None,
            )
            grad = np.ascontiguousarray(grad, y.dtype)

            def backward_part(rows, patches, place):
                delta, _ = pull_back(name, y[rows], grad[rows], in_thread=True)
                function(filters, delta, grads, rows, patches, place)

            by_images(backward_part, x, W, window)
            groups = grads.W, grads.b
            sums = (None if group is None else group.sum(axis=0) for group in groups)
            by_argument = grads.x, *sums
            return [by_argument[argnum] for argnum in argnums]

        return backward

    return of


def _convolve_back(filters, delta, grads, rows, patches, place):
    x, W, b, window = filters
    delta = delta.reshape(-1, len(b))
    if grads.b is not None:
        add(np.ones(len(delta), delta.dtype), delta, grads.b, place)
    if grads.W is not None:
        gather(x[rows], window, patches)
        add(patches.T, delta, grads.W, place)
    if grads.x is not None:
        np.matmul(delta, W.T, out=patches)
        scatter(patches, window, np.zeros(window[2], W.dtype), grads.x[rows])


def _deconvolve_back(filters, delta, grads, rows, patches, place):
    (x, W, b, window), above = filters, (len(patches), -1)
    if grads.b is not None:
        pixels = delta.reshape(-1, len(b))
        add(np.ones(len(pixels), delta.dtype), pixels, grads.b, place)
    gather(delta, window, patches)
    if grads.W is not None:
        add(patches.T, x[rows].reshape(above), grads.W, place)
    if grads.x is not None:
        np.matmul(patches, W, out=grads.x[rows].reshape(above))


defvjp_argnums(convolve, _back(_convolve_back))
defvjp_argnums(deconvolve, _back(_deconvolve_back))
