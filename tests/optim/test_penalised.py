import numpy as np
import pytest

from skdgm.optim import Penalised, adam, sgd

DTYPES = [np.float32, np.float64]


@pytest.mark.parametrize("dtype", DTYPES)
def test_sgd_is_that_by_hand(dtype):
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(7, 5)).astype(dtype), rng.normal(size=5).astype(dtype)
    params, expected, u = (W.copy(), b.copy()), W.astype(np.float64), 0.0
    velocity = sgd.init(params)
    for _ in range(4):
        g = rng.normal(size=W.shape).astype(dtype)
        rule = {"rate": 0.1, "momentum": 0.8, "l1": 0.3, "l2": 0.2}
        sgd.step(params, velocity, (Penalised(g), np.zeros(5, dtype)), **rule)
        u = 0.8 * u + 0.1 * (g - 0.3 * np.sign(expected) - 0.2 * expected)
        expected = expected + u
    np.testing.assert_allclose(params[0], expected, rtol=1e-5, atol=1e-6)
    assert params[0].dtype == dtype
    np.testing.assert_array_equal(params[1], b)


def test_adam_is_that_of_arrays_but_for_penalties():
    rng = np.random.default_rng(0)
    W, grads = rng.normal(size=(7, 5)), rng.normal(size=(4, 7, 5))
    found, plain = W.copy(), W.copy()
    memory, other = adam.init((found,)), adam.init((plain,))
    for g in grads:
        adam.step((found,), memory, (Penalised(g),), rate=0.1, l2=0.5)
        adam.step((plain,), other, (g - 0.5 * plain,), rate=0.1)
    np.testing.assert_allclose(found, plain, rtol=1e-12)
    assert abs(found - W).mean() > 0.05


def test_refuses_to_move_a_copy():
    params = (np.zeros((3, 2)).T,)
    with pytest.raises(AssertionError):
        sgd.step(params, sgd.init(params), (Penalised(np.ones((2, 3))),), rate=0.1)
