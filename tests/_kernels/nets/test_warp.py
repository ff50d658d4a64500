"""Images through affine maps: against SciPy, and the adjoint."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from skdgm._kernels.nets.warp import unwarp, warp
from tests.suites import DTYPES

SHAPES = [(5, 4, 2), (7, 7, 1), (1, 6, 1), (3, 1, 2), (1, 1, 3)]


def drawn(shape, dtype, n=4):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, np.prod(shape))).astype(dtype)
    maps = rng.normal([1, 0, 0, 0, 1, 0], 0.4, (n, 6))
    maps[:, [2, 5]] *= 3
    return x, maps, rng.normal(size=x.shape).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_pixels_are_interpolated(shape, dtype):
    x, maps, y = drawn(shape, dtype)
    warp(x, maps, *shape, y)
    height, width, channels = shape
    middle = np.array([[height - 1], [width - 1]]) / 2
    positions = np.mgrid[:height, :width].reshape(2, -1) - middle
    for image, own, found in zip(x, maps.reshape(-1, 2, 3), y):
        there = own[:, :2] @ positions + own[:, 2:] + middle
        for m in range(channels):
            plane = image.reshape(shape)[:, :, m].astype(float)
            expected = map_coordinates(plane, there, order=1, mode="nearest")
            np.testing.assert_allclose(found[m::channels], expected, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_adjoint(shape):
    x, maps, y = drawn(shape, float)
    forth, back = np.empty_like(x), np.empty_like(x)
    warp(x, maps, *shape, forth)
    unwarp(y, maps, *shape, back)
    np.testing.assert_allclose((forth * y).sum(axis=1), (x * back).sum(axis=1))


def test_images_stay_where_positions_do():
    x, _, y = drawn((6, 5, 2), np.float32)
    warp(x, np.tile([1.0, 0, 0, 0, 1, 0], (len(x), 1)), 6, 5, 2, y)
    np.testing.assert_array_equal(y, x)
