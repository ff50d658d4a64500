"""Particles, kernels, regressions and the simulations that a flow sees, by hand."""

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator

from skdgm import ABC
from skdgm.abc import _rounds
from skdgm.abc._checks import warn_of_few
from skdgm.abc._neural import SimulationSupport
from skdgm.abc._particles import ParameterParticles, ProposalKernel, regressed, within
from skdgm.abc._priors import Priors
from skdgm.abc._simulations import Digest, _scales
from skdgm.exceptions import FewDrawsWarning

RNG = np.random.default_rng(0)
THETA = RNG.normal(size=(6, 2))


def particles(distance, weight=None, generation=None, gaps=None, theta=None):
    n = len(distance)
    return ParameterParticles(
        np.arange(n)[:, None] * 1.0 if theta is None else theta,
        np.ones(n) if weight is None else np.array(weight),
        np.array(distance, float),
        gaps,
        np.zeros(n, int) if generation is None else np.array(generation),
    )


@pytest.mark.parametrize(
    "n, tolerance, kept, limit",
    [
        (2, 0.0, [1, 3], 2),
        (3, 0.0, [0, 1, 3, 4], 3),  # As near as the third.
        (2, 3.5, [0, 1, 3, 4], 3),
        (2, 3.0, [0, 1, 3, 4], 3),
        (9, 0.0, [0, 1, 3, 4, 5], 5),
    ],
)
def test_the_nearest_are_kept(n, tolerance, kept, limit):
    given = particles([3, 1, np.inf, 2, 3, 5])
    found, largest = given.nearest(n, tolerance)
    assert found.theta.ravel().tolist() == kept
    assert largest == limit


def test_generations_are_joined_by_effective_sizes():
    given = particles([0, 0, 0, 0], [1, 1, 1, 3], [0, 0, 1, 1])
    # Sizes are 2 and 16 / 10, shares of the generations as these.
    expected = np.array([1, 1, 0.8 * 0.5, 0.8 * 1.5])
    np.testing.assert_allclose(given.balanced(), expected / expected.sum())
    none = particles([0, 0], [1, 0], [0, 1])
    np.testing.assert_allclose(none.balanced(), [1, 0])


def test_a_kernel_is_a_mixture_with_twice_the_covariance():
    weight = np.arange(1, 7) / 21
    floor = np.array([0.0, 0.5])
    kernel = ProposalKernel(THETA, weight, floor)
    own = np.cov(THETA.T, aweights=weight, ddof=0)
    covariance = 2 * own + np.diag(floor**2)
    np.testing.assert_allclose(kernel.root @ kernel.root.T, covariance)
    at = RNG.normal(size=(5, 2))
    parts = [stats.multivariate_normal(row, covariance).pdf(at) for row in THETA]
    gap = kernel.log_prob(at) - np.log(weight @ parts)
    np.testing.assert_allclose(gap, gap[0])
    drawn = kernel.draw(20_000, np.random.default_rng(1))
    np.testing.assert_allclose(drawn.mean(axis=0), weight @ THETA, atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), covariance + own, atol=0.1)


def test_a_regression_moves_parameters_to_the_data():
    gaps = np.array([[0.5], [-1.0], [0.25], [2.0]])
    theta = 3 + gaps @ [[2.0, -1.0]]
    given = particles(abs(gaps).ravel(), gaps=gaps, theta=theta)
    moved, weight = regressed(given, np.full(4, 0.25), 2.0)
    np.testing.assert_allclose(moved, 3)
    expected = 1 - (gaps.ravel() / 2) ** 2
    np.testing.assert_allclose(weight, expected / expected.sum(), atol=1e-15)
    # The farthest has no weight, and two others are too few for a line.
    with pytest.raises(ValueError, match="more than 2 particles for 1 .* are 2"):
        regressed(given.take([0, 1, 3]), np.full(3, 1 / 3), 2.0)
    same = given._replace(distance=np.zeros(4))
    assert regressed(same, weight, 0.0)[0] is same.theta


def test_draws_within_priors_come_with_their_densities():
    priors = Priors({"a": stats.uniform(0, 2), "b": stats.norm(1, 2)})
    queue = [[[0.5, 1], [3, 1]], [[1.5, 3], [-1, 0], [1, 2]]]
    found, log_p, share = within(priors, lambda n: np.array(queue.pop(0), float), 2)
    np.testing.assert_array_equal(found, [[0.5, 1], [1.5, 3]])
    # Three of five draws are possible, of two rounds of two that were asked for.
    assert share == 3 / 4
    expected = np.log(0.5) + stats.norm.logpdf(found[:, 1], 1, 2)
    np.testing.assert_allclose(log_p, expected)
    queue = [[[0.5, 1], [1.5, 3]]] * 100
    found, _, _ = within(
        priors, lambda n: np.array(queue.pop()), 101, lambda t: t[:, 0] > 1
    )
    np.testing.assert_array_equal(found, [[1.5, 3]] * 100)


def test_scales_are_median_deviations():
    found = np.array([[0.0, 0, 4], [1, 0, 4], [4, 0, 4], [9, 8, 4], [np.nan, 1, 1]])
    np.testing.assert_allclose(_scales(found), [2.0, 2.0, 1.0])
    np.testing.assert_allclose(_scales(found[4:]), 1)


