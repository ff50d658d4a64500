import numpy as np
import pytest

from skdgm._kernels.nets.losses import log_loss, log_loss_grad
from tests._kernels.oracles import TOLERANCE, sigmoid
from tests.suites import DTYPES

N_EACH = [1, 3]


def bits(dtype, n_each, n_columns=37):
    """Log odds, targets some of which are unknown, and a row of them for each."""
    rng = np.random.default_rng(0)
    z = rng.normal(0, 6, (6 * n_each, n_columns)).astype(dtype)
    t = rng.random((6, n_columns)).astype(dtype)
    t[rng.random(t.shape) < 0.2] = np.nan
    t[2] = np.nan
    return z, t, np.repeat(t, n_each, axis=0).astype(np.float64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_each", N_EACH)
@pytest.mark.parametrize("n_columns", [1, 37, 2500])
def test_log_loss(dtype, n_each, n_columns):
    z, t, wanted = bits(dtype, n_each, n_columns)
    expected = np.nansum(np.logaddexp(0, z.astype(np.float64)) - wanted * z, axis=1)
    out = np.full(len(z), -1, dtype)
    log_loss(z, t, out, 1, 5)
    np.testing.assert_allclose(
        out[1:5], expected[1:5], rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
    )
    np.testing.assert_array_equal(out[[0, *range(5, len(z))]], -1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_each", N_EACH)
def test_slopes_of_the_log_loss(dtype, n_each):
    z, t, wanted = bits(dtype, n_each)
    weight = np.random.default_rng(1).normal(size=len(z)).astype(dtype)
    gap = sigmoid(z.astype(np.float64)) - wanted
    expected = weight[:, None] * np.where(np.isnan(wanted), 0, gap)
    out = np.full_like(z, 9)
    log_loss_grad(z, t, weight, out, 1, 5)
    np.testing.assert_allclose(out[1:5], expected[1:5], atol=TOLERANCE[dtype])
    assert (out[1:5][np.isnan(wanted[1:5])] == 0).all()
    assert (out[[0, *range(5, len(z))]] == 9).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_odds(dtype):
    z = np.array([[1e4, -1e4, 1e4]], dtype)
    t, out, grad = np.array([[0, 1, 1]], dtype), np.empty(1, dtype), np.empty_like(z)
    log_loss(z, t, out, 0, 1)
    log_loss_grad(z, t, np.ones(1, dtype), grad, 0, 1)
    np.testing.assert_array_equal(out, [2e4])
    np.testing.assert_allclose(grad, [[1, -1, 0]], atol=1e-7)
