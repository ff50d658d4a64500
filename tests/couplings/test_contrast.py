import numpy as np
import pytest

from skdgm.couplings import Contrast, Weights
from tests._kernels.oracles import TOLERANCE, binary_rows, gray_rows
from tests.suites import DTYPES

N_BELOW, N_ABOVE = 13, 11


def made(kind, dtype, n=8, n_model=6, seed=0):
    """A gradient, and the same multiplied out."""
    rows = binary_rows if kind == "binary" else gray_rows
    X, lists = rows(n, N_BELOW, dtype, seed=seed)
    model = rows(6, N_BELOW, dtype, seed=seed + 1)
    X_model, lists_model = (part[:n_model] for part in model)
    rng = np.random.default_rng(seed)
    Y, Y_model = (rng.random((k, N_ABOVE)).astype(dtype) for k in (n, n_model))
    parts = (X, X_model) if kind == "array" else (lists, lists_model)
    G = X.T @ Y / n - (X_model.T @ Y_model / n_model if n_model else 0)
    return Contrast(parts[0], Y, parts[1], Y_model), G


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["array", "binary", "gray"])
@pytest.mark.parametrize("n_model", [6, 0])
def test_center(dtype, kind, n_model):
    grad, G = made(kind, dtype, n_model=n_model)
    rng = np.random.default_rng(5)
    b, mu, shift = rng.normal(size=(3, N_BELOW)).astype(dtype)
    c, lam = rng.normal(size=(2, N_ABOVE)).astype(dtype)
    centered, of_below, of_above = grad.center(b, c, mu, lam, shift)
    expected = G - np.outer(mu, c) - np.outer(b, lam)
    tolerance = {"atol": 10 * TOLERANCE[dtype]}
    np.testing.assert_allclose(centered, expected, **tolerance)
    np.testing.assert_allclose(of_below, expected @ lam, **tolerance)
    np.testing.assert_allclose(of_above, expected.T @ shift, **tolerance)
    made_of = np.asarray(centered), of_below, of_above
    assert {part.dtype for part in made_of} == {np.dtype(dtype)}


@pytest.mark.parametrize("dtype", DTYPES)
def test_of_a_known_gradient(dtype):
    G = np.random.default_rng(0).normal(size=(5, 3)).astype(dtype)
    grad = Contrast.of(G)
    np.testing.assert_allclose(grad, G, rtol=1e-6)
    assert np.asarray(grad).dtype == dtype
    weights = Weights.of(np.zeros_like(G))
    grad.ascend(weights, Weights.of(np.zeros_like(G)), rate=2.0)
    np.testing.assert_allclose(weights.W, 2 * G, rtol=1e-6)


@pytest.mark.parametrize("kind", ["array", "binary", "gray"])
def test_one_sided(kind):
    x, y = made(kind, np.float64)[0][:2]
    y_model = np.random.default_rng(9).random(y.shape)
    grad = Contrast(x, y, x, y_model)
    one = grad.one_sided()
    np.testing.assert_allclose(one, grad, atol=1e-12)
    assert len(one.x_model) == len(one.y_model) == 0


@pytest.mark.parametrize("kind", ["array", "copy", "binary", "gray", "other", "thin"])
def test_plus(kind):
    same = {"copy": "array", "other": "binary", "thin": "array"}.get(kind, kind)
    generative, G = made(same, np.float64)
    x = made(same, np.float64, seed=3)[0].x if kind == "other" else generative.x
    y, y_model = np.random.default_rng(9).random((2, *generative.y.shape))
    one = Contrast(x.copy() if kind == "copy" else x, y, x, y_model).one_sided()
    expected = np.asarray(one) + 0.3 * G
    if kind == "thin":
        thin = np.ones((1, N_BELOW)), np.arange(1.0, N_ABOVE + 1)[None]
        generative = generative._replace(thin=thin)
        expected = np.asarray(one) + 0.3 * np.asarray(generative)
    together = one.plus(generative, 0.3)
    np.testing.assert_allclose(together, expected, atol=1e-12)
    # Where rows are the same there is still a row for each, and nothing multiplied out.
    assert (len(together.x) == 8) == (kind not in ("other", "thin"))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", [np.copy, Weights.of])
@pytest.mark.parametrize("thin", [False, True])
def test_follow_hands_the_gradient_over(dtype, form, thin):
    grad, G = made("binary", dtype)
    if thin:
        rows = np.ones((1, N_BELOW), dtype), np.arange(N_ABOVE, dtype=dtype)[None]
        grad, G = grad._replace(thin=rows), G - rows[0].T @ rows[1]
    W = np.random.default_rng(0).normal(size=G.shape).astype(dtype)
    weights, memory = form(W), form(np.full_like(W, 2))

    def rule(theta, memory, g):
        (seen,) = memory
        seen += g
        theta += seen

    grad.apply(weights, (memory,), rule)
    found = weights if form is np.copy else weights.W
    tolerance = {"atol": 10 * TOLERANCE[dtype]}
    if form is np.copy:
        np.testing.assert_allclose(memory, 2 + G, **tolerance)
    else:
        # A memory's transpose is nobody's concern.
        np.testing.assert_allclose(memory.W, 2 + G, **tolerance)
        np.testing.assert_array_equal(Weights.of(weights.W).down, weights.down)
    np.testing.assert_allclose(found, W + 2 + G, **tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_and_tiles_learn_the_same(dtype):
    grad, _ = made("gray", dtype)
    rows = np.ones((2, N_BELOW), dtype), np.eye(2, N_ABOVE, dtype=dtype)
    grad = grad._replace(thin=rows)
    rng = np.random.default_rng(0)
    W, velocity = rng.normal(size=(2, N_BELOW, N_ABOVE)).astype(dtype)
    tiled, moving = Weights.of(W), Weights.of(velocity)
    rule = {"rate": 0.3, "momentum": 0.6, "l1": 0.1, "l2": 0.2}
    grad.ascend(tiled, moving, **rule)
    grad.ascend(W, velocity, **rule)
    np.testing.assert_allclose(tiled.W, W, atol=TOLERANCE[dtype])
    np.testing.assert_allclose(moving.W, velocity, atol=TOLERANCE[dtype])
