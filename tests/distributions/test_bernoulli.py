import numpy as np
import pytest
from scipy import stats

from skdgm.distributions import Bernoulli
from skdgm.utils.random import stream
from tests.distributions.cases import FiniteUnitCase
from tests.numerical import numerical_gradient

UNIT = Bernoulli(5)
ETA = np.array([[-3.0, -0.5, 0.0, 1.0, 40.0]])
RNG = np.random.default_rng(0)


class TestBernoulli(FiniteUnitCase):
    unit, own = UNIT, np.array([-2.0, -0.5, 0.0, 1.0, 3.0])
    received, x = RNG.normal(size=(4, 5)), (RNG.random((4, 5)) < 0.5).astype(float)
    moments = np.array([0.01, 0.2, 0.5, 0.7, 0.999])


def test_mean_is_the_derivative_of_log_partition():
    grad = numerical_gradient(lambda eta: UNIT.log_partition(eta)[0], ETA)
    np.testing.assert_allclose(UNIT.mean(ETA), grad, atol=1e-9)


def test_samples_are_bits_even_of_extreme_means():
    n = 20000
    x, mean = UNIT.sample(ETA, stream(0).rows(n))
    np.testing.assert_array_equal(np.unique(x), [0, 1])
    se = np.sqrt(mean * (1 - mean) / n)
    assert (abs(x.mean(axis=0) - mean) <= 4 * se).all()


def test_entropy():
    p = np.array([[0.0, 0.2, 0.5, 0.9, 1.0]])
    expected = [stats.bernoulli(q).entropy() for q in p[0]]
    np.testing.assert_allclose(UNIT.entropy(None, p)[0], expected, atol=1e-12)


def test_certain_units():
    mean = np.array([[0.0, 0.2, 0.5, 0.9, 1.0]])
    states = UNIT.states(np.arange(32))
    found = np.exp(UNIT.log_prob(np.tile(mean, (32, 1)), states))
    expected = np.where(states, mean, 1 - mean).prod(axis=1)
    np.testing.assert_allclose(found, expected)
    assert found.sum() == pytest.approx(1)
