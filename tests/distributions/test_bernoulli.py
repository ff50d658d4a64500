import numpy as np
from scipy import stats

from skdgm.distributions import Bernoulli
from skdgm.utils.random import stream
from tests.numerical import assert_means, numerical_gradient

UNIT = Bernoulli(5)
ETA = np.array([[-3.0, -0.5, 0.0, 1.0, 40.0]])


def test_mean_is_the_derivative_of_log_partition():
    grad = numerical_gradient(lambda eta: UNIT.log_partition(eta)[0], ETA)
    np.testing.assert_allclose(UNIT.mean(ETA), grad, atol=1e-9)


def test_log_partition_sums_the_states():
    states = UNIT.states(np.arange(UNIT.n_states)).astype(float)
    total = np.logaddexp.reduce(UNIT.log_weight(ETA, states))
    np.testing.assert_allclose(UNIT.log_partition(ETA), total)


def test_samples_have_the_mean():
    n = 20000
    x, mean = UNIT.sample(ETA, stream(0).rows(n))
    np.testing.assert_array_equal(np.unique(x), [0, 1])
    se = np.sqrt(mean * (1 - mean) / n)
    assert (abs(x.mean(axis=0) - mean) <= 4 * se).all()


def test_samples_keep_the_type():
    x, mean = UNIT.sample(ETA.astype(np.float32), stream(0).rows(3))
    assert x.dtype == mean.dtype == np.float32


def test_initial_bias_gives_the_means():
    means = np.array([0.01, 0.2, 0.5, 0.7, 0.999])
    bias = UNIT.init(means, np.float32)
    assert bias.dtype == np.float32
    np.testing.assert_allclose(UNIT.mean(bias), means, rtol=1e-5)
    np.testing.assert_array_equal(UNIT.init(), np.zeros(5))


def test_entropy():
    p = np.array([[0.0, 0.2, 0.5, 0.9, 1.0]])
    expected = [stats.bernoulli(q).entropy() for q in p[0]]
    np.testing.assert_allclose(UNIT.entropy(None, p)[0], expected, atol=1e-12)


def test_log_evidence_sums_what_is_not_held():
    eta = np.random.default_rng(0).normal(size=(4, 5))
    x = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1], [1, 1, 1, 1, 1]])
    held = np.array([[True, False, True, False, True], [True] * 5, [False] * 5])
    states = UNIT.states(np.arange(32)).astype(float)
    found = UNIT.log_evidence(eta, x, held)
    for row in range(3):
        agree = (~held[row] | (states == x[row])).all(axis=1)
        expected = np.logaddexp.reduce(states[agree] @ eta.T)
        np.testing.assert_allclose(found[row], expected)


def test_states_are_all_different():
    states = UNIT.states(np.arange(UNIT.n_states))
    assert states.shape == (32, 5)
    assert len(np.unique(states, axis=0)) == 32


def test_draws_from_means_and_their_log_probabilities():
    mean = np.array([0.0, 0.2, 0.5, 0.9, 1.0])
    x = UNIT.draw(np.tile(mean, (20000, 1)), stream(0).rows(20000))
    assert_means(x, mean)
    states = UNIT.states(np.arange(32))
    for part in (states, UNIT.pack(states.astype(float))):
        found = np.exp(UNIT.log_prob(np.tile(mean, (32, 1)), part))
        expected = np.where(states, mean, 1 - mean).prod(axis=1)
        np.testing.assert_allclose(found, expected)
