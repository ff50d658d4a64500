import numpy as np
import pytest
from scipy import integrate, stats

from skdgm.distributions import Gaussian, Normal
from skdgm.utils.random import stream
from tests.distributions.cases import UnitCase
from tests.numerical import arrays, assert_means, assert_trees, numerical_gradient
from tests.suites import DTYPES

UNIT = Gaussian(3)
OWN = Normal(np.array([-1.0, 0.5, 2.0]), np.array([0.3, -1.2, 2.0]))
RECEIVED = np.random.default_rng(0).normal(size=(4, 3))
ETA = UNIT.field(OWN, RECEIVED)
X = np.random.default_rng(1).normal(size=(4, 3))


class GaussianCase(UnitCase):
    own, received, x = OWN, RECEIVED, X
    moments = np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.0, 4.0])

    def log_total(self, received, agree=None):
        """Sum of the logs of each unit's integral."""
        eta = self.unit.field(self.own, received[None])
        return sum(np.log(integral(eta, i)) for i in range(3))

    def test_evidence_of_clamped_entries(self):
        """Tested below."""


class TestDiagonal(GaussianCase):
    unit = UNIT


class TestScalar(GaussianCase):
    unit = Gaussian(3, "scalar")

    def test_the_gradient_by_parameters(self):
        """Tested below, as the gradient of each precision is the mean of all."""


def integral(eta, i):
    """The integral of the density of one unit's values, the others being 0."""

    def density(v):
        x = np.zeros((1, 3))
        x[0, i] = v
        return np.exp(UNIT.log_weight(eta, x)[0])

    return integrate.quad(density, -30, 30, epsabs=1e-12)[0]


def test_field_is_a_normal_around_mean_plus_received():
    expected = stats.norm(OWN.mean + RECEIVED, np.exp(-0.5 * OWN.log_precision))
    log_p = UNIT.log_weight(ETA, X) - UNIT.log_partition(ETA)
    np.testing.assert_allclose(log_p, expected.logpdf(X).sum(axis=1))
    np.testing.assert_allclose(UNIT.mean(ETA), OWN.mean + RECEIVED)


def test_mean_is_the_derivative_of_log_partition():
    grad = numerical_gradient(lambda eta: UNIT.log_partition(eta).sum(), ETA)
    np.testing.assert_allclose(UNIT.mean(ETA), grad.theta, atol=1e-8)
    # And minus half the mean square, by the precisions that all rows share.
    square = UNIT.mean(ETA) ** 2 + 1 / ETA.precision
    np.testing.assert_allclose(grad.precision, -0.5 * square.sum(axis=0), atol=1e-7)


def test_mixed_fields_have_their_own_precision_in_each_row():
    eta = ETA._replace(precision=np.exp(X))
    grad = numerical_gradient(lambda eta: UNIT.log_partition(eta).sum(), eta)
    np.testing.assert_allclose(UNIT.mean(eta), grad.theta, atol=1e-7)


@pytest.mark.parametrize("dtype", DTYPES)
def test_samples(dtype):
    own = Normal(*(part.astype(dtype) for part in OWN))
    x, mean = UNIT.sample(UNIT.field(own), stream(0).rows(20000))
    assert x.dtype == mean.dtype == dtype
    np.testing.assert_array_equal(mean, np.tile(UNIT.mean(UNIT.field(own)), (20000, 1)))
    variance = np.exp(-OWN.log_precision)
    assert_means(x, OWN.mean)
    assert_means((x - OWN.mean) ** 2, variance)
    scaled = ((x - OWN.mean) / np.sqrt(variance)).ravel()
    assert stats.kstest(scaled, "norm").pvalue > 1e-3
    assert np.isfinite(x).all()


def test_log_evidence_integrates_what_is_not_held():
    held = np.array(
        [[True, False, True], [True] * 3, [False] * 3, [False, True, False]]
    )
    found = UNIT.log_evidence(ETA, X, held)
    assert found.shape == (4, 4)
    assert found.dtype == np.float64
    normal = stats.norm(OWN.mean + RECEIVED, np.exp(-0.5 * OWN.log_precision))
    for row in range(4):
        for state in range(4):
            known = (normal.logpdf(X[row])[state] * held[row]).sum()
            expected = UNIT.log_partition(ETA)[state] + known
            assert found[row, state] == pytest.approx(expected)


