import numpy as np
import pytest

from skdgm._kernels.nets.patches import gather, scatter
from tests.suites import DTYPES

# Height, width, maps; rows, columns of the filter; steps; zeros before; positions.
WINDOWS = [
    (5, 4, 2, 3, 3, 1, 1, 1, 1, 5, 4),
    (7, 6, 1, 5, 2, 2, 3, 1, 0, 4, 2),
    (4, 4, 3, 2, 2, 3, 2, 0, 0, 1, 2),
    (2, 3, 2, 5, 5, 1, 1, 2, 2, 2, 3),
]
N_IMAGES = 3


def by_slices(x, window):
    """Patches of images with zeros around."""
    height, width, maps, rows, columns, down, right, top, left, high, wide = window
    x = x.reshape(-1, height, width, maps)
    x = np.pad(x, ((0, 0), (top, rows), (left, columns), (0, 0)))
    patches = [
        x[r, i * down : i * down + rows, j * right : j * right + columns].ravel()
        for r in range(len(x))
        for i in range(high)
        for j in range(wide)
    ]
    return np.stack(patches)


def drawn(window, dtype):
    height, width, maps, rows, columns, *_, high, wide = window
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N_IMAGES, height * width * maps)).astype(dtype)
    size = N_IMAGES * high * wide, rows * columns * maps
    return x, rng.normal(size=size).astype(dtype)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_patches_are_slices(window, dtype):
    x, patches = drawn(window, dtype)
    gather(x, window, patches)
    np.testing.assert_array_equal(patches, by_slices(x, window))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_scattering_is_the_adjoint_and_a_bias(window, dtype):
    x, patches = drawn(window, dtype)
    b, back = np.arange(window[2], dtype=dtype), np.empty_like(x)
    scatter(patches, window, 0 * b, back)
    expected = (by_slices(x, window) * patches).sum(dtype=float)
    np.testing.assert_allclose((x * back).sum(dtype=float), expected, rtol=1e-5)
    with_bias = np.empty_like(x)
    scatter(patches, window, b, with_bias)
    shift = (with_bias - back).reshape(-1, window[2])
    np.testing.assert_allclose(shift, np.tile(b, (len(shift), 1)), atol=1e-5)
