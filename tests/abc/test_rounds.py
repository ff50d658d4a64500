"""Rounds of simulations for flows, and flows of summaries given parameters."""

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, clone

from skdgm import ABC, Flow, load, save
from skdgm.abc import _rounds
from skdgm.abc._likelihood import LikelihoodPosterior
from skdgm.abc._priors import Priors
from skdgm.abc._rounds import PriorRegion
from skdgm.exceptions import DivergenceError, SimulationWarning
from skdgm.utils.random import stream

# Standard errors that a moment may be off.
ERRORS = 4
X = np.full((5, 2), 0.5)


def normal(theta, rng):
    return rng.normal(theta[0], 1, size=(5, 2))


def partly(theta, rng):
    """No number in half of the cases where the parameter is positive."""
    fails = theta[0] > 0 and rng.random() < 0.5
    return np.full((5, 2), np.nan) if fails else normal(theta, rng)


def untrained(**options):
    """A linear regression with normal noise."""
    return Flow(attribute_conditional=True, base="normal", n_iter=0, **options)


def fitted(method="likelihood", simulator=normal, priors=None, **options):
    abc = ABC(simulator, priors or stats.norm(), np.mean, method=method)
    abc.set_params(estimator=untrained(), n_simulations=1500, random_state=0)
    return abc.set_params(**options).fit(X)


# Posterior of the mean of 10 normal numbers with a standard normal prior.
EXACT = stats.norm(10 / 11 * 0.5, 11**-0.5)


class Known:
    """A posterior in closed form."""

    def __init__(self, exact):
        self.exact = exact

    def draw(self, priors, n, source, minimum=None):
        return self.exact.rvs(size=(n, 1), random_state=source)

    def log_prob(self, priors, theta):
        return self.exact.logpdf(theta[:, 0])


@pytest.mark.parametrize("n_rounds", [1, 3])
@pytest.mark.parametrize("method", ["flow", "likelihood"])
def test_posteriors_in_rounds_are_exact(method, n_rounds):
    abc = fitted(method, n_rounds=n_rounds, n_particles=2000)
    for draws in (abc.particles_, abc.sample(2000, random_state=1)):
        # Errors of the regression, too.
        assert abs(draws.mean() - EXACT.mean()) < 0.05
        assert abs(draws.std() / EXACT.std() - 1) < 0.1
    if (method, n_rounds) != ("flow", 3):
        theta = np.linspace(-0.15, 1.05, 30)
        density = abc.log_prob(theta[:, None])
        np.testing.assert_allclose(density, EXACT.logpdf(theta), atol=0.15)
    assert abc.n_simulations_ == 1500
    assert abc.particles_.shape == (2000, 1)


def test_simulations_are_closer_in_later_rounds(monkeypatch):
    seen = []

    class Recorder(Flow):
        def fit(self, X, y=None, sample_weight=None):
            seen.append((X, y))
            return super().fit(X, y, sample_weight)

    monkeypatch.setattr(_rounds, "LEAST", 50)
    flow = Recorder(attribute_conditional=True, base="normal", n_iter=0)
    options = {"estimator": flow, "n_rounds": 3, "n_simulations": 1000}
    fitted("likelihood", **options)
    assert [len(theta) for _, theta in seen] == [333, 666, 1000]
    stds = [theta[-333:].std() for _, theta in seen]
    assert stds[0] > 0.9
    assert max(stds[1:]) < 1.3 * EXACT.std()
    seen.clear()
    fitted("flow", quantile=1, **options)
    first, *later = (theta for theta, _ in seen)
    assert len(first) == 333
    # The prior within four deviations of the posterior, but for errors of its scale.
    assert np.ptp(first) > 16 * EXACT.std()
    assert all(np.ptp(theta) < 12 * EXACT.std() for theta in later)
    assert 333 + 334 < len(later[-1]) < 1000
    seen.clear()
    fitted("flow", quantile=0.5, **options)
    assert len(seen[-1][0]) < 520


def test_rounds_are_printed(capsys):
    fitted(n_rounds=3, verbose=2)
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines[0].split()[1:3] == ["500/1500", "500"]
    assert lines[-1].split()[1:3] == ["1500/1500", "1500"]


