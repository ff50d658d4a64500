"""Densities, simulated data and calibration of posteriors."""

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skdgm import ABC, Flow
from skdgm.abc import Calibration
from skdgm.abc._calibration import ranks
from skdgm.abc._priors import Priors

# Standard errors that a moment may be off.
ERRORS = 4


def normal(theta, rng):
    return rng.normal(theta[0], 1, size=(5, 2))


def partly(theta, rng):
    """No number in a part of the prior's range."""
    return rng.normal(theta[0], 1, size=(5, 2)) if theta[0] > -0.5 else [[np.nan] * 2]


@pytest.fixture(scope="module")
def linear():
    """A flow that remains a linear regression, which is exact for a normal prior."""
    flow = Flow(attribute_conditional=True, base="normal", n_iter=0)
    abc = ABC(normal, stats.norm(), np.mean, method="flow", estimator=flow, quantile=1)
    abc.set_params(n_simulations=4000, random_state=0)
    return abc.fit(np.full((5, 2), 0.5))


def test_the_density_of_a_flow_beside_the_exact_one(linear):
    theta = np.linspace(-0.15, 1.05, 30)[:, None]
    exact = stats.norm.logpdf(theta[:, 0], 10 / 11 * 0.5, 11**-0.5)
    np.testing.assert_allclose(linear.log_prob(theta), exact, atol=0.15)


def test_densities_within_priors_integrate_to_one():
    flow = Flow(attribute_conditional=True, base="normal", n_iter=0)
    abc = ABC(normal, stats.uniform(-1, 2), np.mean, method="flow", estimator=flow)
    abc.set_params(n_simulations=3000, quantile=1, random_state=0)
    abc.fit(np.full((5, 2), 0.9))
    grid = np.linspace(-1.5, 1.5, 3001)
    density = np.exp(abc.log_prob(grid[:, None]))
    assert (density[np.abs(grid) > 1] == 0).all()
    share = abc._posterior.share
    assert share < 0.95
    error = ERRORS * (share * (1 - share) / 1000) ** 0.5 / share
    assert abs(density.sum() * 0.001 - 1) < error


def test_densities_are_zero_where_simulations_fail():
    flow = Flow(attribute_conditional=True, base="normal", n_iter=0)
    abc = ABC(partly, stats.norm(), np.mean, method="flow", estimator=flow)
    abc.set_params(n_simulations=2000, random_state=0, n_particles=100)
    with pytest.warns(UserWarning, match="gave NaN"):
        abc.fit(np.full((5, 2), 0.5))
    log_p = abc.log_prob([[-2.0], [0.5]])
    assert log_p[0] == -np.inf
    assert np.isfinite(log_p[1])


def test_densities_need_a_flow_and_its_parameters(linear):
    with pytest.raises(ValueError, match="theta has 2 columns, but there are 1"):
        linear.log_prob([[0.0, 1.0]])
    with pytest.raises(NotFittedError):
        clone(linear).log_prob([[0.0]])
    with pytest.raises(AttributeError, match="log_prob"):
        ABC(normal, stats.norm()).log_prob([[0.0]])
    without = clone(linear)
    vars(without).update(vars(linear))
    for method, name in (("log_prob", "priors"), ("sample_data", "simulator")):
        without.set_params(**{name: None})
        with pytest.raises(ValueError, match=f"{method} needs {name}: call set_params"):
            getattr(without, method)(*([[[0.0]]] if method == "log_prob" else []))
    with pytest.raises(ValueError, match="calibration needs simulator and priors"):
        without.calibration(2)


def test_data_of_the_posterior_have_its_predictive_moments(linear):
    data = linear.sample_data(2000, random_state=0)
    assert data.shape == (2000, 5, 2)
    mean, variance = 10 / 11 * 0.5, 1 / 11
    means = data.mean(axis=(1, 2))
    deviation = (variance + 0.1) ** 0.5
    # A regression of 4000 simulations has its own error.
    assert abs(means.mean() - mean) < ERRORS * deviation * (1 / 2000 + 1 / 4000) ** 0.5
    assert abs(data.var(axis=(1, 2), ddof=1).mean() - 1) < ERRORS * (2 / 18000) ** 0.5
    assert abs(means.std() / deviation - 1) < ERRORS / 4000**0.5
    again = clone(linear).set_params(n_jobs=2)
    vars(again).update({k: v for k, v in vars(linear).items() if k.endswith("_")})
    again._posterior = linear._posterior
    np.testing.assert_array_equal(again.sample_data(2000, random_state=0), data)


def test_an_exact_flow_is_calibrated(linear):
    found = linear.calibration(200, random_state=0)
    assert isinstance(found, Calibration)
    assert found.ranks.shape == (200, 1)
    assert found.names == ["theta0"]
    assert found.p_values()[0] > 1e-3
    assert abs(found.coverage(0.8)[0] - 0.8) < ERRORS * (0.16 / 200) ** 0.5
    np.testing.assert_array_equal(
        found.ranks, linear.calibration(200, random_state=0).ranks
    )


def test_too_narrow_posteriors_are_found(linear):
    narrow = clone(linear)
    vars(narrow).update(vars(linear))

    class Narrow:
        def draw(self, priors, n, source, minimum):
            return linear._posterior.draw(priors, n, source) * 0.1

        def given(self, summary):
            return self

        is_amortized = True

    narrow._posterior = Narrow()
    found = narrow.calibration(100, random_state=0)
    assert found.p_values()[0] < 1e-6
    assert found.coverage(0.8)[0] < 0.5


