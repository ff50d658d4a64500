"""Linear nets and normal columns: the model is probabilistic PCA or factor analysis,
whose density and conditionals are known."""

from copy import deepcopy
from functools import cache

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA, FactorAnalysis

from skdgm import VAE
from skdgm.options import Columns
from tests.numerical import assert_means, effort

RNG = np.random.default_rng(0)
LOADINGS = np.array([[1.5, -1.0, 0.8, 0.0, 0.5], [0.3, 0.9, 0.6, -1.2, 0.7]])
SPREAD = np.array([0.5, 0.7, 0.4, 0.6, 0.9])
X = RNG.normal(size=(800, 2)) @ LOADINGS + SPREAD * RNG.normal(size=(800, 5))
X = X * [1, 10, 0.1, 3, 1] + [0, 5, -1, 0, 100]
STANDARD = (X - X.mean(axis=0)) / X.std(axis=0)
NOISE = PCA(2).fit(STANDARD).noise_variance_


@cache
def fitted(variance):
    vae = VAE(
        2,
        (),
        column_types=Columns("gaussian", variance=variance, min_variance=0),
        learning_rate=0.02,
        n_iter=150,
        random_state=0,
    )
    return vae.fit(X)


@pytest.fixture(params=["feature", NOISE], ids=["feature", "fixed"])
def vae(request):
    return fitted(request.param)


@pytest.fixture
def wide(vae):
    """One whose encoder is wider, so that it covers what rows with holes leave open."""
    other = deepcopy(vae)
    other.intercepts_[0][2:] += 2.0
    return other


def moments(vae):
    """Mean and covariance of the rows, from the decoder's own weights."""
    W, b = vae.coefs_[-1], vae.intercepts_[-1]
    own, columns = vae._training.params.dispersion, vae._columns
    variance = np.full(5, vae._options.variance) if len(own) == 0 else np.exp(own)
    covariance = W.T @ W + np.diag(variance)
    scale = columns.scale
    return columns.mean + scale * b, scale[:, None] * covariance * scale


def conditionals(vae, row):
    """Means and covariance of what is missing, given the rest."""
    mean, covariance = moments(vae)
    gone = np.isnan(row)
    gain = covariance[np.ix_(gone, ~gone)] @ np.linalg.inv(
        covariance[np.ix_(~gone, ~gone)]
    )
    expected = mean[gone] + gain @ (row - mean)[~gone]
    rest = covariance[np.ix_(gone, gone)] - gain @ covariance[np.ix_(~gone, gone)]
    return expected, rest


def holed(n):
    rows = X[:n].copy()
    rows[np.random.default_rng(1).random(rows.shape) < 0.3] = np.nan
    return rows


@pytest.mark.exhaustive
def test_a_fixed_variance_makes_it_principal_components():
    expected = PCA(2).fit(STANDARD).score(STANDARD) - np.log(X.std(axis=0)).sum()
    vae = fitted(NOISE)
    found = vae.set_params(n_draws=200).score(X)
    assert found == pytest.approx(expected, abs=0.03)
    assert multivariate_normal(*moments(vae)).logpdf(X).mean() == pytest.approx(
        expected, abs=0.01
    )


@pytest.mark.exhaustive
def test_variances_of_columns_make_it_factor_analysis():
    factors = FactorAnalysis(2, tol=1e-6, max_iter=5000).fit(STANDARD)
    expected = factors.score(STANDARD) - np.log(X.std(axis=0)).sum()
    vae = fitted("feature")
    found = vae.set_params(n_draws=200).score(X)
    assert found == pytest.approx(expected, abs=0.05)
    assert multivariate_normal(*moments(vae)).logpdf(X).mean() == pytest.approx(
        expected, abs=0.02
    )
    own = np.exp(vae._training.params.dispersion)
    np.testing.assert_allclose(own, factors.noise_variance_, atol=0.05)