@pytest.mark.parametrize("method", ["flow", "likelihood"])
def test_results_do_not_depend_on_the_number_of_processes(method):
    one, two = (fitted(method, n_rounds=2, n_jobs=n_jobs) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one.particles_, two.particles_)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"method": "smc", "n_rounds": 2}, "n_rounds=2 is for flows"),
        ({"n_rounds": 1501}, "must not exceed n_simulations=1500"),
        ({"quantile": 0.5}, "learns from all simulations, and quantile=0.5"),
        ({"tolerance": 0.5}, 'method="likelihood" has no tolerance'),
        ({"distance": max}, 'method="likelihood" needs summaries'),
        ({"estimator": stats.gaussian_kde}, "estimator"),
    ],
)
def test_options_that_contradict_each_other(options, text):
    with pytest.raises(ValueError, match=text):
        fitted(**options)


def test_an_estimator_of_likelihoods_has_scores():
    class Draws:
        def fit(self, X, y):
            return self

        def sample(self, n):
            return None

    with pytest.raises(ValueError, match="needs an estimator with score_samples"):
        fitted(estimator=Draws())


@pytest.mark.parametrize("method", ["flow", "likelihood"])
def test_only_one_round_is_valid_for_other_data(method):
    other = fitted(method, quantile=1).condition(np.full((5, 2), -1.0), random_state=0)
    assert abs(other.particles_.mean() + 10 / 11) < 0.05
    exact = stats.norm(-10 / 11, 11**-0.5).logpdf([-1.0, -0.5])
    np.testing.assert_allclose(other.log_prob([[-1.0], [-0.5]]), exact, atol=0.15)
    with pytest.raises(ValueError, match=r"n_rounds=2 .* learned only .* n_rounds=1"):
        fitted(method, quantile=1, n_rounds=2).condition(X)


@pytest.mark.parametrize("n_rounds", [1, 2])
def test_likelihoods_are_calibrated(n_rounds):
    abc = fitted(n_rounds=n_rounds, n_simulations=600)
    checked = abc.calibration(10, 40, random_state=0)
    assert checked.ranks.shape == (10, 1)
    assert checked.p_values() > 1e-3


@pytest.mark.parametrize("n_rounds", [1, 3])
def test_failures_are_part_of_a_likelihood(n_rounds):
    with pytest.warns(SimulationWarning, match="gave NaN"):
        abc = fitted(simulator=partly, n_rounds=n_rounds, n_simulations=4000)
    grid = np.linspace(-2, 2, 4001)
    weight = EXACT.pdf(grid) * np.where(grid > 0, 0.5, 1)
    positive = weight[grid > 0].sum() / weight.sum()
    share = (abc.sample(4000, random_state=0) > 0).mean()
    error = (positive * (1 - positive) / 4000) ** 0.5
    assert abs(share - positive) < ERRORS * error + 0.03
    # Without failures.
    assert 1 - EXACT.cdf(0) > positive + 0.05


def test_whole_summaries_have_probabilities():
    def heads(theta, rng):
        return [[rng.binomial(6, theta[0])]]

    abc = ABC(heads, stats.beta(2, 3), method="likelihood", random_state=0)
    flow = Flow(attribute_conditional=True, base="normal", n_bins=5, n_iter=40)
    abc.set_params(estimator=flow, n_simulations=3000, n_particles=4000).fit([[2]])
    exact = stats.beta(4, 7)
    assert abs(abc.particles_.mean() - exact.mean()) < 0.2 * exact.std()
    assert abs(abc.particles_.std() / exact.std() - 1) < 0.15


def test_large_counts_have_noise(monkeypatch):
    def counts(theta, rng):
        return [rng.poisson(theta[0] * np.array([50.0, 300.0, 1000.0]))]

    rows = []

    def record(models, summaries, theta, rng):
        rows.append(summaries)
        raise InterruptedError

    monkeypatch.setattr("skdgm.abc._rounds._fit", record)
    abc = ABC(counts, stats.gamma(4, scale=0.3), method="likelihood", random_state=0)
    with pytest.raises(InterruptedError):
        abc.set_params(n_simulations=3000).fit([[60, 360, 1200]])
    assert (rows[0] % 1 != 0).all(axis=1).mean() > 0.99


class Modes(LikelihoodPosterior):
    """A likelihood with two modes of unequal mass, and a wall."""

    def log_likelihood(self, log_prior, theta):
        modes = stats.norm.pdf(theta, [[-3, 3]], [[0.1, 0.2]])
        log_p = np.log(modes @ [1.0, 3.0] + 1e-300)
        return np.where((log_prior > -np.inf) & (theta[:, 0] < 3), log_p, -np.inf)


