"""Correlation of images with filters, its adjoint and its gradient, on all threads.

Patches are multiplied by BLAS; sparse images use a kernel that reads active pixels
only.
"""

from functools import lru_cache, partial

import numpy as np

from skdgm._kernels.nets.patches import gather, scatter
from skdgm._kernels.sparse.active import correlate, multiply
from skdgm.utils.windows import add, by_images, n_groups

# Share of nonzero entries below which the sparse kernel is faster than patches, for
# pixels whose weights of neighboring positions are in long runs; length of such a run;
# number of images that are inspected.
_MAX_SPARSE_SHARE, _LONG_RUN, _N_INSPECTED = 0.25, 250, 16


def correlation(x, W, window, up):
    """Correlation of images with filters (rows * columns * maps, n_maps) if ``up``;
    else its adjoint, applied to the maps above."""
    below = window.height * window.width * window.maps
    y = np.empty((len(x), window.n_positions * W.shape[1] if up else below), x.dtype)
    if not up:
        function = _down
    elif _few(x, window, W.shape[1]):
        function, W = _up_active, _turned(W, window)
    else:
        function = _up
    by_images(partial(function, x, W, tuple(window), y), x, W, window)
    return y


def _up(x, W, window, y, rows, patches, place):
    gather(x[rows], window, patches)
    np.matmul(patches, W, out=y[rows].reshape(len(patches), -1))


def _up_active(x, W, window, y, rows, patches, place):
    correlate(x[rows], W, window, y[rows])


def _down(x, W, window, y, rows, patches, place):
    np.matmul(x[rows].reshape(len(patches), -1), W.T, out=patches)
    scatter(patches, window, np.zeros(window[2], x.dtype), y[rows])


def mean_product(x, y, window):
    """Mean over images x of the sum over positions of outer products of patches and
    pixels y above: (rows * columns * maps, n_maps)."""
    n_maps, real = y.shape[1] // window.n_positions, y.dtype.type
    W = np.zeros((window.n_numbers, n_maps), y.dtype)
    if not len(x):
        return W
    x, y = np.ascontiguousarray(x, y.dtype), np.ascontiguousarray(y)
    n, active = n_groups(x, W, window), _few(x, window, n_maps)
    W = _turned(W, window) if active else W
    sums = np.empty((n, *W.shape), y.dtype)
    function = _multiply_active if active else _multiply
    by_images(partial(function, x, tuple(window), y, sums), x, W, window)
    mean = sums.sum(axis=0) * real(1 / len(x))
    return _turned_back(mean, window) if active else mean


def patch_sums(x, window):
    """Sum over positions of the patches of images x, (n_images, rows * columns *
    maps)."""
    down, across = _seen(window, x.dtype.type)
    x = down @ x.reshape(len(x), window.height, -1)
    x = across @ x.reshape(len(x), window.rows, window.width, window.maps)
    return x.reshape(len(x), -1)


def spread(patch, window):
    """Image to which the same patch is added at every position, (height * width *
    maps,); the adjoint of :func:`patch_sums`."""
    down, across = _seen(window, patch.dtype.type)
    x = down.T @ patch.reshape(window.rows, -1)
    x = across.T @ x.reshape(window.height, window.columns, window.maps)
    return x.ravel()


@lru_cache(maxsize=128)
def _seen(window, real):
    """Masks of the rows of images that each row of the filter sees at its positions,
    (rows, height), and the same for columns."""
    top = np.arange(window.high) * window.down - window.top
    left = np.arange(window.wide) * window.right - window.left
    sides = (window.height, window.rows, top), (window.width, window.columns, left)
    return tuple(
        (first[:, None] + np.arange(length)[:, None, None] == np.arange(size))
        .any(axis=1)
        .astype(real)
        for size, length, first in sides
    )


def _multiply(x, window, y, sums, rows, patches, place):
    gather(x[rows], window, patches)
    add(patches.T, y[rows].reshape(len(patches), -1), sums, place)


def _multiply_active(x, window, y, sums, rows, patches, place):
    group, fresh = place
    if fresh:
        sums[group] = 0
    multiply(x[rows], y[rows], window, sums[group])


def _turned(W, window):
    """Filters in the layout of the sparse kernel."""
    parts = W.reshape(window.rows, window.columns, window.maps, -1)[:, ::-1]
    flat = window.maps, window.rows, window.columns * W.shape[1]
    return np.ascontiguousarray(parts.transpose(2, 0, 1, 3)).reshape(flat)


def _turned_back(W, window):
    """Inverse of :func:`_turned`."""
    parts = W.reshape(window.maps, window.rows, window.columns, -1)[:, :, ::-1]
    flat = window.n_numbers, W.shape[2] // window.columns
    return np.ascontiguousarray(parts.transpose(1, 2, 0, 3)).reshape(flat)


def _few(x, window, n_maps):
    """Return whether images are sparse enough for the sparse kernel, which multiplies a
    pixel by the filters at a row of positions together."""
    if window.right > 1:
        return False
    run = n_maps * window.columns * window.wide / window.width
    limit = _MAX_SPARSE_SHARE * min(1, run / _LONG_RUN)
    sample = x[:: -(-len(x) // _N_INSPECTED)] if len(x) else x
    return np.count_nonzero(sample) < limit * sample.size
