import numpy as np
import pytest

from skdgm.nets import forward, hidden, init
from skdgm.utils.random import stream
from tests.suites import DTYPES

RNG = np.random.default_rng(0)
SIZES = (6, 5, 4, 3)
PARAMS = init(RNG, SIZES, "tanh")
X = RNG.normal(size=(7, 6))


def test_forward_is_layer_by_layer():
    (W, b), (W_2, b_2), (W_3, b_3) = PARAMS
    h = np.tanh(X @ W + b)
    h_2 = np.tanh(h @ W_2 + b_2)
    np.testing.assert_allclose(hidden(PARAMS[:1], X, "tanh"), h)
    np.testing.assert_allclose(hidden(PARAMS[:2], X, "tanh"), h_2)
    np.testing.assert_allclose(forward(PARAMS, X, "tanh"), h_2 @ W_3 + b_3)


def test_without_hidden_units():
    (W, b), *_ = PARAMS
    np.testing.assert_allclose(forward(PARAMS[:1], X, "tanh"), X @ W + b)
    assert hidden((), X, "tanh") is X


@pytest.mark.parametrize("activation, scale", [("logistic", 2), ("relu", 6)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_init(activation, scale, dtype):
    layers = init(np.random.default_rng(0), (300, 200, 10), activation, dtype)
    assert [layer.W.shape for layer in layers] == [(300, 200), (200, 10)]
    assert [layer.b.shape for layer in layers] == [(200,), (10,)]
    for W, b in layers:
        assert W.dtype == b.dtype == dtype
        bound = np.sqrt(scale / sum(W.shape))
        assert 0.95 * bound < abs(W).max() <= bound * (1 + 1e-6)
        assert abs(b).max() <= bound * (1 + 1e-6)
        se = bound / np.sqrt(3 * W.size)
        assert abs(W.mean()) < 4 * se


def test_dropout_of_hidden_units():
    def thinned(params, x, dropout):
        return hidden(params, x, "identity", dropout=dropout, rng=stream(0))

    ones = np.ones((50, 6))
    np.testing.assert_array_equal(thinned((), ones, 0.5), ones)
    h = hidden(PARAMS[:1], ones, "identity")
    found = thinned(PARAMS[:1], ones, 0.5)
    gone = found == 0
    assert 0.3 < gone.mean() < 0.7
    np.testing.assert_allclose(found[~gone], 2 * h[~gone])


def test_layers_drop_out_apart():
    eye = np.eye(20), np.zeros(20)
    found = hidden(
        (eye, eye),
        np.ones((50, 20)),
        "identity",
        dropout=0.5,
        rng=stream(0),
    )
    assert set(np.unique(found)) == {0.0, 4.0}
    assert 0.15 < (found > 0).mean() < 0.35


def test_dropout_keeps_the_mean_of_a_linear_net():
    found = [
        forward(PARAMS, X, "identity", dropout=0.5, rng=stream(seed))
        for seed in range(3000)
    ]
    se = np.std(found, axis=0) / np.sqrt(len(found))
    gap = np.mean(found, axis=0) - forward(PARAMS, X, "identity")
    assert (abs(gap) < 4.5 * se).all()
    assert (se > 0.005).all()
