"""Diffusions before any update, which are normal distributions: all that is asked of
them has a closed form, with missing entries, too."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from skdgm import Diffusion
from skdgm.data import tabulate
from skdgm.utils.random import stream
from tests.options import grouped

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3)) @ RNG.normal(size=(3, 3)) * [1.0, 10.0, 0.1] + 5
HOLES = X[:4].copy()
HOLES[0, 0] = HOLES[1, 1:] = HOLES[2] = np.nan


@pytest.fixture(scope="module")
def start():
    """A diffusion, and the mean and covariance of its rows."""
    model = Diffusion(
        (4,), column_types="gaussian", n_iter=0, n_steps=4, n_draws=60, random_state=0
    ).fit(X)
    normal, scale = model.density_.whitening.normal, X.std(axis=0)
    mean = X.mean(axis=0) + scale * normal.mean
    return model, mean, normal.covariance * np.outer(scale, scale)


def marginal(rows, mean, covariance):
    """Log densities of what is known of rows."""
    found = np.zeros(len(rows))
    for k, row in enumerate(rows):
        known = ~np.isnan(row)
        if known.any():
            part = covariance[np.ix_(known, known)]
            found[k] = multivariate_normal(mean[known], part).logpdf(row[known])
    return found


def conditional(row, mean, covariance):
    """Mean and covariance of what is missing given what is known."""
    known, missing = ~np.isnan(row), np.isnan(row)
    slope = np.linalg.solve(
        covariance[np.ix_(known, known)], covariance[np.ix_(known, missing)]
    )
    center = mean[missing] + (row - mean)[known] @ slope
    within = covariance[np.ix_(missing, missing)]
    return center, within - covariance[np.ix_(missing, known)] @ slope


@pytest.mark.parametrize("likelihood", ["flow", "bound"])
def test_scores(start, likelihood):
    model, *normal = start
    model.set_params(likelihood=likelihood)
    whole, some = model.score_samples(X[:50]), model.score_samples(HOLES)
    model.set_params(likelihood="flow")
    np.testing.assert_allclose(whole, marginal(X[:50], *normal), rtol=1e-6)
    # Nothing has a probability of one; draws are from wider distributions.
    atol = 0.1 if likelihood == "flow" else 1e-4
    np.testing.assert_allclose(some, marginal(HOLES, *normal), atol=atol)
    assert some[2] == 0


def test_losses_of_the_monitor_are_minus_scores(start):
    model, *normal = start
    table = tabulate(model._label(model._rows(HOLES), None, False, None)[0], None)
    objective = model._objective(table, 0)
    state = objective.resume(model._training)
    found = objective.losses(state, np.arange(4), stream(0).rows(4))
    found = found + (np.log(X.std(axis=0)) * ~np.isnan(HOLES)).sum(axis=1)
    np.testing.assert_allclose(-found, marginal(HOLES, *normal), atol=1e-6)


def test_gradients(start):
    model, mean, covariance = start
    for noise in (0.01, 1.0):
        wide = covariance + noise**2 * np.diag(X.var(axis=0))
        expected = -np.linalg.solve(wide, (X[:50] - mean).T).T
        found = model.log_density_gradient(X[:50], noise=noise)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("sampler", ["flow", "ancestral"])
def test_draws(start, sampler):
    model, mean, covariance = start
    drawn = model.set_params(sampler=sampler, n_steps=40).sample(3000, 0)
    model.set_params(sampler="flow", n_steps=4)
    sd = np.sqrt(np.diag(covariance))
    assert (abs(drawn.mean(axis=0) - mean) < 5 * sd / 3000**0.5).all()
    gap = abs(np.cov(drawn.T) - covariance) / np.outer(sd, sd)
    assert gap.max() < 5 * (2 / 3000) ** 0.5 + (0.05 if sampler == "ancestral" else 0)


def test_codes(start):
    model, mean, covariance = start
    codes = model.transform(X)
    np.testing.assert_allclose(codes.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(model.inverse_transform(codes), X, rtol=1e-6)
    root = np.linalg.lstsq(X - mean, codes, rcond=None)[0]
    np.testing.assert_allclose(root @ root.T, np.linalg.inv(covariance), rtol=1e-6)
    # Codes of rows with gaps are those of their expected rows, as codes are linear.
    whole = HOLES[:2].copy()
    for row in whole:
        row[np.isnan(row)] = conditional(row, mean, covariance)[0]
    model.set_params(n_draws=200)
    found = model.transform(HOLES[:2])
    model.set_params(n_draws=60)
    np.testing.assert_allclose(found, model.transform(whole), atol=0.25)


def test_entries_given_others(start):
    """Draws of missing entries, and under a condition, in however few steps."""
    model, mean, covariance = start
    row = HOLES[1]
    model.set_params(n_steps=2)
    center, within = conditional(row, mean, covariance)
    sd, n = np.sqrt(np.diag(within)), 500
    several = model.conditional_sample(row[None], n_samples=n, random_state=0)
    asked = model.sample(n, random_state=0, conditions={0: row[0]})
    for drawn in several, asked:
        assert (drawn[:, 0] == row[0]).all()
        assert (abs(drawn[:, 1:].mean(axis=0) - center) < 5 * sd / n**0.5).all()
        gap = abs(np.cov(drawn[:, 1:].T) - within) / np.outer(sd, sd)
        assert gap.max() < 5 * (2 / n) ** 0.5
    model.set_params(n_draws=100)
    filled = model.impute(row[None])[0]
    model.set_params(n_draws=60, n_steps=4)
    assert (abs(filled[1:] - center) < 5 * sd / 10).all()
    low = mean[0] + 0.5 * np.sqrt(covariance[0, 0])
    drawn = model.sample(300, random_state=0, conditions={0: slice(low, None)})
    assert drawn[:, 0].min() >= low


def test_gradients_are_from_the_mean_of_all_rows_where_some_have_gaps():
    rows = RNG.normal(size=(200, 1)) + 0.3 * RNG.normal(size=(200, 2))
    holed = np.where(np.c_[np.zeros(200), rows[:, 0] > 0.5] > 0, np.nan, rows)
    options = {"column_types": "gaussian", "n_iter": 0, "random_state": 0}
    model = grouped(Diffusion, (2,), **options).fit(holed)
    normal, scale = model.density_.whitening.normal, np.nanstd(holed, axis=0)
    assert normal.mean[1] > 0.2
    mean = np.nanmean(holed, axis=0) + scale * normal.mean
    wide = (normal.covariance + np.eye(2)) * np.outer(scale, scale)
    found = model.log_density_gradient(rows[:9], noise=1.0)
    np.testing.assert_allclose(found, -np.linalg.solve(wide, (rows[:9] - mean).T).T)
