import pickle

import numpy as np
import pytest

from skdgm.nets import vjp
from skdgm.nets.images import convolution, pooling
from skdgm.nets.images.maps import (
    conv,
    crop,
    deconv,
    images,
    map_norm,
    unpool,
    upsample,
)
from skdgm.nets.layers import (
    RunningMoments,
    activation,
    batch_norm,
    dense,
    dropout,
    serial,
    standardize,
)
from skdgm.nets.normalization import map_moments, standardize_maps
from skdgm.utils.random import stream
from skdgm.utils.threading.parallel import limit
from skdgm.utils.tree import leaves, tree_map
from skdgm.utils.windows import beneath, window
from tests.nets.recipes import assert_slopes, numbers
from tests.numerical import assert_trees
from tests.suites import DTYPES

SHAPE, N_ROWS = (5, 4, 2), 3
BLOCKS = {
    "conv": (conv(3, 3, activation="tanh"), (3, 2, 3)),
    "valid": (conv(3, (2, 3), 1, "valid"), (4, 2, 3)),
    "deconv": (deconv(1, 3, activation="tanh"), (10, 8, 1)),
    "deconv to a size": (deconv(1, 3, size=(9, 7)), (9, 7, 1)),
    "deconv, valid": (deconv(2, (3, 2), padding="valid"), (11, 8, 2)),
    "norm": (map_norm(), SHAPE),
    "crop": (crop((4, 3)), (4, 3, 2)),
    "upsample": (upsample(2), (10, 8, 2)),
    "unpool": (unpool(2), (10, 8, 2)),
    "activation": (activation("tanh"), SHAPE),
    "dropout": (dropout(0.5), SHAPE),
}
NET = serial(
    dense(12, "tanh"),
    images(
        (2, 2, 3),
        *(map_norm(), activation("leaky_relu")),
        *(upsample(), conv(2, 2, 1, activation="tanh")),
        *(deconv(2, 3, size=(7, 8)), dropout(0.3), crop((5, 6))),
    ),
    dense(2),
)


def built(net, n_inputs, dtype=np.float64):
    """Parameters, statistics and rows, all of them at random."""
    n_outputs, *trees = net.init(np.random.default_rng(0), n_inputs, dtype)
    rng = np.random.default_rng(1)

    def moved(leaf):
        return leaf + rng.random(leaf.shape).astype(dtype)

    trees = [tree_map(moved, tree) for tree in trees]
    return n_outputs, *trees, numbers(N_ROWS, n_inputs, dtype=dtype, seed=5)


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("train", [False, True])
def test_every_block(name, train):
    block, after = BLOCKS[name]
    net = images(SHAPE, block)
    n_outputs, params, statistics, x = built(net, np.prod(SHAPE))

    def outputs(params):
        return net.apply(params[0], statistics, params[1], stream(0), train)[0]

    assert outputs((params, x)).shape == (N_ROWS, n_outputs) == (N_ROWS, np.prod(after))
    assert_slopes(outputs, (params, x))


@pytest.mark.parametrize("train", [False, True])
def test_slopes_of_a_whole_net(train):
    n_outputs, params, statistics, x = built(NET, 3)

    def outputs(params):
        return NET.apply(params[0], statistics, params[1], stream(0), train)[0]

    assert outputs((params, x)).shape == (N_ROWS, n_outputs)
    assert_slopes(outputs, (params, x))


def test_blocks_are_primitives():
    x = numbers(N_ROWS, np.prod(SHAPE))
    with_weights = {
        conv(3, 3): (convolution.convolve, window(SHAPE, 3)),
        deconv(3, 3): (convolution.deconvolve, beneath(SHAPE, 3, 3)),
    }
    for block, (function, own) in with_weights.items():
        net, _ = block(SHAPE)
        _, params, _, _ = built(net, x.shape[1])
        expected = function(x, *params, own)
        np.testing.assert_array_equal(net.apply(params, (), x)[0], expected)
    for block, n in ((upsample, 4), (unpool, 1)):
        expected = pooling.grow(x, SHAPE, 2, n)
        np.testing.assert_array_equal(block(2)(SHAPE)[0].apply((), (), x)[0], expected)


