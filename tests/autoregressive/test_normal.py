"""Linear models of real columns: the multivariate normal distribution."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm
from sklearn.linear_model import Ridge

from skdgm import FVBN
from skdgm.autoregressive.normal_moments import NormalMoments
from tests.autoregressive.models import inside
from tests.options import grouped

RNG = np.random.default_rng(0)
MIX = RNG.normal(size=(4, 4))
# Of different scales, far from zero.
X = (RNG.normal(size=(200, 4)) @ MIX) * [1.0, 100.0, 0.01, 1.0] + [0, 1e3, 0, -5]
HOLES = RNG.random(X.shape) < 0.25
HOLED = np.where(HOLES, np.nan, X)
outlier_text = pytest.mark.filterwarnings("ignore::skdgm.exceptions.OutlierWarning")


def normal(rows=X, weight=None):
    mean = np.average(rows, axis=0, weights=weight)
    covariance = np.cov(rows.T, bias=True, aweights=weight)
    return multivariate_normal(mean, covariance)


@pytest.mark.parametrize("ordering", ["given", "random", (3, 1, 0, 2)])
def test_it_is_the_multivariate_normal(ordering):
    own = FVBN(
        column_types="gaussian", alpha=0.0, ordering=ordering, random_state=0
    ).fit(X)
    np.testing.assert_allclose(own.score_samples(X), normal().logpdf(X), rtol=1e-7)
    assert own.n_iter_ == 1
    assert own.density_kind_ == "exact"


def test_an_ensemble_of_orders_is_the_same():
    own = FVBN(column_types="gaussian", alpha=0.0, n_orderings=3, random_state=0).fit(X)
    np.testing.assert_allclose(own.score_samples(X), normal().logpdf(X), rtol=1e-7)


def test_weights_count():
    weight = RNG.random(200)
    own = FVBN(column_types="gaussian", alpha=0.0).fit(X, sample_weight=weight)
    expected = normal(weight=weight).logpdf(X)
    np.testing.assert_allclose(own.score_samples(X), expected, rtol=1e-7)


def test_parts_add_up():
    parts, whole = (
        FVBN(column_types="gaussian", alpha=0.0),
        FVBN(column_types="gaussian", alpha=0.0).fit(X),
    )
    # Scales are those of the first rows; the distribution is that of all.
    parts.partial_fit(X[:70]).partial_fit(X[70:])
    found, expected = parts.score_samples(X), whole.score_samples(X)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def ridge(rows, alpha, weight=None):
    """Of each column on those before, of columns that the rows standardize."""
    mean = np.average(rows, axis=0, weights=weight)
    Z = (rows - mean) / np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=weight))
    coefs, variances = [np.zeros(0)], [1.0]
    for t in range(1, rows.shape[1]):
        own = Ridge(alpha=alpha).fit(Z[:, :t], Z[:, t], sample_weight=weight)
        squares = (Z[:, t] - own.predict(Z[:, :t])) ** 2
        coefs.append(own.coef_)
        variances.append(np.average(squares, weights=weight))
    return coefs, variances


def assert_ridge(own, coefs, variances, rtol=1e-6):
    model, ((W, b),) = inside(own)[0], inside(own)[1][0]
    found = np.exp(2 * model.conditionals.mixture.parts(b[None])[2].ravel())
    np.testing.assert_allclose(found, variances, rtol=rtol)
    for t, coef in enumerate(coefs):
        np.testing.assert_allclose(W[:t, 3 * t + 1], coef, rtol=rtol, atol=1e-9)


@pytest.mark.parametrize("alpha", [0.0, 50.0])
def test_parts_add_up_with_a_penalty(alpha):
    """If the first part has the whole's means and scales, as here."""
    other = np.random.default_rng(1).permuted(X[:70], axis=0)
    parts = FVBN(column_types="gaussian", alpha=alpha).fit(X[:70]).partial_fit(other)
    assert_ridge(parts, *ridge(np.concatenate([X[:70], other]), alpha))


