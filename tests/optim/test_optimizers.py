import numpy as np
import pytest

from skdgm.couplings import Contrast, Weights
from skdgm.optim import Penalized, adam, rmsprop, sgd
from skdgm.utils.tree import leaves
from tests.suites import DTYPES

SHAPES = [(3,), (37, 35)]
FORMS = {"array": np.asarray, "penalized": Penalized, "tiles": Contrast.of}


def test_momentum_by_hand():
    params, grad = (np.zeros(2), (np.ones(1),)), (np.array([1.0, -2.0]), (np.ones(1),))
    velocity = sgd.init(params)
    sgd.step(params, velocity, grad, rate=0.1, momentum=0.5)
    np.testing.assert_allclose(params[0], [0.1, -0.2])
    sgd.step(params, velocity, grad, rate=0.1, momentum=0.5)
    np.testing.assert_allclose(velocity[0], [0.15, -0.3])
    np.testing.assert_allclose(params[0], [0.25, -0.5])
    np.testing.assert_allclose(params[1][0], [1.25])


def test_types_are_kept():
    params = (np.zeros(3, dtype=np.float32),)
    sgd.step(params, sgd.init(params), (np.ones(3, dtype=np.float32),), rate=0.1)
    assert params[0].dtype == np.float32


class Follows:
    """A gradient that knows how to be followed."""

    def ascend(self, theta, u, **rule):
        theta += rule["rate"]
        self.rule = rule


def test_a_gradient_may_follow_itself():
    params = np.zeros(2), (np.zeros(3),)
    grad = np.ones(2), (Follows(),)
    rule = {"rate": 0.5, "momentum": 0.1, "l1": 0.2, "l2": 0.3}
    sgd.step(params, sgd.init(params), grad, **rule)
    np.testing.assert_allclose(params[0], 0.5)
    np.testing.assert_allclose(params[1][0], 0.5)
    assert grad[1][0].rule == rule


def adam_by_hand(theta, gradients, rate, beta_1=0.9, l1=0.0, l2=0.0):
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
def test_steps_of_adam_by_hand(dtype, form, rule):
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
    found, expected = params[0], adam_by_hand(b, [g[0] for g in grads], 0.05, **numbers)
    np.testing.assert_allclose(found, expected, **tolerance)
    if form != "array":  # Penalties are for couplings only.
        numbers.update({name: rule.get(name, 0.0) for name in ("l1", "l2")})
    expected = adam_by_hand(W, [g[1] for g in grads], 0.05, **numbers)
    found = weights.W if form == "tiles" else weights
    np.testing.assert_allclose(found, expected, **tolerance)
    assert {leaf.dtype for leaf in leaves(params)} == {np.dtype(dtype)}
    if form == "tiles":
        np.testing.assert_array_equal(weights.down, Weights.of(weights.W).down)


def test_the_first_step_of_adam_is_as_long_as_the_rate():
    params = (np.zeros(3),)
    adam.step(params, adam.init(params), (np.array([1e-3, -5.0, 0.0]),), rate=0.1)
    np.testing.assert_allclose(params[0], [0.1, -0.1, 0.0], rtol=1e-4)


def test_adam_refuses_to_move_a_copy():
    params = (np.zeros((3, 2)).T,)
    with pytest.raises(AssertionError):
        adam.step(params, adam.init(params), (np.ones((2, 3)),), rate=0.1)


def rmsprop_by_hand(theta, gradients, rate, momentum=0.0, l1=0.0, l2=0.0):
    """Tieleman and Hinton's steps, uphill, with penalties on theta."""
    theta, u, s = theta.astype(np.float64), 0.0, 0.0
    for g in gradients:
        g = g - l1 * np.sign(theta) - l2 * theta
        s = 0.9 * s + 0.1 * g**2
        u = momentum * u + rate * g / (np.sqrt(s) + 1e-8)
        theta = theta + u
    return theta


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rule", [{}, {"momentum": 0.5}, {"l1": 0.3, "l2": 0.2}])
def test_steps_of_rmsprop_by_hand(dtype, form, rule):
    rng = np.random.default_rng(0)
    b, W = (rng.normal(size=shape).astype(dtype) for shape in SHAPES)
    grads = [[rng.normal(size=s).astype(dtype) for s in SHAPES] for _ in range(5)]
    weights = Weights.of(W) if form == "tiles" else W.copy()
    params = b.copy(), (weights,)
    memory = rmsprop.init(params)
    for of_b, of_W in grads:
        rmsprop.step(params, memory, (of_b, (FORMS[form](of_W),)), rate=0.05, **rule)
    tolerance = {"atol": 2e-5 if dtype == np.float32 else 1e-12}
    numbers = {"momentum": rule.get("momentum", 0.0)}
    found, expected = (
        params[0],
        rmsprop_by_hand(b, [g[0] for g in grads], 0.05, **numbers),
    )
    np.testing.assert_allclose(params[0], expected, **tolerance)
    if form != "array":  # Penalties are for couplings only.
        numbers = rule
    expected = rmsprop_by_hand(W, [g[1] for g in grads], 0.05, **numbers)
    found = weights.W if form == "tiles" else weights
    np.testing.assert_allclose(found, expected, **tolerance)
    assert {leaf.dtype for leaf in leaves((params, memory))} == {np.dtype(dtype)}


def test_the_first_step_of_rmsprop_is_some_three_times_the_rate():
    params = (np.zeros(3),)
    memory = rmsprop.init(params)
    rmsprop.step(params, memory, (np.array([1e-3, -5.0, 0.0]),), rate=0.1)
    expected = [10**-0.5, -(10**-0.5), 0.0]
    np.testing.assert_allclose(params[0], expected, rtol=1e-4)


def test_rmsprop_refuses_to_move_a_copy():
    params = (np.zeros((3, 2)).T,)
    with pytest.raises(AssertionError):
        rmsprop.step(params, rmsprop.init(params), (np.ones((2, 3)),), rate=0.1)