def test_parameters_next_to_simulations_that_gave_numbers():
    theta = np.arange(40.0)[:, None]
    support = SimulationSupport.of(theta, theta[:, 0] >= 20)
    assert support.scale == np.std(theta[20:])
    # The least share of the ten next to one, of those that gave numbers: at the edge.
    assert support.min_rate == 0.5
    possible = support.possible()
    assert possible(np.array([[-5.0], [17.4], [20.6], [33.0]])).tolist() == [0, 0, 1, 1]
    # As near to the edge as a simulation that gave numbers.
    assert possible(np.array([[19.6]])).tolist() == [1]
    one = SimulationSupport.of(theta, theta[:, 0] == 3)
    assert one.scale == 1
    assert one.min_rate == 0


class Recorder(BaseEstimator):
    """Keeps the simulations that it is fitted to, and draws normal numbers."""

    def __init__(self, attribute_types="auto", random_state=None):
        self.attribute_types, self.random_state = attribute_types, random_state

    def fit(self, X, y):
        self.X_, self.y_ = X, y
        return self

    def sample(self, n_samples, random_state, y):
        assert (y == [[1.0, 4.0]]).all()
        return random_state.normal(size=(n_samples, 1))


def test_a_flow_sees_summaries_of_the_nearest_simulations(monkeypatch):
    def simulate(theta, rng):
        return [[theta[0], 2 * theta[0]]]

    def fitted(**options):
        abc = ABC(simulate, stats.norm(), lambda x: np.ravel(x) + [0, 2], method="flow")
        abc.set_params(estimator=Recorder(), n_particles=7, n_simulations=50)
        return abc.set_params(random_state=0, **options).fit([[1.0, 2.0]])

    every = fitted(quantile=1)
    assert len(every.estimator_.X_) == 50
    monkeypatch.setattr(_rounds, "LEAST", 5)
    monkeypatch.setattr(_rounds, "DEFAULT_LEAST", 5)
    for quantile, n in ("auto", 5), (0.1, 5), (0.21, 11), (0.02, 5):
        flow = fitted(quantile=quantile).estimator_
        assert len(flow.X_) == n
        np.testing.assert_allclose(flow.y_, np.hstack([flow.X_, 2 * flow.X_ + 2]))
        near = np.sort(abs(every.estimator_.X_.ravel() - 1))[:n]
        np.testing.assert_allclose(np.sort(abs(flow.X_.ravel() - 1)), near)
    assert flow.attribute_types == ("gaussian",) * 2
    assert isinstance(flow.random_state, int)
    assert every.particles_.shape == (7, 1)
    np.testing.assert_allclose(every.weights_, 1 / 7)


def test_the_default_flow_is_of_parameters_given_summaries():
    abc = ABC(lambda t, rng: [[rng.normal(t[0])]], stats.norm(), method="flow")
    abc.set_params(n_particles=5, n_simulations=20, random_state=0).fit([[1.0]])
    assert abc.estimator_.attribute_conditional
    assert abc.estimator_.base == "normal"


@pytest.mark.parametrize("effective, warns", [(4.9, True), (5.0, False)])
def test_particles_of_which_few_count(effective, warns, recwarn):
    abc = ABC(n_particles=100)
    abc.weights_, abc.n_effective_ = np.full(100, 0.01), effective
    warn_of_few(abc)
    assert [one.category for one in recwarn] == [FewDrawsWarning] * warns


def test_a_tolerance_that_is_reached_ends_the_populations():
    def fitted(tolerance):
        abc = ABC(lambda t, rng: [[t[0]]], stats.norm(), n_particles=20)
        abc.set_params(n_simulations=400, random_state=0, tolerance=tolerance)
        return abc.fit([[0.0]])

    abc = fitted(0.3)
    assert abc.tolerances_[-1] <= 0.3
    assert (abc.tolerances_[:-1] > 0.3).all()
    assert abc.n_simulations_ < 400
    # Half of old and new ones are kept: so many are new in each population.
    assert abc.n_simulations_ == 40 + 20 * (len(abc.tolerances_) - 1)
    assert fitted(0.0).n_simulations_ == 400
    # All within a wide one are kept.
    assert len(fitted(2.0).particles_) > 30


def test_priors_of_several_parameters_have_columns_in_their_places():
    priors = Priors([stats.norm(9), stats.multivariate_normal([0, 50])])
    theta = priors.draw(40, np.random.default_rng(0))
    np.testing.assert_allclose(theta.mean(axis=0), [9, 0, 50], atol=0.7)
    assert priors.names == ["theta0", "theta1", "theta2"]


def test_named_priors_number_the_parameters_of_vectors():
    named = {"scale": stats.norm(9), "place": stats.multivariate_normal([0, 50])}
    assert Priors(named).names == ["scale", "place0", "place1"]


@pytest.mark.parametrize(
    ("summary", "name"), [(None, "data"), (np.cumsum, "summaries")]
)
def test_simulations_of_another_shape_are_named(summary, name):
    digest = Digest(summary, "euclidean", np.zeros(3))
    np.testing.assert_array_equal(digest(np.ones(3)).shape, (3,))
    with pytest.raises(ValueError, match=rf"Simulated {name} are of shape \(2,\)"):
        digest(np.ones(2))