@outlier_text
def test_parts_that_are_far_from_one_another_add_up():
    options = {"column_types": "gaussian", "min_variance": 1e-12, "alpha": 0.0}
    far = X + [1e4, 0, 50, 1e4]
    parts = grouped(FVBN, **options).partial_fit(X).partial_fit(far)
    whole = grouped(FVBN, **options).fit(np.concatenate([X, far]))
    for rows in X, far, np.where(HOLES, np.nan, far):
        found, expected = parts.score_samples(rows), whole.score_samples(rows)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_moments_are_of_deviations_from_a_mean_that_may_be_far():
    rows = RNG.normal(size=(50, 3)) @ RNG.normal(size=(3, 3))
    found = NormalMoments(np.zeros(1), np.zeros(3), np.zeros((3, 3)))
    for part in np.array_split(rows + 1e8, 7):
        mean, covariance = part.mean(axis=0), np.cov(part.T, bias=True)
        found = found.with_others(
            NormalMoments(np.full(1, len(part)), mean, covariance)
        )
    assert found.weight == 50
    np.testing.assert_allclose(found.mean - 1e8, rows.mean(axis=0), atol=1e-6)
    expected = np.cov(rows.T, bias=True)
    np.testing.assert_allclose(found.covariance, expected, atol=1e-6)


@outlier_text
@pytest.mark.parametrize("shift", [1e8, 1e120, 1e200])
def test_rows_that_are_too_far_from_the_first_are_named(shift):
    own = FVBN(column_types="gaussian", alpha=0.0).partial_fit(X)
    before = own.score_samples(X)
    with pytest.raises(ValueError, match="too far from the first ones"):
        own.partial_fit(X + shift)
    np.testing.assert_array_equal(own.score_samples(X), before)


def test_a_fit_learns_of_its_own_rows_and_a_pass_of_more():
    options = {"column_types": "gaussian", "alpha": 50.0}
    own = grouped(FVBN, warm_start=True, **options).fit(X)
    once = own.score_samples(X)
    np.testing.assert_array_equal(own.fit(X).score_samples(X), once)
    # Rows that come a second time count twice, and the penalty half as much.
    own.partial_fit(X)
    twice = grouped(FVBN, **options).fit(np.tile(X, (2, 1)))
    np.testing.assert_allclose(own.score_samples(X), twice.score_samples(X), rtol=1e-9)
    assert own.score(X) > once.mean() + 1e-3
    np.testing.assert_array_equal(own.fit(X).score_samples(X), once)


def test_expectation_maximization_goes_on_where_it_was():
    options = {"column_types": "gaussian", "alpha": 20.0, "random_state": 0}
    whole = grouped(FVBN, n_iter=10, **options).fit(HOLED)
    parts = grouped(FVBN, n_iter=5, warm_start=True, **options).fit(HOLED).fit(HOLED)
    assert parts.loss_curve_ == whole.loss_curve_
    assert parts.n_iter_ == 10


def test_marginals_and_conditionals_are_exact():
    own, ref = FVBN(column_types="gaussian", alpha=0.0, random_state=0).fit(X), normal()
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
    own = FVBN(column_types="gaussian", alpha=0.0).fit(X)
    found = own.score_features(X)
    expected = norm(X[:, 0].mean(), X[:, 0].std()).logpdf(X[:, 0])
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), own.score_samples(X), rtol=1e-9)


def test_samples_have_its_moments():
    n, ref = 50_000, normal()
    drawn = (
        FVBN(column_types="gaussian", alpha=0.0, random_state=0)
        .fit(X)
        .sample(n, random_state=0)
    )
    sizes = np.sqrt(np.diag(ref.cov))
    assert (abs(drawn.mean(axis=0) - ref.mean) < 4 * sizes / np.sqrt(n)).all()
    off = abs(np.cov(drawn.T) - ref.cov) / np.outer(sizes, sizes)
    assert off.max() < 5 * np.sqrt(2 / n)


@pytest.mark.exhaustive
def test_expectation_maximization_raises_the_likelihood_of_what_is_seen():
    own = FVBN(column_types="gaussian", alpha=0.0, random_state=0).fit(HOLED)
    assert own.n_iter_ == 30
    assert (np.diff(own.loss_curve_) < 1e-9).all()
    more = FVBN(column_types="gaussian", alpha=0.0, n_iter=200, random_state=0).fit(
        HOLED
    )
    assert more.score(HOLED) == pytest.approx(own.score(HOLED), abs=0.01)
    # At its end a step changes nothing: it is a maximum.
    before = more.score(HOLED)
    more.set_params(warm_start=True, n_iter=1).fit(HOLED)
    assert more.n_iter_ == 201
    assert more.score(HOLED) == pytest.approx(before, abs=1e-6)