def test_maps_are_standardized():
    net, _ = map_norm()(SHAPE)
    _, params, statistics, x = built(net, np.prod(SHAPE))
    y, after = net.apply(params, statistics, x, train=True)
    pixels = x.reshape(-1, SHAPE[2])
    expected = standardize(pixels, *params).reshape(N_ROWS, -1)
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    now = RunningMoments(pixels.mean(axis=0), pixels.var(axis=0))
    assert type(after) is RunningMoments
    assert_trees(after, [0.99 * a + 0.01 * b for a, b in zip(statistics, now)])
    later = batch_norm().apply(params, statistics, pixels)[0].reshape(N_ROWS, -1)
    np.testing.assert_array_equal(net.apply(params, statistics, x)[0], later)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("train", [False, True])
def test_types_are_kept(dtype, train):
    _, params, statistics, x = built(NET, 3, dtype)
    value, grads = vjp(
        lambda p: NET.apply(p[0], statistics, p[1], stream(0), train)[0],
        (params, x),
        np.ones_like,
    )
    after = NET.apply(params, statistics, x, stream(0), train)[1]
    fresh = NET.init(np.random.default_rng(0), 3, dtype)[1:]
    found = leaves((value, grads, after, fresh))
    assert {leaf.dtype for leaf in found} == {np.dtype(dtype)}


def test_nets_can_be_pickled():
    again = pickle.loads(pickle.dumps(NET))
    _, params, statistics, x = built(NET, 3)
    found, expected = (net.apply(params, statistics, x) for net in (again, NET))
    assert_trees(found, expected, rtol=0)
    fresh = [net.init(np.random.default_rng(0), 3, float)[1:] for net in (again, NET)]
    assert_trees(*fresh, rtol=0)


@pytest.mark.parametrize("block", [conv, deconv])
@pytest.mark.parametrize("init", ["glorot_uniform", "he_normal"])
def test_variances_of_fresh_layers(block, init):
    """With He's variance, that of rows is doubled: rectifiers halve it."""
    shape, stride = (16, 16, 20), 2
    net, after = block(10, 5, stride, init=init)(shape)
    size, params, _ = net.init(np.random.default_rng(0), np.prod(shape), float)
    assert size == np.prod(after)
    assert not params.b.any()
    x = numbers(20, np.prod(shape))
    y = net.apply(params, (), x)[0].reshape(-1, *after)
    inside = y[:, 3:-3, 3:-3].var()
    share = 1 if block is conv else stride**2
    below, above = 25 * 20 / share, 25 * 10 / (stride**2 / share)
    expected = 2 if init == "he_normal" else 2 * below / (below + above)
    assert abs(inside / expected - 1) < 0.1


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: images((4, 4)), r"\(height, width, maps\).* got \(4, 4\)"),
        (lambda: images((4, 0, 1)), r"got \(4, 0, 1\)"),
        (lambda: images((3, 3, 1), conv(1, 5, 1, "valid")), "filter.* larger"),
        (lambda: images((4, 4, 1), deconv(1, size=(9, 9))), "choose another size"),
    ],
)
def test_images_that_do_not_fit(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_rows_that_do_not_fit():
    with pytest.raises(ValueError, match="have 16 numbers, but there are 10 inputs"):
        images((4, 4, 1), conv(2)).init(np.random.default_rng(0), 10, float)


def test_maps_of_many_pixels():
    """Moments are sums over several groups of pixels, by any number of threads."""
    x, scales = 5 + numbers(9, 1200 * 3), (numbers(3), numbers(3, seed=1))
    pixels = x.reshape(-1, 3)
    expected = vjp(lambda p: standardize(*p), (pixels, *scales), np.cos)
    for n_threads in (1, 2):
        with limit(n_threads):
            now = map_moments(pixels)
            found = vjp(lambda p, n=now: standardize_maps(*p, n), (x, *scales), np.cos)
        np.testing.assert_allclose(now[0], pixels.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(now[1], pixels.var(axis=0), rtol=1e-12)
        y, (of_x, *others) = found
        found = y.reshape(-1, 3), (of_x.reshape(-1, 3), *others)
        assert_trees(found, expected, rtol=1e-9, atol=1e-9)
