from itertools import product

import numpy as np
import pytest

from skdgm.nets import vjp
from skdgm.nets.images import pooling
from tests.nets.recipes import assert_slopes, numbers

SHAPES = [((4, 6, 1), 2), ((5, 7, 3), 2), ((3, 6, 2), 3), ((2, 3, 2), 1)]


def rows(shape, dtype=np.float64, seed=0):
    return numbers(3, np.prod(shape), dtype=dtype, seed=seed)


def by_blocks(function, x, shape, size):
    """Pooling block by block."""
    x = x.reshape(-1, *shape)
    high, wide = shape[0] // size, shape[1] // size
    y = np.empty((len(x), high, wide, shape[2]))
    for i, j in product(range(high), range(wide)):
        block = x[:, i * size : i * size + size, j * size : j * size + size]
        y[:, i, j] = function(block, axis=(1, 2))
    return y.reshape(len(x), -1)


@pytest.mark.parametrize("shape, size", SHAPES)
def test_pooling_is_by_blocks(shape, size):
    x = rows(shape)
    for name, function in {"max_pool": np.max, "mean_pool": np.mean}.items():
        expected = by_blocks(function, x, shape, size)
        found = getattr(pooling, name)(x, shape, size)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("shape, size", SHAPES)
def test_growing(shape, size):
    x = rows(shape)
    images = x.reshape(-1, *shape)
    repeated = images.repeat(size, axis=1).repeat(size, axis=2)
    found = pooling.upsample(x, shape, size)
    np.testing.assert_array_equal(found, repeated.reshape(len(x), -1))
    corners = np.zeros_like(repeated)
    corners[:, ::size, ::size] = images
    found = pooling.unpool(x, shape, size)
    np.testing.assert_array_equal(found, corners.reshape(len(x), -1))


@pytest.mark.parametrize("shape, size", SHAPES)
@pytest.mark.parametrize("name", ["max_pool", "mean_pool", "upsample", "unpool"])
def test_slopes(name, shape, size):
    function = getattr(pooling, name)
    assert_slopes(lambda params: function(params[0], shape, size), (rows(shape),))


@pytest.mark.parametrize("shape, size", SHAPES)
def test_numbers_where_the_maxima_are(shape, size):
    x, other = rows(shape), rows(shape, seed=1)
    same = pooling.at_max(x, x, shape, size)
    np.testing.assert_array_equal(same, pooling.max_pool(x, shape, size))
    assert_slopes(lambda p: pooling.at_max(x, p[0], shape, size), (other,))
    assert_slopes(lambda p: pooling.at_max(p[0], other, shape, size), (x,))
    step = 1e-6
    moved = pooling.max_pool(x + step * other, shape, size)
    slope = (moved - pooling.max_pool(x, shape, size)) / step
    found = pooling.at_max(x, other, shape, size)
    np.testing.assert_allclose(found, slope, rtol=1e-6, atol=1e-6)


def test_of_equal_maxima_the_first_counts():
    def pooled(params):
        return pooling.max_pool(params[0], (2, 2, 1), 2)

    _, (grad,) = vjp(pooled, (np.ones((1, 4)),), np.ones_like)
    np.testing.assert_array_equal(grad, [[1, 0, 0, 0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["max_pool", "mean_pool", "upsample", "unpool"])
def test_types_are_kept(name, dtype):
    function = getattr(pooling, name)
    value, (grad,) = vjp(
        lambda params: function(params[0], (4, 4, 2), 2),
        (rows((4, 4, 2), dtype),),
        np.ones_like,
    )
    assert value.dtype == grad.dtype == dtype