@pytest.mark.parametrize("weight", [None, RNG.integers(0, 4, 200)])
def test_penalties_are_those_of_ridge_regression(weight):
    own = FVBN(column_types="gaussian", alpha=50.0).fit(X, sample_weight=weight)
    assert_ridge(own, *ridge(X, 50.0, weight))


@pytest.mark.parametrize("n_iter", ["auto", 3, 8])
def test_a_path_of_penalties_ends_with_the_last(n_iter):
    own = FVBN(column_types="gaussian", alpha=(1e3, 100.0, 1.0), n_iter=n_iter).fit(X)
    last = FVBN(column_types="gaussian", alpha=1.0).fit(X)
    np.testing.assert_array_equal(own.score_samples(X), last.score_samples(X))
    assert own.n_iter_ == (3 if n_iter == "auto" else n_iter)
    # A pass knows of no last one.
    passed = FVBN(column_types="gaussian", alpha=(1e3, 1.0), n_iter=1).partial_fit(X)
    np.testing.assert_array_equal(passed.score_samples(X), last.score_samples(X))


def test_rows_are_held_out_of_the_closed_form_too():
    options = {"column_types": "gaussian", "random_state": 0, "early_stopping": True}
    own = grouped(FVBN, validation_fraction=0.25, **options).fit(X)
    assert own.n_iter_ == len(own.validation_curve_) == 1
    assert own._training.optimizer.weight == 150


def test_constant_and_dependent_columns():
    rows = np.column_stack([X, np.full(200, 3.0), X[:, 0] + X[:, 3]])
    own = FVBN(column_types="gaussian", alpha=0.0, random_state=0).fit(rows)
    assert np.isfinite(own.score_samples(rows)).all()
    assert np.isfinite(own.sample(5, random_state=0)).all()


def test_covariances_are_shrunk_by_the_cross_validated_amount():
    """As few rows as columns have a density near that of independent columns, and many
    rows nearly the maximum of the likelihood."""
    rng = np.random.default_rng(0)
    few, new = rng.normal(size=(30, 40)), rng.normal(size=(500, 40))
    best = norm.logpdf(new).sum(axis=1).mean()
    assert FVBN("gaussian", alpha=0.0).fit(few).score(new) < 2 * best
    shrunk = FVBN("gaussian").fit(few)
    assert shrunk.score(new) > best - 3
    # The variances stay, also those of constant columns.
    drawn = FVBN("gaussian").fit(np.column_stack([few, np.ones(30)]))
    np.testing.assert_array_equal(drawn.sample(5, random_state=0)[:, -1], 1)
    parts = FVBN("gaussian").partial_fit(few[:10]).partial_fit(few[10:])
    assert parts.score(new) > 2 * best
    many = rng.normal(size=(5000, 3)) @ rng.normal(size=(3, 3))
    exact, found = (
        FVBN("gaussian", alpha=alpha).fit(many).score(many) for alpha in (0.0, "auto")
    )
    assert exact - 0.005 < found <= exact


@pytest.mark.parametrize("odd", ["constant", "one row", "outlier"])
def test_odd_columns_do_not_shrink_the_others(odd):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(1000, 3)) @ rng.normal(size=(3, 3))
    column = rng.normal(size=1000) if odd == "outlier" else np.ones(1000)
    column[7] += 0 if odd == "constant" else 20
    model = FVBN("gaussian").fit(np.column_stack([rows, column]))
    drawn = model.sample(20_000, random_state=0)[:, :3]
    np.testing.assert_allclose(np.corrcoef(drawn.T), np.corrcoef(rows.T), atol=0.05)
    # A few more rows keep the shrinkage.
    model.partial_fit(np.column_stack([rows[:1], column[:1]]))
    drawn = model.sample(20_000, random_state=0)[:, :3]
    np.testing.assert_allclose(np.corrcoef(drawn.T), np.corrcoef(rows.T), atol=0.05)


def test_the_shrinkage_of_rows_with_gaps_is_that_of_the_first_epochs():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(20, 20))
    rows, new = rng.normal(size=(100, 20)) @ mixing, rng.normal(size=(500, 20)) @ mixing
    holed = np.where(rng.random(rows.shape) < 0.6, np.nan, rows)
    independent = norm(new.mean(axis=0), new.std(axis=0)).logpdf(new).sum(axis=1).mean()
    assert FVBN("gaussian").fit(holed).score(new) > independent - 3
