import warnings
from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError

from skdgm import BernoulliRBM, BoltzmannMachine
from skdgm.exceptions import LikelihoodWarning
from skdgm.metrics import (
    csl_log_likelihood,
    likelihood_bracket,
    partition_bracket,
    raise_log_likelihood,
)
from tests.metrics.models import MODELS, fitted

EVERY_ROW = np.array(list(product([0.0, 1.0], repeat=6)))
REAL = "real", "real-classifier", "dbn-regressor"
BINARY = sorted(set(MODELS) - set(REAL))
ONE_LAYER = "rbm", "real", "classifier", "real-classifier"
QUICK = {"n_betas": 300, "burn_in": 100, "n_steps": 20}


@pytest.fixture(scope="module", params=MODELS)
def case(request):
    return request.param, *fitted(request.param)


@pytest.mark.parametrize("name", ONE_LAYER)
def test_known_likelihoods_have_no_width(name):
    model, X = fitted(name)
    found = likelihood_bracket(model, X)
    assert found.kind == "exact"
    assert found.lower == found.log_likelihood == found.upper
    # Nothing is annealed, and nothing uncertain: as if all chains counted.
    assert (found.se, found.ess) == (0, 100)
    np.testing.assert_allclose(found.rows, model.score_samples(X))
    X[0, 2] = np.nan
    np.testing.assert_allclose(
        likelihood_bracket(model, X).rows, model.score_samples(X)
    )


@pytest.mark.exhaustive(default=["rbm"])
def test_estimates_are_around_what_is_exact(case):
    _, model, X = case
    exactly = partition_bracket(model)
    found = likelihood_bracket(model, X, max_bits=0, n_chains=200, **QUICK)
    assert found.kind == "estimate"
    assert exactly.lower == exactly.upper
    log_Z = found.log_Z
    assert 0 < log_Z.se < 0.1
    assert abs(log_Z.log_Z - exactly.log_Z) < 4 * log_Z.se
    assert log_Z.lower - 0.02 <= exactly.log_Z <= log_Z.upper + 0.02
    assert found.lower < found.log_likelihood < found.upper
    assert found.rows.mean() == pytest.approx(found.log_likelihood)


@pytest.mark.release(default=["rbm"])
@pytest.mark.parametrize("name", BINARY)
def test_probabilities_of_all_rows_add_up(name):
    model, _ = fitted(name)
    total = np.exp(logsumexp(likelihood_bracket(model, EVERY_ROW, n_draws=2000).rows))
    assert total == pytest.approx(1, abs=1e-5 if name in ONE_LAYER else 0.03)
    # A mixture's add up for any samples.
    given = {"n_samples": 50, "n_steps": 3}
    total = np.exp(logsumexp(csl_log_likelihood(model, EVERY_ROW, **given)))
    assert total == pytest.approx(1, abs=1e-5)
    # The expectation of these is a distribution, that of chains from the base model.
    found, se = raise_log_likelihood(
        model, EVERY_ROW, n_betas=50, n_chains=30, return_se=True
    )
    p = np.exp(found)
    assert abs(p.sum() - 1) < 4 * np.sqrt(((p * se) ** 2).sum()) + 1e-3


@pytest.mark.release
@pytest.mark.parametrize("name", ONE_LAYER)
def test_conservative_likelihoods_come_close(name):
    model, X = fitted(name)
    exactly = model.score_samples(X[:10])
    found, se = raise_log_likelihood(
        model, X[:10], n_betas=200, n_chains=20, return_se=True
    )
    assert (np.abs(found - exactly) < 5 * se + 0.03).all()
    many = csl_log_likelihood(model, X[:10], n_samples=4000, n_steps=100)
    np.testing.assert_allclose(many, exactly, atol=0.15)
    given = {"n_samples": 5, "n_steps": 30}
    few = [
        csl_log_likelihood(model, X[:10], random_state=seed, **given).mean()
        for seed in range(20)
    ]
    assert np.mean(few) < exactly.mean()


def test_models_without_the_means_of_the_data_are_warned_of():
    X = np.random.default_rng(0).binomial(1, 0.3, (200, 30))
    rbm = BernoulliRBM(25, n_iter=0, random_state=0).fit(X)
    assert partition_bracket(rbm, **QUICK).means[0].mean() == pytest.approx(
        0.3, abs=0.1
    )
    rbm.intercept_visible_ = rbm.intercept_visible_ + 2
    with pytest.warns(LikelihoodWarning, match="do not have the means of the data"):
        partition_bracket(rbm, **QUICK)


@pytest.mark.exhaustive
def test_the_same_at_each_call_and_another_for_another_seed():
    model, X = fitted("rbm")
    options = {"max_bits": 0, **QUICK}
    first, again, other, same = (
        partition_bracket(model, random_state=seed, **options).forward.log_w
        for seed in (None, None, 1, 1)
    )
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(other, same)
    assert (first != other).any()
    jobs = partition_bracket(model, n_jobs=2, **options).forward.log_w
    np.testing.assert_array_equal(first, jobs)
    for function in (raise_log_likelihood, csl_log_likelihood):
        given = {"n_samples": 10}
        one, two = (function(model, X[:5], **given) for _ in range(2))
        np.testing.assert_array_equal(one, two)
        assert (one != function(model, X[:5], random_state=3, **given)).any()


