import numpy as np
import pytest

from skdgm.couplings import Contrast, Weights
from skdgm.optim import adam
from skdgm.utils.tree import leaves

DTYPES = [np.float32, np.float64]
SHAPES = [(3,), (37, 35)]


def by_hand(theta, gradients, rate, beta_1=0.9, l1=0.0, l2=0.0):
    """Kingma and Ba's algorithm 1, uphill, with penalties on theta."""
    theta, m, s = theta.astype(np.float64), 0.0, 0.0
    for t, g in enumerate(gradients, start=1):
        g = g - l1 * np.sign(theta) - l2 * theta
        m = beta_1 * m + (1 - beta_1) * g
        s = 0.999 * s + 0.001 * g**2
        m_hat, s_hat = m / (1 - beta_1**t), s / (1 - 0.999**t)
        theta = theta + rate * m_hat / (np.sqrt(s_hat) + 1e-8)
    return theta


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", ["array", "contrast", "tiles"])
@pytest.mark.parametrize("rule", [{}, {"momentum": 0.5}, {"l1": 0.3, "l2": 0.2}])
def test_steps_are_those_by_hand(dtype, form, rule):
    rng = np.random.default_rng(0)
    b, W = (rng.normal(size=shape).astype(dtype) for shape in SHAPES)
    grads = [[rng.normal(size=s).astype(dtype) for s in SHAPES] for _ in range(5)]
    weights = Weights.of(W) if form == "tiles" else W.copy()
    params, made = (b.copy(), (weights,)), Contrast.of
    memory = adam.init(params)
    for of_b, of_W in grads:
        grad = of_b, (of_W if form == "array" else made(of_W),)
        adam.step(params, memory, grad, rate=0.05, **rule)
    assert memory.t[0] == 5
    numbers = {"beta_1": rule.get("momentum", 0.9)}
    tolerance = {"atol": 2e-5 if dtype == np.float32 else 1e-12}
    found, expected = params[0], by_hand(b, [g[0] for g in grads], 0.05, **numbers)
    np.testing.assert_allclose(found, expected, **tolerance)
    if form != "array":  # Penalties are for couplings only.
        numbers.update({name: rule.get(name, 0.0) for name in ("l1", "l2")})
    expected = by_hand(W, [g[1] for g in grads], 0.05, **numbers)
    found = weights.W if form == "tiles" else weights
    np.testing.assert_allclose(found, expected, **tolerance)
    assert {leaf.dtype for leaf in leaves(params)} == {np.dtype(dtype)}
    if form == "tiles":
        np.testing.assert_array_equal(weights.down, Weights.of(weights.W).down)


def test_the_first_step_is_as_long_as_the_rate():
    params = (np.zeros(3),)
    adam.step(params, adam.init(params), (np.array([1e-3, -5.0, 0.0]),), rate=0.1)
    np.testing.assert_allclose(params[0], [0.1, -0.1, 0.0], rtol=1e-4)


def test_refuses_to_move_a_copy():
    params = (np.zeros((3, 2)).T,)
    with pytest.raises(AssertionError):
        adam.step(params, adam.init(params), (np.ones((2, 3)),), rate=0.1)
