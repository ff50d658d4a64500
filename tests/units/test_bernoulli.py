import numpy as np
from scipy import stats

from skdgm.units import Bernoulli
from skdgm.utils.random import stream

UNIT = Bernoulli(5)
ETA = np.array([[-3.0, -0.5, 0.0, 1.0, 40.0]])


def test_mean_is_the_derivative_of_log_partition():
    eps = 1e-5
    slope = (UNIT.log_partition(ETA + eps) - UNIT.log_partition(ETA - eps)) / (2 * eps)
    np.testing.assert_allclose(UNIT.mean(ETA), slope, atol=1e-9)


def test_log_partition_sums_the_two_states():
    np.testing.assert_allclose(UNIT.log_partition(ETA), np.log1p(np.exp(ETA)))


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
    np.testing.assert_allclose(UNIT.entropy(p)[0], expected, atol=1e-12)


def test_path_from_base_to_own():
    own, base = np.arange(5.0), np.ones(5)
    np.testing.assert_array_equal(UNIT.interpolate(own, base, 0.0), base)
    np.testing.assert_array_equal(UNIT.interpolate(own, base, 1.0), own)
    each = UNIT.interpolate(own, base, np.array([[0.0], [0.5]]))
    np.testing.assert_array_equal(each[1], (own + base) / 2)


def test_states_are_all_different():
    states = UNIT.states(np.arange(UNIT.n_states))
    assert states.shape == (32, 5)
    assert len(np.unique(states, axis=0)) == 32
