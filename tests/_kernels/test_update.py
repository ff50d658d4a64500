import numpy as np
import pytest

from skdgm.couplings import Dense
from tests._kernels.oracles import DTYPES, TOLERANCE, binary_rows, grey_rows

N_HIDDEN = 11


def phases(kind, n_visible, dtype):
    rows = {"binary": binary_rows, "grey": grey_rows, "dense": grey_rows}[kind]
    X, lists = rows(9, n_visible, dtype)
    X_model, lists_model = binary_rows(6, n_visible, dtype, seed=1)
    rng = np.random.default_rng(2)
    y, y_model = (rng.random((n, N_HIDDEN)).astype(dtype) for n in (9, 6))
    first = X if kind == "dense" else lists
    coupling = Dense(n_visible, N_HIDDEN)
    grad = X.T @ y / 9 - X_model.T @ y_model / 6
    return coupling, coupling.contrast(first, y, lists_model, y_model), grad


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["binary", "grey", "dense"])
@pytest.mark.parametrize("n_visible", [1, 16, 37])
@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize(
    "rule",
    [{}, {"momentum": 0.5}, {"l1": 0.3, "l2": 0.2}, {"momentum": 0.9, "l1": 0.1}],
)
def test_update(dtype, kind, n_visible, pairs, rule):
    coupling, contrast, grad = phases(kind, n_visible, dtype)
    np.testing.assert_allclose(contrast, grad, atol=TOLERANCE[dtype])
    rng = np.random.default_rng(3)
    W, velocity = rng.normal(size=(2, n_visible, N_HIDDEN)).astype(dtype)
    weights = coupling.both_ways(W.copy(), pairs)
    before = velocity.copy()
    contrast.ascend(weights, velocity, rate=0.1, **rule)

    mu, l1, l2 = (rule.get(name, 0) for name in ("momentum", "l1", "l2"))
    u = mu * before + 0.1 * (grad - l1 * np.sign(W) - l2 * W)
    np.testing.assert_allclose(weights.W, W + u, atol=TOLERANCE[dtype])
    if mu:
        np.testing.assert_allclose(velocity, u, atol=TOLERANCE[dtype])
    np.testing.assert_array_equal(weights.Wt, weights.W.T)
    if pairs:
        sums = weights.W[:-1:2] + weights.W[1::2]
        np.testing.assert_array_equal(weights.rows[n_visible:], sums)


def test_two_dense_phases():
    coupling, contrast, grad = phases("dense", 5, np.float64)
    contrast = coupling.contrast(*(np.asarray(part) for part in contrast))
    weights = coupling.both_ways(np.zeros((5, N_HIDDEN)))
    contrast.ascend(weights, np.zeros((5, N_HIDDEN)), rate=1.0)
    np.testing.assert_allclose(weights.W, grad)
    np.testing.assert_array_equal(weights.Wt, weights.W.T)
