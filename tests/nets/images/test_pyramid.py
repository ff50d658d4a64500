"""Images at several resolutions, and nets that add to their last inputs."""

import numpy as np
import pytest

from skdgm.nets import layers, vjp
from skdgm.nets.images.pyramid import Pyramid, added_to, copied, log_odds
from tests.numerical import assert_trees, numerical_gradient

RNG = np.random.default_rng(0)
SHAPES = [(8, 8, 1), (7, 5, 2), (1, 5, 1), (3, 1, 1), (28, 28, 1)]


@pytest.mark.parametrize("shape", SHAPES)
def test_smaller_images_have_the_means_of_blocks(shape):
    pyramid, (height, width, _) = Pyramid(shape, 2), shape
    x = RNG.random((3, np.prod(shape)))
    images, low = x.reshape(3, *shape), pyramid.levels(x)[0]
    low = low.reshape(3, *pyramid.shapes[0])
    for i in range(low.shape[1]):
        for j in range(low.shape[2]):
            block = images[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            np.testing.assert_allclose(low[:, i, j], block.mean(axis=(1, 2)))
    grown = pyramid.up(1, pyramid.levels(x)[0]).reshape(images.shape)
    copies = low.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(grown, copies[:, :height, :width])


def test_levels_end_with_a_single_pixel():
    assert Pyramid((1, 5, 1), 9).shapes == [(1, 1, 1), (1, 2, 1), (1, 3, 1), (1, 5, 1)]
    assert Pyramid((1, 1, 3), 4).shapes == [(1, 1, 3)]
    assert Pyramid((8, 8, 1), 1).shapes == [(8, 8, 1)]


def test_missing_pixels_are_left_out():
    x = np.array([[1, np.nan, 3, 5, np.nan, np.nan]])
    low = Pyramid((1, 6, 1), 2).levels(x)[0]
    np.testing.assert_array_equal(low, [[1, 4, np.nan]])


def test_slopes():
    pyramid = Pyramid((3, 3, 1), 2)
    v, weight = RNG.random((2, 4)), RNG.normal(size=(2, 9))
    for function, given, w in [
        (lambda p: pyramid.up(1, p[0]), v, weight),
        (lambda p: log_odds(p[0]), v, weight[:, :4]),
    ]:
        _, found = vjp(function, (given,), lambda out, w=w: w)
        expected = numerical_gradient(
            lambda p, f=function, w=w: (f(p) * w).sum(), (given,)
        )
        assert_trees(found, expected, atol=1e-7, rtol=1e-6)
    assert copied(v, pyramid._blocks[0]).shape == (2, 9)


@pytest.mark.parametrize("gray", [False, True])
def test_outputs_are_added_to_the_last_inputs(gray):
    net = added_to(layers.dense(2), 2, gray)
    _, params, kept = net.init(np.random.default_rng(0), 5, float)
    x = RNG.random((3, 5))
    plain = x @ params.W + params.b
    base = np.log(x[:, 3:] / (1 - x[:, 3:])) if gray else x[:, 3:]
    out, _ = net.apply(params, kept, x)
    np.testing.assert_allclose(out, plain + base)
    weight = RNG.normal(size=(3, 2))
    _, found = vjp(
        lambda p: net.apply(p[0], kept, p[1])[0], (params, x), lambda _: weight
    )
    expected = numerical_gradient(
        lambda p: (net.apply(p[0], kept, p[1])[0] * weight).sum(), (params, x)
    )
    assert_trees(found, expected, atol=1e-7, rtol=1e-6)
