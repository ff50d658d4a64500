import numpy as np
import pytest

from skdgm.couplings import Dense, Weights
from tests.numerical import numerical_gradient
from tests.suites import DTYPES

RNG = np.random.default_rng(0)
COUPLING = Dense(4, 3)
W = RNG.normal(size=(4, 3))
BELOW, ABOVE = RNG.random((6, 4)), RNG.random((6, 3))


def test_field_is_what_the_energy_is_linear_in():
    up = (COUPLING.send(W, BELOW, up=True) * ABOVE).sum(axis=1)
    down = (COUPLING.send(W, ABOVE, up=False) * BELOW).sum(axis=1)
    np.testing.assert_allclose(up, COUPLING.log_weight(W, BELOW, ABOVE))
    np.testing.assert_allclose(down, COUPLING.log_weight(W, BELOW, ABOVE))


def test_gradient():
    numeric = numerical_gradient(
        lambda W: COUPLING.log_weight(W, BELOW, ABOVE).mean(), W
    )
    nothing = np.zeros((1, 4)), np.zeros((1, 3))
    contrast = COUPLING.contrast(BELOW, ABOVE, *nothing)
    np.testing.assert_allclose(contrast, numeric, atol=1e-9)


def test_initial_weights_are_small():
    weights = Dense(100, 80).init(np.random.default_rng(1), 0.01, np.float32)
    assert weights.dtype == np.float32
    assert abs(weights.std() - 0.01) < 4 * 0.01 / np.sqrt(2 * weights.size)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", [np.copy, Weights.of])
def test_limit(dtype, form):
    W = np.random.default_rng(1).normal(size=(40, 35)).astype(dtype)
    norms = np.linalg.norm(W, axis=0)
    weights = form(W)
    COUPLING.limit(weights, norms.max() * 1.01)
    np.testing.assert_array_equal(COUPLING.matrix(weights), W)
    top = np.median(norms)
    COUPLING.limit(weights, top)
    expected = W * np.minimum(1, top / norms)
    np.testing.assert_allclose(COUPLING.matrix(weights), expected, rtol=1e-5)
    if form is not np.copy:
        whole = Weights.of(weights.W)
        np.testing.assert_array_equal(weights.up, whole.up)
        np.testing.assert_array_equal(weights.down, whole.down)
