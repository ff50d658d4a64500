"""Images under affine maps of their positions, by bilinear interpolation.

A map is six numbers, :math:`(a_{11}, a_{12}, t_1, a_{21}, a_{22}, t_2)`: what a pixel
becomes is found at :math:`A p + t`, where positions p are counted in pixels from the
middle of the image. Beyond its edges an image goes on as at the edge.
"""

from skdgm._kernels.compiler.jit import inner, kernel


@inner()
def _between(position, size):
    """The pixels that a position is between, and its distance from the first."""
    position = min(max(position, 0.0), size - 1.0)
    first = min(int(position), max(size - 2, 0))
    return first, min(first + 1, size - 1), position - first


@inner()
def _source(maps, r, i, j, height, width):
    """Where a pixel is found: rows and columns it is between, and its distances from
    the first of them."""
    up, left = i - 0.5 * (height - 1), j - 0.5 * (width - 1)
    y = maps[r, 0] * up + maps[r, 1] * left + maps[r, 2] + 0.5 * (height - 1)
    x = maps[r, 3] * up + maps[r, 4] * left + maps[r, 5] + 0.5 * (width - 1)
    return _between(y, height), _between(x, width)


@kernel
def warp(x, maps, height, width, n_channels, y):
    """Deform images.

    Parameters
    ----------
    x : ndarray of shape (n_images, height * width * n_channels)
    maps : ndarray of shape (n_images, 6)
    height, width, n_channels : int
    y : ndarray like ``x``
        Overwritten.
    """
    for r in range(len(x)):
        for i in range(height):
            for j in range(width):
                (a, b, v), (c, d, h) = _source(maps, r, i, j, height, width)
                to = (i * width + j) * n_channels
                for m in range(n_channels):
                    upper = (1 - h) * x[r, (a * width + c) * n_channels + m]
                    upper += h * x[r, (a * width + d) * n_channels + m]
                    lower = (1 - h) * x[r, (b * width + c) * n_channels + m]
                    lower += h * x[r, (b * width + d) * n_channels + m]
                    y[r, to + m] = (1 - v) * upper + v * lower


@kernel
def unwarp(y, maps, height, width, n_channels, x):
    """Add what pixels are made of to their sources; the adjoint of :func:`warp`.

    Parameters
    ----------
    y : ndarray of shape (n_images, height * width * n_channels)
    maps, height, width, n_channels
        As of :func:`warp`.
    x : ndarray like ``y``
        Overwritten.
    """
    x[:] = 0
    for r in range(len(x)):
        for i in range(height):
            for j in range(width):
                (a, b, v), (c, d, h) = _source(maps, r, i, j, height, width)
                source = (i * width + j) * n_channels
                for m in range(n_channels):
                    upper = (1 - v) * y[r, source + m]
                    lower = v * y[r, source + m]
                    x[r, (a * width + c) * n_channels + m] += (1 - h) * upper
                    x[r, (a * width + d) * n_channels + m] += h * upper
                    x[r, (b * width + c) * n_channels + m] += (1 - h) * lower
                    x[r, (b * width + d) * n_channels + m] += h * lower
