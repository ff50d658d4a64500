from functools import partial

import numpy as np
import pytest

from skdgm.nets import Layer, dense, drop_out, vjp
from skdgm.utils.random import stream
from tests.nets.recipes import assert_slopes, numbers
from tests.numerical import assert_trees
from tests.suites import DTYPES

ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]
N_ROWS, N_BELOW, N_ABOVE = 5, 4, 3


def net(dtype=np.float64):
    layer = Layer(numbers(N_BELOW, N_ABOVE, dtype=dtype), numbers(N_ABOVE, dtype=dtype))
    return numbers(N_ROWS, N_BELOW, dtype=dtype, seed=1), layer


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_slopes_of_a_layer(activation):
    x, layer = net()
    assert_slopes(lambda params: dense(params[0], *params[1], activation), (x, layer))
    assert_slopes(lambda params: dense(x, *params[0], activation), (layer,))
    assert_slopes(lambda params: dense(params[0], *layer, activation), (x,))


def test_slopes_of_dropping_out():
    x, rng = numbers(6, 5), stream(0)
    assert_slopes(lambda params: drop_out(params[0], 0.4, rng), (x,))


def test_slopes_of_some_entries():
    _, layer = net()
    assert_slopes(lambda params: params[0].W[[0, 2, 0]] * params[0].b[1], (layer,))
    assert_slopes(lambda params: params[0].W[0] @ params[0].W.T, (layer,))


def test_activations():
    x, (W, b) = net()
    z = x @ W + b
    expected = {
        "identity": z,
        "logistic": 1 / (1 + np.exp(-z)),
        "tanh": np.tanh(z),
        "relu": z * (z > 0),
    }
    for name, y in expected.items():
        np.testing.assert_allclose(dense(x, W, b, name), y, rtol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_types_are_kept(dtype, activation):
    x, layer = net(dtype)

    def function(params):
        return dense(drop_out(params[0], 0.3, stream(0)), *params[1], activation)

    value, (of_x, of_layer) = vjp(function, (x, layer), np.ones_like)
    assert {part.dtype for part in (value, of_x, *of_layer)} == {np.dtype(dtype)}
    assert of_layer.W.flags.c_contiguous


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation, low", [("logistic", 0), ("tanh", -1)])
def test_extreme_fields(dtype, activation, low):
    x, one = np.array([[-1000], [1000]], dtype), np.ones((1, 1), dtype)
    y, grads = vjp(
        lambda params: dense(x, *params, activation), (one, one[0] * 0), np.ones_like
    )
    np.testing.assert_array_equal(y, [[low], [1]])
    assert_trees(grads, (np.zeros((1, 1)), np.zeros(1)))


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_dropping_out_keeps_the_mean(rate):
    x = np.full((400, 50), 3.0)
    y = drop_out(x, rate, stream(0))
    gone = y == 0
    se = np.sqrt(rate * (1 - rate) / x.size)
    assert abs(gone.mean() - rate) < 4 * se
    np.testing.assert_allclose(y[~gone], 3 / (1 - rate))
    for axis in (0, 1):  # Rows and columns are independent draws.
        spread = gone.mean(axis=axis).std()
        expected = np.sqrt(rate * (1 - rate) / x.shape[axis])
        assert 0.6 * expected < spread < 1.5 * expected


def test_who_drops_out_does_not_depend_on_the_type_or_the_other_rows():
    x = np.ones((8, 6))
    y = drop_out(x, 0.5, stream(0))
    np.testing.assert_array_equal(drop_out(x.astype(np.float32), 0.5, stream(0)), y)
    np.testing.assert_array_equal(drop_out(x[:5], 0.5, stream(0)), y[:5])
    assert (drop_out(x, 0.5, stream(1)) != y).any()


def test_a_layer_does_not_change_what_it_is_given():
    x, layer = net()
    before = x.copy(), layer.W.copy(), layer.b.copy()
    for activation in ACTIVATIONS:
        vjp(partial(_with, activation), (x, layer), np.ones_like)
    assert_trees((x, *layer), before, rtol=0)


def _with(activation, params):
    return dense(params[0], *params[1], activation)