def test_clones_are_fitted_where_a_posterior_is_for_its_data_alone():
    abc = ABC(normal, {"a": stats.norm()}, np.mean, method="rejection")
    abc.set_params(n_simulations=500, n_particles=25, random_state=0)
    abc.fit(np.full((5, 2), 0.5))
    found = abc.calibration(40, 39, random_state=0)
    assert found.names == ["a"]
    assert found.p_values()[0] > 1e-3
    # Ranks of 39 draws are multiples of 1/40, at the middle of their bins.
    np.testing.assert_allclose((found.ranks * 40 - 0.5) % 0.5, 0, atol=1e-9)


@pytest.mark.filterwarnings("ignore::skdgm.exceptions.SimulationWarning")
def test_failed_data_sets_are_left_out():
    def seldom(theta, rng):
        return [[np.nan]] if theta[0] < 0 else [[rng.normal(theta[0])]]

    abc = ABC(seldom, stats.norm(), method="rejection", random_state=0)
    abc.set_params(n_simulations=200, n_particles=20).fit([[1.0]])
    assert 5 <= len(abc.calibration(20, 9, random_state=0).ranks) < 20
    abc.set_params(priors=stats.uniform(-2, 1))
    with pytest.raises(ValueError, match="All 3 simulated data sets contain NaN"):
        abc.calibration(3)


def test_ranks_and_coverage_by_hand():
    draws = np.array([[0.0, 1], [1, 1], [2, 1], [3, 5]])
    np.testing.assert_allclose(ranks(np.array([2.5, 1]), draws), [3.5 / 5, 2 / 5])
    found = Calibration(np.array([[0.5], [0.1], [0.99], [0.7]]), ["a"])
    np.testing.assert_array_equal(found.coverage(0.5), [0.5])
    np.testing.assert_array_equal(found.coverage(0.9), [0.75])
    with pytest.raises(ValueError, match="between 0 and 1"):
        found.coverage(1)


def test_impossible_draws_are_an_error_unless_some_are_possible():
    flow = Flow(attribute_conditional=True, base="normal", n_iter=0)
    abc = ABC(normal, stats.uniform(-1, 2), np.mean, method="flow", estimator=flow)
    abc.set_params(n_simulations=1000, quantile=1, random_state=0)
    posterior = abc.fit(np.full((5, 2), 0.5))._posterior
    # Nearly all draws are beyond this prior.
    priors = Priors(stats.uniform(1.2, 2))
    source = np.random.RandomState(0)
    with pytest.raises(ValueError, match="of 2000 parameters that are possible"):
        posterior.draw(priors, 2000, source)
    theta, share = posterior._draw(priors, 2000, source, minimum=1)
    assert 0 < len(theta) < 2000
    assert share < 0.05
    with pytest.raises(ValueError, match="Only 0 of 5"):
        posterior.draw(Priors(stats.uniform(50, 2)), 5, source, minimum=1)


def test_a_flow_of_all_simulations_is_conditioned_on_other_data(linear):
    X = np.full((5, 2), -1.0)
    other = linear.condition(X, random_state=0)
    assert other is not linear
    exact = stats.norm(-10 / 11, 11**-0.5)
    assert abs(other.particles_.mean() - exact.mean()) < 0.05
    assert abs(other.sample(2000, random_state=0).mean() - exact.mean()) < 0.05
    np.testing.assert_allclose(
        other.log_prob([[-1.0], [-0.5]]), exact.logpdf([-1.0, -0.5]), atol=0.15
    )
    # The fitted posterior is not changed.
    assert abs(linear.sample(2000, random_state=0).mean() - 5 / 11) < 0.05
    near = clone(linear).set_params(quantile=0.3).fit(np.full((5, 2), 0.5))
    with pytest.raises(ValueError, match=r"quantile=0.3 learned only .* quantile=1"):
        near.condition(X)
    with pytest.raises(ValueError, match="2 features"):
        linear.condition([[0.0]])


def vector(theta, rng):
    return normal(theta, rng).ravel()


def log_maximum(data):
    """Mean, and log of the maximum, which is infinite if all numbers are negative."""
    return [np.mean(data), np.log(max(0.0, np.max(data)))]


@pytest.mark.filterwarnings("ignore::skdgm.exceptions.SimulationWarning")
@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("is_amortized", [False, True])
def test_calibration_by_vectors_and_summaries_that_may_fail(is_amortized):
    if is_amortized:
        flow = Flow(attribute_conditional=True, base="normal", n_iter=0)
        options = {"method": "flow", "estimator": flow, "quantile": 1}
    else:
        options = {"method": "rejection"}
    abc = ABC(vector, stats.norm(0, 3), log_maximum, n_particles=20, **options)
    abc.set_params(n_simulations=200, random_state=0).fit(np.full((5, 2), 0.5))
    assert abc.sample_data(3, random_state=0).shape == (3, 10)
    found = abc.calibration(30, 9, random_state=0)
    assert 10 <= len(found.ranks) < 30
    if is_amortized:
        with pytest.raises(ValueError, match="Summaries of X must be finite"):
            abc.condition(np.full((5, 2), -0.5))
    abc.set_params(priors=stats.uniform(-9, 1))
    with pytest.raises(ValueError, match="All 3 simulated data sets contain NaN"):
        abc.calibration(3)


def test_a_flow_without_conditions_is_refused_before_simulations():
    def never(theta, rng):
        raise AssertionError("simulated")

    abc = ABC(never, stats.norm(), np.mean, method="flow", estimator=Flow())
    with pytest.raises(ValueError, match="an estimator with attribute_conditional=T"):
        abc.fit(np.zeros((5, 2)))
