import numpy as np
import pytest

from skdgm.couplings import Dense, Weights
from skdgm.utils.lists import Lists
from skdgm.utils.products import joined
from tests._kernels.oracles import TOLERANCE, binary_rows, gray_rows
from tests.suites import DTYPES


def phases(kind, n_visible, n_hidden, dtype):
    rows = {"binary": binary_rows, "gray": gray_rows, "dense": gray_rows}[kind]
    X, lists = rows(9, n_visible, dtype)
    X_model, lists_model = binary_rows(6, n_visible, dtype, seed=1)
    rng = np.random.default_rng(2)
    y, y_model = (rng.random((n, n_hidden)).astype(dtype) for n in (9, 6))
    first = X if kind == "dense" else lists
    coupling = Dense(n_visible, n_hidden)
    grad = X.T @ y / 9 - X_model.T @ y_model / 6
    return coupling.contrast(first, y, lists_model, y_model), grad


def few_rows(contrast, dtype):
    """A gradient with two rows to subtract, and what they amount to."""
    rng = np.random.default_rng(4)
    sizes = contrast.x.shape[1], contrast.y.shape[1]
    a, b = (rng.normal(size=(2, n)).astype(dtype) for n in sizes)
    return contrast._replace(thin=(a, b)), a.T @ b


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["binary", "gray", "dense"])
@pytest.mark.parametrize(("n_visible", "n_hidden"), [(1, 11), (16, 64), (37, 35)])
@pytest.mark.parametrize(
    "rule",
    [{}, {"momentum": 0.5}, {"l1": 0.3, "l2": 0.2}, {"momentum": 0.9, "l1": 0.1}],
)
def test_update(dtype, kind, n_visible, n_hidden, rule):
    contrast, grad = phases(kind, n_visible, n_hidden, dtype)
    np.testing.assert_allclose(contrast, grad, atol=TOLERANCE[dtype])
    rng = np.random.default_rng(3)
    W, velocity = rng.normal(size=(2, n_visible, n_hidden)).astype(dtype)
    weights, moving = Weights.of(W), Weights.of(velocity)
    contrast.ascend(weights, moving, rate=0.1, **rule)

    mu, l1, l2 = (rule.get(name, 0) for name in ("momentum", "l1", "l2"))
    u = mu * velocity + 0.1 * (grad - l1 * np.sign(W) - l2 * W)
    np.testing.assert_allclose(weights.W, W + u, atol=TOLERANCE[dtype])
    if mu:
        np.testing.assert_allclose(moving.W, u, atol=TOLERANCE[dtype])
    both_ways(weights)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("n_rows", [9, 0])
def test_update_with_rows_to_subtract(dtype, momentum, n_rows):
    contrast, grad = phases("binary", 37, 35, dtype)
    if not n_rows:
        x, y = Lists.empty(0, 37, dtype), np.zeros((0, 35), dtype)
        contrast, grad = Dense(37, 35).contrast(x, y, x, y), 0
    contrast, thin = few_rows(contrast, dtype)
    rng = np.random.default_rng(3)
    W, velocity = rng.normal(size=(2, 37, 35)).astype(dtype)
    weights, moving = Weights.of(W), Weights.of(velocity)
    contrast.ascend(weights, moving, rate=0.1, momentum=momentum)
    u = momentum * velocity + 0.1 * (grad - thin)
    np.testing.assert_allclose(weights.W, W + u, atol=TOLERANCE[dtype])
    both_ways(weights)


@pytest.mark.parametrize("shape", [(1, 1), (37, 35), (32, 64)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_refresh_brings_the_transpose_up_to_date(shape, dtype):
    weights = Weights.of(np.random.default_rng(0).normal(size=shape).astype(dtype))
    weights.up[...] *= 3
    assert (joined(weights.down, shape[0]).T != weights.W).any()
    weights.refresh()
    both_ways(weights)


def both_ways(weights):
    """The two forms agree, and what is beyond the last columns is zero."""
    n_below, n_above = weights.up.shape[1], weights.down.shape[1]
    np.testing.assert_array_equal(joined(weights.down, n_below).T, weights.W)
    for tiles, n_columns in ((weights.up, n_above), (weights.down, n_below)):
        assert (
            not np.moveaxis(tiles, 0, 1)
            .reshape(tiles.shape[1], -1)[:, n_columns:]
            .any()
        )


@pytest.mark.parametrize("shape", [(1, 1), (37, 35), (32, 64)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_tiles_there_and_back(shape, dtype):
    W = np.random.default_rng(0).normal(size=shape).astype(dtype)
    weights = Weights.of(W)
    np.testing.assert_array_equal(weights.W, W)
    assert weights.size == W.size
    both_ways(weights)
