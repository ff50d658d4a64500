"""Linear models of real columns: the multivariate normal distribution."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm
from sklearn.linear_model import Ridge

from skdgm import FVBN
from tests.autoregressive.models import inside

RNG = np.random.default_rng(0)
MIX = RNG.normal(size=(4, 4))
# Of different scales, far from zero.
X = (RNG.normal(size=(200, 4)) @ MIX) * [1.0, 100.0, 0.01, 1.0] + [0, 1e3, 0, -5]
HOLES = RNG.random(X.shape) < 0.25
HOLED = np.where(HOLES, np.nan, X)


def normal(rows=X, weight=None):
    mean = np.average(rows, axis=0, weights=weight)
    covariance = np.cov(rows.T, bias=True, aweights=weight)
    return multivariate_normal(mean, covariance)


@pytest.mark.parametrize("ordering", ["given", "random", (3, 1, 0, 2)])
def test_it_is_the_multivariate_normal(ordering):
    own = FVBN(output="gaussian", ordering=ordering, random_state=0).fit(X)
    np.testing.assert_allclose(own.score_samples(X), normal().logpdf(X), rtol=1e-7)
    assert own.n_iter_ == 1
    assert own.density_kind_ == "exact"


def test_an_ensemble_of_orders_is_the_same():
    own = FVBN(output="gaussian", n_orderings=3, random_state=0).fit(X)
    np.testing.assert_allclose(own.score_samples(X), normal().logpdf(X), rtol=1e-7)


def test_weights_count():
    weight = RNG.random(200)
    own = FVBN(output="gaussian").fit(X, sample_weight=weight)
    expected = normal(weight=weight).logpdf(X)
    np.testing.assert_allclose(own.score_samples(X), expected, rtol=1e-7)


def test_parts_add_up():
    parts, whole = FVBN(output="gaussian"), FVBN(output="gaussian").fit(X)
    # Scales are those of the first rows; the distribution is that of all.
    parts.partial_fit(X[:70]).partial_fit(X[70:])
    found, expected = parts.score_samples(X), whole.score_samples(X)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_marginals_and_conditionals_are_exact():
    own, ref = FVBN(output="gaussian", random_state=0).fit(X), normal()
    row = X[:1].copy()
    row[0, [0, 2]] = np.nan
    seen, gone = [1, 3], [0, 2]
    mean, S = ref.mean, ref.cov
    marginal = multivariate_normal(mean[seen], S[np.ix_(seen, seen)])
    found = own.score_samples(row)
    np.testing.assert_allclose(found, marginal.logpdf(X[0, seen]), rtol=1e-6)
    pull = S[np.ix_(gone, seen)] @ np.linalg.inv(S[np.ix_(seen, seen)])
    expected = mean[gone] + pull @ (X[0, seen] - mean[seen])
    np.testing.assert_allclose(own.impute(row)[0, gone], expected, rtol=1e-6)
    spread = S[np.ix_(gone, gone)] - pull @ S[np.ix_(seen, gone)]
    n = 20_000
    drawn = own.conditional_sample(row, n_samples=n, random_state=0)[:, gone]
    sizes = np.sqrt(np.diag(spread))
    assert (abs(drawn.mean(axis=0) - expected) < 4 * sizes / np.sqrt(n)).all()
    off = abs(np.cov(drawn.T, bias=True) - spread) / np.outer(sizes, sizes)
    assert off.max() < 5 * np.sqrt(2 / n)


def test_score_features_are_regressions():
    own = FVBN(output="gaussian").fit(X)
    found = own.score_features(X)
    expected = norm(X[:, 0].mean(), X[:, 0].std()).logpdf(X[:, 0])
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), own.score_samples(X), rtol=1e-9)


def test_samples_have_its_moments():
    n, ref = 50_000, normal()
    drawn = FVBN(output="gaussian", random_state=0).fit(X).sample(n, random_state=0)
    sizes = np.sqrt(np.diag(ref.cov))
    assert (abs(drawn.mean(axis=0) - ref.mean) < 4 * sizes / np.sqrt(n)).all()
    off = abs(np.cov(drawn.T) - ref.cov) / np.outer(sizes, sizes)
    assert off.max() < 5 * np.sqrt(2 / n)


def test_expectation_maximisation_raises_the_likelihood_of_what_is_seen():
    own = FVBN(output="gaussian", random_state=0).fit(HOLED)
    assert own.n_iter_ == 30
    assert (np.diff(own.loss_curve_) < 1e-9).all()
    more = FVBN(output="gaussian", max_iter=200, random_state=0).fit(HOLED)
    assert more.score(HOLED) == pytest.approx(own.score(HOLED), abs=0.01)
    # At its end a step changes nothing: it is a maximum.
    again = more.get_params() | {"warm_start": True, "max_iter": 201}
    longer = FVBN(**again).fit(HOLED)
    assert longer.score(HOLED) == pytest.approx(more.score(HOLED), abs=1e-6)


def test_penalties_are_those_of_ridge_regression():
    own = FVBN(output="gaussian", alpha=50.0).fit(X)
    W = inside(own)[1][0][0].W
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    ridge = Ridge(alpha=50.0).fit(Z[:, :3], Z[:, 3])
    np.testing.assert_allclose(W[:3, 3 * 3 + 1], ridge.coef_, rtol=1e-6)


def test_a_path_of_penalties_ends_with_the_last():
    few = {"output": "gaussian", "max_iter": 2}
    path, last = FVBN(alpha=(100.0, 1.0), **few), FVBN(alpha=1.0, **few)
    np.testing.assert_allclose(
        path.fit(X).score_samples(X), last.fit(X).score_samples(X)
    )


def test_constant_and_dependent_columns():
    rows = np.column_stack([X, np.full(200, 3.0), X[:, 0] + X[:, 3]])
    own = FVBN(output="gaussian", random_state=0).fit(rows)
    assert np.isfinite(own.score_samples(rows)).all()
    assert np.isfinite(own.sample(5, random_state=0)).all()
