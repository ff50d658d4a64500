import numpy as np
import pytest

from skdgm.couplings import Contrast, Weights
from skdgm.optim import Penalised, rmsprop
from skdgm.utils.tree import leaves

DTYPES = [np.float32, np.float64]
SHAPES = [(3,), (37, 35)]
FORMS = {"array": np.asarray, "penalised": Penalised, "tiles": Contrast.of}


def by_hand(theta, gradients, rate, momentum=0.0, l1=0.0, l2=0.0):
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
def test_steps_are_those_by_hand(dtype, form, rule):
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
    found, expected = params[0], by_hand(b, [g[0] for g in grads], 0.05, **numbers)
    np.testing.assert_allclose(found, expected, **tolerance)
    if form != "array":  # Penalties are for couplings only.
        numbers = rule
    expected = by_hand(W, [g[1] for g in grads], 0.05, **numbers)
    found = weights.W if form == "tiles" else weights
    np.testing.assert_allclose(found, expected, **tolerance)
    assert {leaf.dtype for leaf in leaves((params, memory))} == {np.dtype(dtype)}


def test_the_first_step_is_some_three_times_the_rate():
    params = (np.zeros(3),)
    memory = rmsprop.init(params)
    rmsprop.step(params, memory, (np.array([1e-3, -5.0, 0.0]),), rate=0.1)
    expected = [10**-0.5, -(10**-0.5), 0.0]
    np.testing.assert_allclose(params[0], expected, rtol=1e-4)


def test_refuses_to_move_a_copy():
    params = (np.zeros((3, 2)).T,)
    with pytest.raises(AssertionError):
        rmsprop.step(params, rmsprop.init(params), (np.ones((2, 3)),), rate=0.1)