def test_entropy_leaves_out_what_the_energy_of_the_mean_does():
    log_weight = UNIT.log_weight(ETA, UNIT.mean(ETA))
    entropy = UNIT.entropy(OWN, UNIT.mean(ETA))
    assert entropy.shape == (4, 3)
    # At its best the bound E[log weight] + H is the log partition.
    np.testing.assert_allclose(
        log_weight + entropy.sum(axis=1), UNIT.log_partition(ETA)
    )
    full = stats.norm(scale=np.exp(-0.5 * OWN.log_precision)).entropy()
    np.testing.assert_allclose(entropy[0], full - 0.5)


def test_initial_parameters_give_the_moments():
    own = UNIT.init((np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.0, 4.0])), np.float32)
    assert own.mean.dtype == own.log_precision.dtype == np.float32
    eta = UNIT.field(own)
    np.testing.assert_allclose(UNIT.mean(eta), [1, 2, 3], rtol=1e-6)
    np.testing.assert_allclose(1 / eta.precision, [0.5, 1, 4], rtol=1e-6)
    assert_trees(UNIT.init(), Normal(np.zeros(3), np.zeros(3)))


@pytest.mark.parametrize("precision", ["fixed", "scalar", "diagonal"])
def test_gradient(precision):
    unit = Gaussian(3, precision)
    # What neighbors send stays the same when parameters move, unlike their field.
    expected = numerical_gradient(
        lambda own: unit.log_weight(unit.field(own, RECEIVED), X).mean(), OWN
    )
    grad = unit.param_grad(OWN, X, lambda: RECEIVED)
    np.testing.assert_allclose(grad.mean.mean(axis=0), expected.mean, atol=1e-8)
    by_log = {
        "fixed": np.zeros(3),
        "scalar": np.full(3, expected.log_precision.mean()),
        "diagonal": expected.log_precision,
    }[precision]
    np.testing.assert_allclose(grad.log_precision.mean(axis=0), by_log, atol=1e-8)


def test_fixed_precisions_need_nothing_received():
    def unexpected():
        raise AssertionError

    Gaussian(3, "fixed").param_grad(OWN, X, unexpected)


def test_types_are_kept():
    own = Normal(*(part.astype(np.float32) for part in OWN))
    x, received = X.astype(np.float32), RECEIVED.astype(np.float32)
    eta = UNIT.field(own, received)
    for precision in ("fixed", "scalar", "diagonal"):
        grad = Gaussian(3, precision).param_grad(own, x, lambda: received)
        assert {part.dtype for part in arrays(grad)} == {np.dtype(np.float32)}
    made = UNIT.mean(eta), UNIT.statistic(own, x), *eta
    assert {part.dtype for part in made} == {np.dtype(np.float32)}
    summed = UNIT.log_partition(eta), UNIT.log_weight(eta, x)
    assert {part.dtype for part in summed} == {np.dtype(np.float64)}


def test_precision_has_a_limit():
    own = Normal(np.zeros(3), np.array([-5.0, 1.0, 5.0]))
    Gaussian(3).constrain(own)
    np.testing.assert_array_equal(own.log_precision, [-5, 1, 5])
    Gaussian(3, min_variance=0.1).constrain(own)
    np.testing.assert_allclose(own.log_precision, [-5, 1, np.log(10)])


@pytest.mark.parametrize("own", [OWN, Normal(np.tile(OWN.mean, (4, 1)), OWN[1])])
def test_log_partition_of_sums_is_that_of_each_pair(own):
    others = np.random.default_rng(2).normal(size=(5, 3))
    found = UNIT.log_partition_of_sums(own, RECEIVED, others)
    pairs = RECEIVED[:, None] + others
    expected = UNIT.log_partition(UNIT.field(OWN, pairs))
    np.testing.assert_allclose(found, expected)
    alone = UNIT.log_partition_of_sums(own, RECEIVED, 0)
    np.testing.assert_allclose(alone[:, 0], UNIT.log_partition(ETA))