def test_tempering_finds_modes_by_their_mass():
    posterior = Modes(None, np.zeros((1, 1)), None)
    priors, source = Priors(stats.uniform(-10, 20)), np.random.RandomState(0)
    theta, known = posterior.normalized(priors, 4000, source)
    evidence = (1 + 3 / 2) / 20
    assert abs(known.log_evidence - np.log(evidence)) < 0.15
    assert abs((theta < 0).mean() - 0.4) < 0.06
    assert abs(theta[theta < 0].std() / 0.1 - 1) < 0.1
    assert theta.max() < 3
    assert len(posterior.draw(priors, 3, source)) == 3
    grid = np.linspace(-10, 10, 20_001)[:, None]
    assert abs(np.exp(known.log_prob(priors, grid)).sum() * 0.001 - 1) < 0.15


def test_impossible_data_are_an_error():
    posterior = Modes(None, np.zeros((1, 1)), None)
    priors, source = Priors(stats.uniform(5, 1)), np.random.RandomState(0)
    with pytest.raises(ValueError, match="no draw from the priors a positive"):
        posterior.draw(priors, 5, source)


@pytest.mark.parametrize("scale", [1.0, 500.0])
def test_a_region_truncates_the_prior(scale):
    """By rejection, and by resampling where most draws are rejected."""
    prior, source = stats.norm(0, scale), np.random.RandomState(0)
    region = PriorRegion(Priors(prior))
    assert region.contains(np.full((2, 1), 1e9)).all()
    region.cut(Known(stats.norm(0.3, 0.1)), source)
    low, high = stats.norm(0.3, 0.1).interval(0.9999)
    theta = region.draw(400, source)
    assert len(theta) == 400
    assert theta.min() > low - 0.05
    assert theta.max() < high + 0.05
    # The density of the prior there, which is almost constant.
    exact = stats.truncnorm(low / scale, high / scale, scale=scale)
    error = exact.std() / 20
    assert abs(theta.mean() - exact.mean()) < ERRORS * error
    assert abs(theta.std() / exact.std() - 1) < 0.15
    # Regions are nested.
    region.cut(Known(stats.norm(0.5, 0.1)), source)
    assert not region.contains(np.array([[0.0], [high + 0.1]])).any()


class Loss(BaseEstimator):
    """A model with a held-out loss, or of a training that diverges."""

    def __init__(self, loss, random_state=None):
        self.loss, self.random_state = loss, random_state

    def fit(self, X, y):
        if self.loss is None:
            raise DivergenceError("diverged")
        self.validation_curve_ = [9.0, self.loss, 9.0]
        return self


def test_the_flow_with_the_least_held_out_loss_is_chosen():
    def chosen(*losses):
        rows = np.zeros((3, 1))
        models = [Loss(loss) for loss in losses]
        return _rounds._fit(models, rows, rows, stream(0)).loss

    assert chosen(2.0, 1.0, 3.0) == 1.0
    assert chosen(None, 2.0) == chosen(2.0, None) == 2.0
    with pytest.raises(DivergenceError):
        chosen(None, None)


def test_the_default_flows_of_a_likelihood():
    abc = ABC(normal, stats.norm(), np.mean, method="likelihood", random_state=0)
    flows = abc._flows()
    assert [flow.layer_type for flow in flows] == ["spline", "affine"]
    assert all(flow.autoregressive and flow.activation == "relu" for flow in flows)
    abc.set_params(n_simulations=60, n_particles=20).fit(X)
    assert abc.estimator_.autoregressive


def test_files_have_likelihoods(tmp_path):
    abc = fitted(n_rounds=2)
    draws = abc.sample(20, random_state=0)
    save(abc.set_params(simulator=None, priors=None, summary=None), tmp_path / "abc")
    again = load(tmp_path / "abc")
    assert np.isin(again.sample(20, random_state=0), abc.particles_).all()
    again.set_params(priors=stats.norm())
    np.testing.assert_array_equal(again.sample(20, random_state=0), draws)
    # Another method forgets them.
    again.set_params(method="smc", n_rounds=1, simulator=normal, summary=np.mean)
    assert not hasattr(clone(again).fit(X), "estimator_")