def test_raise_knows_rows_by_what_is_in_them():
    model, X = fitted("dbn")
    options = {"n_betas": 30, "n_chains": 3}
    both = raise_log_likelihood(model, X[:10], **options)
    turned = raise_log_likelihood(model, X[:10][::-1], **options)[::-1]
    np.testing.assert_allclose(both, turned, rtol=1e-6)


@pytest.mark.parametrize("schedule", ["linear", "quadratic", "sigmoid", "adaptive"])
def test_schedules(schedule):
    model, _ = fitted("rbm")
    exactly = partition_bracket(model).log_Z
    found = partition_bracket(
        model, schedule=schedule, max_bits=0, **(QUICK | {"n_betas": [3, 300]})
    )
    assert abs(found.log_Z - exactly) < 4 * found.se + 0.01


@pytest.mark.parametrize(
    "options, what",
    [
        ({"n_chains": 0}, "n_chains"),
        ({"n_chains": 1}, "n_chains"),
        ({"n_betas": 1}, "n_betas"),
        ({"n_betas": [100, 1]}, "n_betas must be at least 2"),
        ({"n_betas": []}, "n_betas must be at least 2"),
        ({"schedule": "cubic"}, "schedule"),
        ({"confidence": 1.0}, "confidence"),
        ({"max_gap": 0}, "max_gap"),
        ({"max_bits": 23}, "max_bits"),
        ({"n_steps": 1}, "n_steps"),
    ],
)
def test_bad_options(options, what):
    model, X = fitted("rbm")
    with pytest.raises(ValueError, match=what):
        likelihood_bracket(model, X, **options)


@pytest.mark.parametrize("n_draws", [0, -5, "x", 2.5])
@pytest.mark.parametrize("name", ["rbm", "dbn"])
def test_numbers_of_draws_are_checked_whatever_the_model(name, n_draws):
    model, X = fitted(name)
    with pytest.raises((TypeError, ValueError), match="n_draws"):
        likelihood_bracket(model, X, n_draws=n_draws)


@pytest.mark.parametrize(
    "function", [likelihood_bracket, raise_log_likelihood, csl_log_likelihood]
)
def test_who_has_no_energy_is_told_who_has(function):
    X = np.random.default_rng(0).random((20, 4))
    with pytest.raises(TypeError, match="BernoulliRBM, GaussianRBM.*PCA has none"):
        function(PCA(2).fit(X), X)
    with pytest.raises(NotFittedError):
        function(BernoulliRBM(), X)


@pytest.mark.parametrize("name", ["rbm", "dbm", "dbn"])
def test_weights_that_are_not_finite(name):
    model, _ = fitted(name)
    machine = model.layers_[-1] if name == "dbn" else model
    if name == "dbm":
        model.coefs_[0] = model.coefs_[0] * np.nan
    else:
        machine.components_ = machine.components_ * np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        with pytest.raises(ValueError, match="not finite.*Fit it again"):
            partition_bracket(model)


def test_missing_values_are_refused_where_nothing_is_known_of_them():
    model, X = fitted("dbm")
    X[0, 0] = np.nan
    for function in (likelihood_bracket, raise_log_likelihood):
        with pytest.raises(ValueError, match="missing values.*score_samples"):
            function(model, X)
    assert np.isfinite(csl_log_likelihood(model, X, n_samples=20)).all()


def bimodal(kind, seed):
    """A machine of spins by hand that has two modes, and rows of the less likely one,
    for the most part."""
    rng = np.random.default_rng(seed)
    spins = np.sign(rng.normal(size=14))
    rows = np.where(rng.random((200, 14)) < 0.05, -spins, spins)
    rows[: 20 * (seed % 2)] *= -1
    # In favor of the other mode.
    own, rows = -0.1 * spins + rng.normal(0, 0.05, 14), (rows + 1) / 2
    if kind == "graph":
        J = np.outer(spins, spins) * 0.15 * rng.uniform(0.7, 1.3)
        np.fill_diagonal(J, 0)
        model = BoltzmannMachine(n_iter=0, random_state=0).fit(rows)
        model.coupling_, model.intercept_visible_ = 4 * J, 2 * own - 2 * J.sum(axis=1)
        return model
    W = spins[:, None] * rng.uniform(0.2, 0.5, (14, 8))
    model = BernoulliRBM(8, n_iter=0, random_state=0).fit(rows)
    model.components_, model.intercept_hidden_ = 4 * W.T, -2 * W.sum(axis=0)
    model.intercept_visible_ = 2 * own - 2 * W.sum(axis=1)
    return model


@pytest.mark.release
@pytest.mark.parametrize("kind", ["graph", "restricted"])
@pytest.mark.filterwarnings("ignore:.*do not have the means")
def test_modes_where_no_data_are_belong_to_log_Z(kind):
    # Both sides begin with the means of data, and would agree about one mode.
    for seed in range(6):
        model = bimodal(kind, seed)
        exact = partition_bracket(model)
        assert exact.lower == exact.upper
        found = partition_bracket(model, max_bits=0)
        assert found.lower - 0.1 < exact.log_Z < found.upper + 0.1, seed
