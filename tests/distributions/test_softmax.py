import numpy as np
import pytest
from scipy import stats

from skdgm.distributions import Softmax, one_hot
from skdgm.utils.random import stream
from tests.distributions.cases import FiniteUnitCase
from tests.numerical import numerical_gradient

UNIT = Softmax(4)
ETA = np.array([[-3.0, 0.5, 0.0, 1.0], [700.0, 0.0, 701.0, -700.0]])
STATES = np.eye(4)


class TestSoftmax(FiniteUnitCase):
    unit, own = UNIT, np.array([0.3, -1.0, 2.0, 0.0])
    received, x = np.random.default_rng(0).normal(size=(4, 4)), STATES[[2, 0, 3, 1]]
    moments = np.array([0.1, 0.2, 0.05, 0.65])
    clamped = np.array([[True], [False], [True], [False]]) & np.ones(4, bool)

    def test_initial_parameters(self):
        bias = UNIT.init(self.moments, np.float32)
        assert bias.dtype == np.float32
        np.testing.assert_allclose(UNIT.mean(bias), self.moments, rtol=1e-6)
        np.testing.assert_allclose(UNIT.mean(UNIT.init()), 0.25)


def test_log_partition_sums_the_states():
    with np.errstate(over="ignore"):
        total = np.log(np.exp(ETA[0]).sum()), 701 + np.log1p(np.exp(-1))
    np.testing.assert_allclose(UNIT.log_partition(ETA), total)
    assert UNIT.log_partition(ETA.astype(np.float32)).dtype == np.float64


def test_mean_is_the_derivative_of_log_partition():
    grad = numerical_gradient(lambda eta: UNIT.log_partition(eta).sum(), ETA)
    np.testing.assert_allclose(UNIT.mean(ETA), grad, atol=1e-7)


def test_log_weight_is_that_of_the_state():
    for x in (STATES, UNIT.pack(STATES)):
        np.testing.assert_array_equal(UNIT.log_weight(ETA[0], x), ETA[0])
    each = UNIT.log_weight(np.tile(ETA, (2, 1)), UNIT.pack(STATES))
    np.testing.assert_array_equal(each, [-3, 0, 0, -700])


def test_each_row_is_drawn_from_its_own_field():
    certain = np.log(np.maximum(STATES[[2, 0, 3, 1]], 1e-300))
    x, _ = UNIT.sample(certain, stream(0).rows(4))
    np.testing.assert_array_equal(x, STATES[[2, 0, 3, 1]])


def test_impossible_states_are_not_drawn():
    eta = np.array([[-1e30, 0.0, -1e30, 0.0]])
    x, _ = UNIT.sample(eta, stream(1).rows(1000))
    assert (np.asarray(x).sum(axis=0)[[0, 2]] == 0).all()


def test_log_evidence():
    eta = np.random.default_rng(0).normal(size=(5, 4))
    x = np.array([[0, 0, 1, 0], [0.3, 0.3, 0.3, 0.1], [1, 0, 0, 0]])
    held = np.array([[True], [False], [True]]) & np.ones(4, bool)
    found = UNIT.log_evidence(eta, x, held)
    expected = [eta[:, 2], np.log(np.exp(eta).sum(axis=1)), eta[:, 0]]
    np.testing.assert_allclose(found, expected)


def test_entropy_adds_up():
    p = np.array([[0.1, 0.2, 0.0, 0.7]])
    found = UNIT.entropy(None, p).sum()
    np.testing.assert_allclose(found, stats.entropy(p[0]))


def test_states_and_lists_of_them():
    np.testing.assert_array_equal(UNIT.states(np.arange(UNIT.n_states)), STATES)
    np.testing.assert_array_equal(one_hot(np.array([3, 1]), 4, float), STATES[[3, 1]])
    # What is left of a unit whose state is known.
    assert Softmax(0).n_states == 1
    assert Softmax(0).states(np.zeros(2, int)).shape == (2, 0)


def test_one_hot_of_several_variables_and_of_codes_out_of_range():
    found = one_hot(np.array([[1, 0], [0, 2]]), (2, 3), float)
    np.testing.assert_array_equal(found, [[0, 1, 1, 0, 0], [1, 0, 0, 0, 1]])
    assert one_hot(np.zeros((0, 2)), (2, 3), float).shape == (0, 5)
    for wrong in ([[0, 3]], [[-1, 0]], [[2, 0]]):
        with pytest.raises(IndexError, match="out of range"):
            one_hot(np.array(wrong), (2, 3), float)
