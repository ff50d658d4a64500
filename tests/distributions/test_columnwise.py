"""Units of one natural parameter each: sums and integrals, moments of draws."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from skdgm.distributions import (
    Binomial,
    Interval,
    Normal,
    Poisson,
    Rectified,
    Truncated,
    UnitNormal,
)
from skdgm.distributions.gaussian import Natural
from skdgm.utils.random import stream
from tests.distributions.cases import FiniteUnitCase, UnitCase
from tests.numerical import assert_means

RNG = np.random.default_rng(0)
OWN, RECEIVED = np.array([0.3, -1.0, 0.5]), RNG.normal(size=(4, 3))


class OpenCase(UnitCase):
    """Units of infinitely many states: sums or integrals, entry by entry."""

    own, received = OWN, RECEIVED
    support = -np.inf, np.inf

    def of_each(self, received):
        """Integrals of the weights of each entry."""
        one = type(self.unit)(1)

        def weight(x, eta):
            return np.exp(one.log_weight(np.array([[eta]]), np.array([[x]]))[0])

        eta = self.unit.field(self.own, received)
        if self.support == "counts":
            found = [sum(weight(x, e) for x in range(60)) for e in eta]
        else:
            found = [quad(weight, *self.support, args=(e,))[0] for e in eta]
        return np.log(found)

    def log_total(self, received, agree=None):
        if agree is None:
            return self.of_each(received).sum()
        # Which entries are held, and at what, is read off one state after another.
        mask, x = agree.__closure__[0].cell_contents, agree.__closure__[1].cell_contents
        eta = self.unit.field(self.own, received)
        known = eta * x + self.unit.log_base(x)
        return np.where(mask, known, self.of_each(received)).sum()


class TestPoisson(OpenCase):
    unit, support = Poisson(3), "counts"
    x, moments = np.array([[0.0, 1, 5], [2, 0, 3], [1, 1, 1], [7, 0, 0]]), [0.5, 2, 9]


class TestPoissonWithGains(TestPoisson):
    unit = Poisson(3, (0.5, 1.0, 0.25))


class TestUnitNormal(OpenCase):
    unit, x, moments = UnitNormal(3), RNG.normal(size=(4, 3)), [0.5, -2, 1]

    def test_initial_parameters(self):
        np.testing.assert_array_equal(self.unit.init(self.moments), self.moments)


class TestTruncated(UnitCase):
    unit = Truncated(3)
    own, received = Normal(OWN, np.array([0.2, -0.5, 0.9])), RECEIVED
    x, moments = abs(RNG.normal(size=(4, 3))), ([0.1, 0.8, 3.0], 0.5)

    def of_each(self, received):
        one, found = Truncated(1), []

        def weight(x, theta, precision):
            eta = Natural(np.array([theta]), np.array([precision]))
            return np.exp(one.log_weight(eta, np.array([x])))

        for own in zip(*self.unit.field(self.own, received)):
            found.append(quad(weight, 0, 20, args=own)[0])
        return np.log(found)

    def log_total(self, received, agree=None):
        if agree is None:
            return self.of_each(received).sum()
        mask, x = agree.__closure__[0].cell_contents, agree.__closure__[1].cell_contents
        theta, precision = self.unit.field(self.own, received)
        known = theta * x - 0.5 * precision * x**2
        return np.where(mask, known, self.of_each(received)).sum()

    def test_values_below_zero_have_no_weight(self):
        assert self.unit.log_weight(self.eta, -self.x).max() == -np.inf


class TestRectified(OpenCase):
    unit, support = Rectified(3), (0, np.inf)
    x, moments = abs(RNG.normal(size=(4, 3))), [0.1, 0.8, 3.0]


class TestInterval(OpenCase):
    unit, support = Interval(3), (0, 1)
    x, moments = RNG.random((4, 3)), [0.1, 0.5, 0.97]


class TestBinomial(FiniteUnitCase):
    unit, own, received = Binomial(3, (2, 1, 4)), OWN, RECEIVED
    x, moments = np.array([[0.0, 1, 4], [2, 0, 3], [1, 1, 1], [2, 0, 0]]), [0.4, 0.5, 3]

    def test_ends(self):
        gained = self.unit._replace(gain=(1.0, 2.0, 0.5))
        np.testing.assert_array_equal(gained.ends[1], [2, 2, 2])
        assert gained.only(np.array([0, 2])) == Binomial(2, (2, 4), (1.0, 0.5))

    def test_draws_have_the_log_probabilities(self):
        self.moments = np.array(self.moments)
        super().test_draws_have_the_log_probabilities()


def test_binomials_have_their_probabilities():
    x = Binomial(1, 40).states(np.arange(41))
    found = Binomial(1, 40).log_prob(np.full((41, 1), 12.0), x)
    np.testing.assert_allclose(found, stats.binom(40, 0.3).logpmf(x[:, 0]))
    eta = np.full((20_000, 1), np.log(3 / 7))
    for n in (32, 40, 3000):
        drawn, _ = Binomial(1, n).sample(eta, stream(n).rows(20_000))
        assert_means(drawn, 0.3 * n)
        assert drawn.var() == pytest.approx(0.21 * n, rel=0.05)
        assert (drawn == np.rint(drawn)).all()


FAR = np.array([[-1e4, -50.0, -1e-3, 0.0, 1e-3, 50.0, 1e4]])


@pytest.mark.parametrize("kind", [Interval, Rectified])
def test_formulas_hold_far_out_and_near_zero(kind):
    unit, around = kind(7), np.array([1e-4])
    mean, x = unit.mean(FAR), unit.draw_each(FAR, stream(0))
    assert np.isfinite(mean).all()
    assert np.isfinite(x).all()
    assert (np.diff(mean[0]) >= 0).all()
    slope = unit.log_partitions(FAR + around) - unit.log_partitions(FAR - around)
    near = abs(FAR) < 100
    np.testing.assert_allclose((slope / 2e-4)[near], mean[near], rtol=1e-4, atol=1e-6)
    assert unit.mean(FAR.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("eta", [-60.0, -3.0, -0.009, 0.011, 2.0, 30.0])
@pytest.mark.parametrize("kind", [Interval, Rectified])
def test_draws_have_the_distribution(kind, eta):
    unit, field = kind(1), np.full((20_000, 1), eta)
    x, mean = unit.sample(field, stream(1).rows(20_000))
    assert_means(x, mean[0])
    around = np.array([[eta - 1e-4], [eta + 1e-4]])
    low, high = unit.mean(around)[:, 0]
    # The variance is the derivative of the mean.
    assert x.var() == pytest.approx((high - low) / 2e-4, rel=0.06)


def test_rectified_units_are_truncated_normal_ones():
    eta = np.linspace(-8, 5, 9)
    truncated = stats.truncnorm(-eta, np.inf, loc=eta)
    np.testing.assert_allclose(Rectified(9).mean(eta), truncated.mean(), rtol=1e-6)


@pytest.mark.parametrize("unit", [Poisson(1), UnitNormal(1), Rectified(1), Interval(1)])
def test_grids_integrate(unit):
    x, log_weight = unit.grid(high=12.0)
    for eta in (-2.0, 0.0, 1.5):
        eta = np.array([[eta]])
        log_p = unit.log_weight(eta, x[:, None]) + log_weight
        total = np.logaddexp.reduce(log_p)
        np.testing.assert_allclose(total, unit.log_partition(eta)[0], 1e-6, 1e-12)


@pytest.mark.parametrize("unit", [Poisson(1), UnitNormal(1), Rectified(1)])
def test_grids_reach_as_far_as_means(unit):
    x, log_weight = unit.grid(high=50.0)
    eta = np.array([[np.log(50.0) if isinstance(unit, Poisson) else 50.0]])
    total = np.logaddexp.reduce(unit.log_weight(eta, x[:, None]) + log_weight)
    np.testing.assert_allclose(total, unit.log_partition(eta)[0], 1e-9)


def test_binomial_grids_are_their_values():
    x, log_weight = Binomial(2, (3, 5)).grid()
    np.testing.assert_array_equal(x, range(6))
    assert not log_weight.any()
