"""Couplings of which some weights are not there, beside dense ones."""

import numpy as np
import pytest

from skdgm.couplings import Dense, Factors, Masked, Weights, Within
from skdgm.utils.lists import Lists
from tests.numerical import numerical_gradient

RNG = np.random.default_rng(0)
MASK = RNG.random((5, 4)) < 0.6
BELOW, ABOVE, LESS, LEAST = (
    RNG.random((n, k)) for n, k in ((6, 5), (6, 4), (3, 5), (3, 4))
)
PARTS = BELOW, ABOVE, LESS, LEAST


@pytest.mark.parametrize("mask", [None, MASK, np.array([[1], [0], [1], [1], [0]]) > 0])
@pytest.mark.parametrize("kind", [Masked, Factors])
def test_masked_weights_are_dense_ones_without_some(kind, mask):
    coupling, dense = kind(5, 4, mask), Dense(5, 4)
    there = np.ones((5, 4), bool) if mask is None else np.broadcast_to(mask, (5, 4))
    W = coupling.init(np.random.default_rng(1), 1.0)
    assert ((W != 0) == there).all()
    assert coupling.init(np.random.default_rng(1), dtype=np.float32).dtype == np.float32
    np.testing.assert_allclose(
        coupling.send(W, BELOW, True), dense.send(W, BELOW, True)
    )
    np.testing.assert_allclose(coupling.send(W, ABOVE, False), ABOVE @ W.T)
    G = np.asarray(dense.contrast(*PARTS)) * there
    grad = coupling.contrast(*PARTS)
    np.testing.assert_allclose(np.asarray(grad), G)
    other = coupling.contrast(BELOW, ABOVE, BELOW, ABOVE[::-1])
    both = np.asarray(grad) + 0.3 * np.asarray(other)
    if mask is not None:
        np.testing.assert_allclose(np.asarray(grad.plus(other, 0.3)), both)
    b, c, mu, lam, shift = (RNG.normal(size=n) for n in (5, 4, 5, 4, 5))
    centered, of_below, of_above = grad.center(b, c, mu, lam, shift)
    expected = (G - np.outer(mu, c) - np.outer(b, lam)) * there
    np.testing.assert_allclose(np.asarray(centered), expected, atol=1e-12)
    np.testing.assert_allclose(of_below, expected @ lam, atol=1e-12)
    np.testing.assert_allclose(of_above, expected.T @ shift, atol=1e-12)


def test_initial_deviations():
    rng = np.random.default_rng(0)
    size = (100, 200)
    assert Masked(*size).init(rng).std() == pytest.approx(0.01, rel=0.03)
    mask = np.arange(100)[:, None] < 40
    assert Masked(*size, mask).init(rng, 0.5)[:40].std() == pytest.approx(0.5, rel=0.04)
    # A factor sees a number of variance 10 times the scale.
    for own, seen in (None, 100), (mask, 40):
        found = Factors(*size, own).init(rng)[:seen].std()
        assert found == pytest.approx((10 * 0.01 / seen) ** 0.5, rel=0.04)
    nothing = Factors(3, 2, np.zeros((3, 1), bool)).init(rng)
    assert not nothing.any()


def test_both_halves_of_weights_within_a_block_are_one():
    mask = ~np.eye(5, dtype=bool)
    coupling = Within(5, 5, mask)
    assert not coupling.init(RNG).any()
    J = RNG.normal(size=(5, 5))
    J = (J + J.T) * mask
    pairs = np.triu_indices(5, 1)
    expected = sum(J[i, j] * BELOW[:, i] * BELOW[:, j] for i, j in zip(*pairs))
    np.testing.assert_allclose(coupling.log_weight(J, BELOW, BELOW), expected)
    found = np.asarray(coupling.contrast(BELOW, BELOW, LESS, LESS))
    np.testing.assert_array_equal(found, found.T)
    assert not found.diagonal().any()

    def objective(w):
        whole = np.zeros((5, 5))
        whole[pairs] = w
        whole += whole.T
        data, model = (coupling.log_weight(whole, x, x).mean() for x in (BELOW, LESS))
        return data - model

    slope = numerical_gradient(objective, J[pairs])
    np.testing.assert_allclose(found[pairs], slope, atol=1e-8)
    b, mu = RNG.normal(size=(2, 5))
    centered, of_below, of_above = coupling.gradient(found).center(b, b, mu, mu, mu)
    whole = (found - np.outer(mu, b) - np.outer(b, mu)) * mask
    np.testing.assert_allclose(np.asarray(centered), whole, atol=1e-12)
    np.testing.assert_allclose(of_below, whole @ mu, atol=1e-12)
    assert not of_above.any()


def test_weights_in_tiles_send_the_same():
    coupling = Dense(40, 35)
    W = RNG.normal(size=(40, 35))
    bits = {n: (RNG.random((7, n)) < 0.3).astype(float) for n in (40, 35)}
    for size, up in (40, True), (35, False):
        for x in (bits[size], Lists.pack(bits[size], binary=True)):
            found = coupling.send(Weights.of(W), x, up)
            expected = bits[size] @ (W if up else W.T)
            np.testing.assert_allclose(found, expected, atol=1e-12)
    weights = W.copy()
    coupling.stretch(weights, np.arange(40.0))
    np.testing.assert_allclose(weights, W * np.arange(40)[:, None])
    # A limit by the factors of units below.
    scale = RNG.random((40, 1)) + 0.5
    coupling.limit(weights := W.copy(), 2.0, scale)
    norms = np.linalg.norm(scale * W, axis=0)
    np.testing.assert_allclose(weights, W * np.minimum(1, 2 / norms))
    tiled = Weights.of(W)
    coupling.limit(tiled, 2.0, scale)
    np.testing.assert_allclose(tiled.W, weights)
