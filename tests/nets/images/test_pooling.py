import numpy as np
import pytest

from skdgm.nets import vjp
from skdgm.nets.images import pooling
from tests.nets.recipes import assert_slopes, numbers
from tests.suites import DTYPES

SHAPES = [((4, 6, 1), 2), ((5, 7, 3), 2), ((3, 6, 2), 3), ((2, 3, 2), 1)]


def rows(shape, dtype=np.float64, seed=0):
    return numbers(3, np.prod(shape), dtype=dtype, seed=seed)


@pytest.mark.parametrize("shape, size", SHAPES)
def test_growing(shape, size):
    x = rows(shape)
    images = x.reshape(-1, *shape)
    repeated = images.repeat(size, axis=1).repeat(size, axis=2)
    found = pooling.grow(x, shape, size, size**2)
    np.testing.assert_array_equal(found, repeated.reshape(len(x), -1))
    corners = np.zeros_like(repeated)
    corners[:, ::size, ::size] = images
    found = pooling.grow(x, shape, size, 1)
    np.testing.assert_array_equal(found, corners.reshape(len(x), -1))


@pytest.mark.parametrize("shape, size", SHAPES)
@pytest.mark.parametrize("n", [1, 4])
def test_slopes(n, shape, size):
    x = rows(shape)
    assert_slopes(lambda params: pooling.grow(params[0], shape, size, n), (x,))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 4])
def test_types_are_kept(n, dtype):
    value, (grad,) = vjp(
        lambda params: pooling.grow(params[0], (4, 4, 2), 2, n),
        (rows((4, 4, 2), dtype),),
        np.ones_like,
    )
    assert value.dtype == grad.dtype == dtype
