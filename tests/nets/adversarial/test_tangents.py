import numpy as np
import pytest

from skdgm.nets import vjp
from skdgm.nets.adversarial.tangents import gradient_norm, gradient_penalty
from skdgm.nets.images.maps import (
    conv,
    deconv,
    images,
    map_norm,
    unpool,
    upsample,
)
from skdgm.nets.layers import activation, batch_norm, dense, dropout, maxout, serial
from skdgm.nets.primitives import ACTIVATIONS
from skdgm.utils.random import stream
from skdgm.utils.tree import leaves, tree_map
from tests.nets.recipes import assert_slopes, numbers
from tests.numerical import numerical_gradient
from tests.suites import DTYPES

SHAPE, N_ROWS, N_INPUTS = (4, 3, 2), 5, 24
LAYERS = {
    "maxout": maxout(4, 3),
    "dropout": serial(dense(6), dropout(0.4), activation("tanh")),
    "deconv": images(SHAPE, deconv(1, 3, activation="logistic")),
    "grown": images(SHAPE, upsample(), conv(1, 3, activation="tanh"), unpool()),
}
LAYERS |= {name: dense(4, name) for name in ACTIVATIONS}
LAYERS |= {
    f"conv {name}": images(SHAPE, conv(2, 3, activation=name)) for name in ACTIVATIONS
}


def built(below, dtype=np.float64):
    """A critic with a layer in the middle of it, parameters and rows."""
    net = serial(below, dense(3, "tanh"), dense(1))
    _, params, statistics = net.init(np.random.default_rng(0), N_INPUTS, dtype)
    rng = np.random.default_rng(1)

    def moved(leaf):
        return leaf + 0.3 * rng.normal(size=leaf.shape).astype(dtype)

    x = numbers(N_ROWS, N_INPUTS, dtype=dtype, seed=2)
    return net, tree_map(moved, params), statistics, x


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("train", [False, True])
def test_tangents_are_derivatives_along_a_direction(name, train):
    net, params, statistics, x = built(LAYERS[name])
    direction, how = numbers(*x.shape, seed=4), {"rng": stream(0), "train": train}
    y, dy = net.tangent(params, statistics, x, direction, **how)
    np.testing.assert_array_equal(y, net.apply(params, statistics, x, **how)[0])
    ends = [
        net.apply(params, statistics, x + step * direction, **how)[0]
        for step in (1e-5, -1e-5)
    ]
    np.testing.assert_allclose(dy, (ends[0] - ends[1]) / 2e-5, rtol=1e-6, atol=1e-9)


@pytest.mark.exhaustive(default=["conv", "maxout", "tanh"])
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("train", [False, True])
def test_slopes_of_the_penalty(name, train):
    net, params, statistics, x = built(LAYERS[name])

    def penalty(params):
        return gradient_penalty(net, params, statistics, x, 0.7, stream(0), train)

    assert_slopes(penalty, params)
    assert any(np.abs(leaf).max() > 1e-3 for leaf in leaves(slopes(penalty, params)))


def slopes(function, params):
    return vjp(function, params, np.ones_like)[1]


@pytest.mark.parametrize("name", ["conv softplus", "maxout"])
def test_the_norm_is_that_of_differences(name):
    net, params, statistics, x = built(LAYERS[name])

    def total(rows):
        return net.apply(params, statistics, rows[0])[0].sum()

    (slope,) = numerical_gradient(total, (x,))
    found = gradient_norm(net, params, statistics, x)
    np.testing.assert_allclose(found, np.linalg.norm(slope, axis=1), rtol=1e-6)
    penalty = gradient_penalty(net, params, statistics, x)
    np.testing.assert_allclose(penalty, (found - 1) ** 2, rtol=1e-12)


def test_of_several_outputs_the_mean_counts():
    net = serial(dense(3, "tanh"), dense(4))
    _, params, statistics = net.init(np.random.default_rng(0), N_INPUTS, float)
    W, b = params[1]
    mean = W.mean(axis=1, keepdims=True), b.mean(keepdims=True)
    one = serial(dense(3, "tanh"), dense(1))
    x = numbers(N_ROWS, N_INPUTS)
    found = gradient_norm(net, params, statistics, x)
    expected = gradient_norm(one, (params[0], type(params[1])(*mean)), statistics, x)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["conv tanh", "grown", "dropout", "maxout"])
def test_types_are_kept(name, dtype):
    net, params, statistics, x = built(LAYERS[name], dtype)
    value, grads = vjp(
        lambda p: gradient_penalty(net, p, statistics, x, rng=stream(0), train=True),
        params,
        np.ones_like,
    )
    assert {leaf.dtype for leaf in leaves((value, grads))} == {np.dtype(dtype)}


def test_where_the_net_is_constant_there_is_no_slope():
    net = serial(dense(3, "relu"), dense(1))
    _, (below, above), statistics = net.init(np.random.default_rng(0), 2, float)
    params, x = (below._replace(b=below.b - 100), above), numbers(4, 2)
    value, grads = vjp(
        lambda p: gradient_penalty(net, p, statistics, x), params, np.ones_like
    )
    np.testing.assert_array_equal(value, np.ones(4))
    assert not any(leaf.any() for leaf in leaves(grads))


@pytest.mark.parametrize("net", [batch_norm(), images(SHAPE, map_norm())])
def test_rows_that_depend_on_others(net):
    net, params, statistics, x = built(net)
    with pytest.raises(ValueError, match="batch normalization"):
        gradient_penalty(net, params, statistics, x)
