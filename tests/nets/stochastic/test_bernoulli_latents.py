"""Bits inside nets: which draws there are, and what gradients pass through them."""

import numpy as np
import pytest
from scipy.special import expit

from skdgm.latent import BernoulliUnits
from skdgm.nets import coin, vjp
from tests.numerical import numerical_gradient
from tests.suites import DTYPES

RNG = np.random.default_rng(0)
ODDS, NOISE = RNG.normal(size=(3, 4)), RNG.random((6, 4))
WEIGHTS = RNG.normal(size=(6, 4))


def gradient(relaxation, temperature=0.5):
    """By log odds, of the weighted sum of the squares of two draws of each row."""

    def f(odds):
        z = coin(odds, NOISE, relaxation, temperature)
        return (WEIGHTS * z**2).sum()

    return f, vjp(f, ODDS, np.ones_like)[1]


def test_gradients_pass_straight_through_as_if_draws_were_probabilities():
    z = coin(ODDS, NOISE)
    assert set(np.unique(z)) == {0.0, 1.0}
    slope = (2 * WEIGHTS * z).reshape(3, 2, 4).sum(axis=1)
    p = expit(ODDS)
    np.testing.assert_allclose(gradient("straight-through")[1], slope * p * (1 - p))


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_gradients_of_concrete_variables_are_differences(temperature):
    f, found = gradient("concrete", temperature)
    expected = numerical_gradient(f, ODDS, 1e-6)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


def test_concrete_variables_are_bits_in_the_limit():
    cold = coin(ODDS, NOISE, "concrete", 1e-4)
    np.testing.assert_allclose(cold, coin(ODDS, NOISE), atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_noise_makes_bits_of_any_log_odds(dtype):
    odds = np.array([[-1000, -120, 0, 120, 1000]], dtype)
    for bit in 0, 1:
        z = np.full(odds.shape, bit, dtype)
        noise = BernoulliUnits().noise_of(z, odds)
        np.testing.assert_array_equal(BernoulliUnits().draw(odds, noise), z)
