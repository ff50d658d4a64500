import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

from skdgm.nets import (
    logistic_cross_entropy,
    softmax_cross_entropy,
    squared_error,
    vjp,
)
from tests.nets.recipes import assert_slopes, numbers
from tests.suites import DTYPES

LOSSES = [softmax_cross_entropy, logistic_cross_entropy, squared_error]
N_ROWS, N_ABOVE = 5, 3


def targets_of(loss, dtype=np.float64):
    p = np.random.default_rng(2).random((N_ROWS, N_ABOVE))
    if loss is softmax_cross_entropy:
        p /= p.sum(axis=1, keepdims=True)
        p[1] = 0
    if loss is not softmax_cross_entropy:
        p[2, 1] = p[3, :] = np.nan
    return p.astype(dtype)


@pytest.mark.parametrize("loss", LOSSES)
def test_slopes_of_losses(loss):
    targets = targets_of(loss)
    assert_slopes(lambda params: loss(params[0], targets), (numbers(*targets.shape),))


def test_losses():
    z = numbers(N_ROWS, N_ABOVE)
    code = np.array([0, 2, 1, 1, 0])
    expected = logsumexp(z, axis=1) - z[np.arange(N_ROWS), code]
    found = softmax_cross_entropy(z, np.eye(N_ABOVE)[code])
    np.testing.assert_allclose(found, expected)

    on = z > 0.3
    p = 1 / (1 + np.exp(-z))
    expected = -np.log(np.where(on, p, 1 - p)).sum(axis=1)
    np.testing.assert_allclose(logistic_cross_entropy(z, on.astype(float)), expected)

    known = targets_of(squared_error)
    gap = np.nan_to_num(z - known)
    np.testing.assert_allclose(squared_error(z, known), (gap**2).sum(axis=1) / 2)


@pytest.mark.parametrize("n_each", [1, 3])
def test_neighboring_rows_may_share_a_row_of_targets(n_each):
    targets = targets_of(logistic_cross_entropy)
    z = numbers(N_ROWS * n_each, N_ABOVE)
    assert_slopes(lambda params: logistic_cross_entropy(params[0], targets), (z,))
    found = logistic_cross_entropy(z, targets)
    own = np.logaddexp(0, z) - np.repeat(targets, n_each, axis=0) * z
    np.testing.assert_allclose(found, np.nansum(own, axis=1))


def test_unknown_targets_cost_nothing():
    z = numbers(N_ROWS, N_ABOVE)
    for loss, row in zip(LOSSES, (1, 3, 3)):
        value, (grad,) = vjp(
            lambda params, loss=loss: loss(params[0], targets_of(loss)),
            (z,),
            np.ones_like,
        )
        assert value[row] == 0
        assert (grad[row] == 0).all()
        assert (value[0], grad[0].all()) != (0, 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_logits(dtype):
    z = np.array([[1000, -1000, 0], [-1000, 1000, 1000]], dtype)
    targets = np.array([[0, 1, 0], [0, 1, 0]], dtype)

    def run(loss):
        value, (grad,) = vjp(
            lambda params: loss(params[0], targets), (z,), np.ones_like
        )
        return value, grad

    value, grad = run(softmax_cross_entropy)
    np.testing.assert_allclose(value, [2000, np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(grad, [[1, -1, 0], [0, -0.5, 0.5]], atol=1e-7)
    value, grad = run(logistic_cross_entropy)
    np.testing.assert_allclose(value, [2000 + np.log(2), 1000], rtol=1e-6)
    np.testing.assert_allclose(grad, [[1, -1, 0.5], [0, 0, 1]], atol=1e-7)


def test_rounding_does_not_take_small_losses_away():
    z = np.array([[20.0, 0.0]], np.float32)
    target = np.array([[1.0, 0.0]], np.float32)
    expected = -log_softmax(z.astype(np.float64), axis=1)[0, 0]
    grad = vjp(
        lambda params: softmax_cross_entropy(params[0], target), (z,), np.ones_like
    )[1][0]
    np.testing.assert_allclose(grad[0, 1], expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
def test_types_are_kept(dtype, loss):
    z, targets = numbers(N_ROWS, N_ABOVE, dtype=dtype), targets_of(loss, dtype)
    value, (grad,) = vjp(lambda params: loss(params[0], targets), (z,), np.ones_like)
    assert value.dtype == grad.dtype == dtype
    assert value.shape == (N_ROWS,)
