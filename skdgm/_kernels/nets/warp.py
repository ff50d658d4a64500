"""Images under affine maps of their positions, by bilinear interpolation.

A map is six numbers, :math:`(a_{11}, a_{12}, t_1, a_{21}, a_{22}, t_2)`. The pixel at
position p, relative to the center of the image and in pixels, gets the value at
:math:`A p + t`. Values outside of the image are those of its edge.
"""

from skdgm._kernels.compiler.jit import inner, kernel


@inner()
def _between(position, size):
    """Pixels on both sides of a position, and its distance from the first."""
    position = min(max(position, 0.0), size - 1.0)
    first = min(int(position), max(size - 2, 0))
    return first, min(first + 1, size - 1), position - first


@inner()
def _source(maps, r, i, j, height, width):
    """Source of a pixel: rows and columns on both sides of it, and distances from the
    first."""
    up, left = i - 0.5 * (height - 1), j - 0.5 * (width - 1)
    y = maps[r, 0] * up + maps[r, 1] * left + maps[r, 2] + 0.5 * (height - 1)
    x = maps[r, 3] * up + maps[r, 4] * left + maps[r, 5] + 0.5 * (width - 1)
    return _between(y, height), _between(x, width)


@kernel
def warp(x, maps, height, width, n_channels, y):
    """Write images x, (n_images, height * width * n_channels), deformed by ``maps``,
    (n_images, 6), to y."""
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
    """Add the values of pixels y to their sources x, which are overwritten; the adjoint
    of :func:`warp`."""
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