@pytest.mark.exhaustive(default=["feature"])
def test_the_likelihood_is_that_of_a_normal_distribution(vae):
    expected = multivariate_normal(*moments(vae)).logpdf(X)
    found, se = vae.importance_likelihood(X, n_draws=200, return_se=True)
    error = abs(found - expected)
    assert (error <= 5 * se + 0.01).all()
    assert abs((found - expected).mean()) <= 4 * np.linalg.norm(se) / len(X)


def test_the_likelihood_of_what_was_seen_is_that_of_a_marginal(wide):
    rows = holed(60)
    mean, covariance = moments(wide)
    found, se = wide.importance_likelihood(rows, n_draws=3000, return_se=True)
    for row, score, error in zip(rows, found, se):
        seen = ~np.isnan(row)
        if seen.any():
            own = mean[seen], covariance[np.ix_(seen, seen)]
            expected = multivariate_normal(*own).logpdf(row[seen])
            assert abs(score - expected) <= 4 * error + 0.01


def test_samples_have_the_mean_and_the_covariance(vae):
    mean, covariance = moments(vae)
    rows = vae.sample(20_000, random_state=0)
    assert_means(rows, mean)
    pairs = (rows - mean)[:, :, None] * (rows - mean)[:, None]
    assert_means(pairs, covariance)


@pytest.mark.release
@pytest.mark.parametrize("sampler", ["importance", "metropolis"])
def test_imputed_means_are_conditional_means(wide, sampler):
    for row in holed(8):
        gone = np.isnan(row)
        # Rows that differ have noise of their own.
        rows = row + 1e-9 * np.random.default_rng(2).random((25, 5))
        found = wide.impute(rows, **effort(sampler, 800))
        np.testing.assert_array_equal(found[:, ~gone], rows[:, ~gone])
        if gone.any() and not gone.all():
            expected, rest = conditionals(wide, row)
            error = (found[:, gone] - expected) / np.sqrt(np.diag(rest))
            assert (error.std(axis=0) < 0.4).all()
            assert_means(error, 0)


@pytest.mark.exhaustive(default=["fixed-importance"])
@pytest.mark.parametrize("sampler", ["importance", "metropolis"])
def test_imputed_draws_have_conditional_means_and_covariances(wide, sampler):
    row = np.array([np.nan, X[3, 1], np.nan, X[3, 3], np.nan])
    rows = np.tile(row, (2000, 1))
    filled = wide.impute(rows, method="sample", **effort(sampler, 200), random_state=0)
    expected, rest = conditionals(wide, row)
    draws = filled[:, [0, 2, 4]] - expected
    assert_means(draws, 0)
    assert_means(draws[:, :, None] * draws[:, None], rest)


def test_the_decoder_is_linear_and_the_encoder_finds_the_posterior(vae):
    Z = np.random.default_rng(3).normal(size=(5, 2))
    W, b, columns = vae.coefs_[-1], vae.intercepts_[-1], vae._columns
    expected = (Z @ W + b) * columns.scale + columns.mean
    np.testing.assert_allclose(vae.inverse_transform(Z), expected)
    variance = vae._options.variance
    if variance == "feature":
        variance = np.exp(vae._training.params.dispersion)
    precision = np.eye(2) + (W / variance) @ W.T
    posterior = np.linalg.solve(precision, (W / variance) @ (STANDARD - b).T).T
    np.testing.assert_allclose(vae.transform(X), posterior, atol=0.15)


def test_the_first_guess_is_nearly_the_conditional_mean(vae):
    row = X[7].copy()
    row[0] = np.nan
    rows = row + 1e-9 * np.random.default_rng(2).random((1500, 5))
    found = vae.impute(rows, n_draws=1)[:, 0].mean()
    (expected,), ((rest,),) = conditionals(vae, row)
    assert abs(vae._columns.mean[0] - expected) > np.sqrt(rest)
    assert abs(found - expected) < 0.15 * np.sqrt(rest)
