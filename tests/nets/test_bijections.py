"""Layers with an inverse: there and back, and volumes held to differences."""

import numpy as np
import pytest

from skdgm.nets.autoregression import autoregression
from skdgm.nets.bijections import (
    affine,
    after,
    coupling,
    permutation,
    splines,
    triangular,
    whitening,
)
from skdgm.nets.layers import dense, serial
from skdgm.utils.tree import tree_map
from tests.nets.recipes import assert_slopes, numbers

LAYERS = {
    "affine": affine(),
    "permutation": permutation(np.array([2, 0, 1])),
    "serial": serial(affine(), permutation(np.array([2, 0, 1])), affine()),
    "whitening": whitening(),
    "upper": triangular(),
    "lower": triangular(lower=True),
    "splines": splines(4, 2.0),
    "affine coupling": coupling(serial(dense(4, "tanh"))),
    "spline coupling": coupling(serial(), 3, 1.5),
    "coupling given a column": coupling(serial(dense(4, "tanh")), 3, 1.5, n_given=1),
    "coupling given all but one": coupling(serial(dense(4, "tanh")), n_given=2),
    "after a column": after(1, triangular()),
    "masked gains": autoregression(3, (5, 4), "tanh"),
    "masked splines": autoregression(3, (5,), "tanh", 3, 1.5),
    "masked splines given a column": autoregression(2, (5,), "tanh", 3, 1.5, 1),
    "masked gains without a net": autoregression(3, (), "tanh"),
}


@pytest.fixture(params=LAYERS)
def given(request):
    """A layer, parameters at random, and rows."""
    net = LAYERS[request.param]
    n_outputs, params, statistics = net.init(np.random.default_rng(0), 3, float)
    assert n_outputs == 3
    rng = np.random.default_rng(1)
    params = tree_map(lambda leaf: leaf + rng.normal(0, 0.2, leaf.shape), params)
    return net, params, statistics, numbers(5, 3, seed=2)


def test_there_and_back(given):
    net, params, statistics, x = given
    y, log_det = net.log_det(params, statistics, x)
    np.testing.assert_allclose(y, net.apply(params, statistics, x)[0], rtol=1e-12)
    assert np.shape(log_det) in ((), (5,))
    np.testing.assert_allclose(net.inverse(params, statistics, y), x, rtol=1e-7)


def test_volumes_are_those_of_differences(given):
    net, params, statistics, x = given
    _, found = net.log_det(params, statistics, x)
    step = 1e-6
    for row, expected in zip(x, np.broadcast_to(found, 5)):
        moved = row + step * np.concatenate([np.eye(3), -np.eye(3)])
        y, _ = net.apply(params, statistics, moved)
        jacobian = (y[:3] - y[3:]) / (2 * step)
        np.testing.assert_allclose(
            expected, np.linalg.slogdet(jacobian)[1], rtol=1e-6, atol=1e-7
        )


def test_volumes_have_gradients(given):
    net, params, statistics, x = given

    def likelihood(params):
        y, log_det = net.log_det(params[0], statistics, params[1])
        return log_det - 0.5 * (y**2).sum(axis=1)

    assert_slopes(likelihood, (params, x))


@pytest.mark.parametrize("name", [name for name in LAYERS if "masked" in name])
def test_masked_columns_depend_on_those_before(name):
    net, x = LAYERS[name], numbers(4, 3, seed=2)
    _, params, statistics = net.init(np.random.default_rng(0), 3, float)
    rng = np.random.default_rng(1)
    params = tree_map(lambda leaf: leaf + rng.normal(0, 0.2, leaf.shape), params)
    y = net.apply(params, statistics, x)[0]
    for j in range(3):
        moved = x.copy()
        moved[:, j] += 0.1
        changed = abs(net.apply(params, statistics, moved)[0] - y).max(axis=0) > 0
        assert not changed[:j].any()
        assert changed[j:].all()


def test_a_layer_without_an_inverse_says_so():
    net = serial(affine(), dense(3))
    _, params, statistics = net.init(np.random.default_rng(0), 3, float)
    for function in net.inverse, net.log_det:
        with pytest.raises(ValueError, match="without an inverse"):
            function(params, statistics, np.zeros((2, 3)))
