"""RNADE as a net of what linear regressions leave of columns."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from skdgm import FVBN, RNADE
from skdgm.autoregressive._residual import steady_covariance
from skdgm.autoregressive.normal_moments import regressions
from skdgm.training import canonical
from skdgm.utils.rows import Rows
from tests.autoregressive.models import noisy
from tests.numerical import assert_means
from tests.options import grouped

RNG = np.random.default_rng(0)
ROOT = np.array([[1, 0, 0, 0], [0.9, 0.3, 0, 0], [-1, 1, 0.2, 0], [1, 1, 1, 0.1]])


def rows_of(n):
    return RNG.normal(size=(n, 4)) @ ROOT.T * [1, 10, 0.1, 3] + [0, 5, 1, -2]


def table_of(X, weight=None):
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return canonical(Rows(X, np.float64, complete=True), weight)


def test_regressions_are_those_of_least_squares():
    covariance = ROOT @ ROOT.T
    U, errors = regressions(covariance)
    L = np.eye(4) - U.T
    np.testing.assert_allclose(L @ covariance @ L.T, np.diag(errors**2), atol=1e-12)
    assert (np.tril(U) == 0).all()


def test_ridges_suit_the_number_of_rows():
    many, X = rows_of(400), RNG.normal(size=(30, 40))
    found = steady_covariance(table_of(many))
    np.testing.assert_allclose(found, np.corrcoef(many.T), atol=0.002)
    # Nothing can be learned of more columns than rows.
    np.testing.assert_allclose(steady_covariance(table_of(X)), np.eye(40), atol=0.35)
    weight = RNG.integers(1, 4, 50)
    again = np.repeat(many[:50], weight, axis=0)
    mean, scale = again.mean(axis=0), again.std(axis=0)
    own = Rows((many[:50] - mean) / scale, np.float64), weight.astype(float)
    other = Rows((again[::-1] - mean) / scale, np.float64), None
    pairs = [steady_covariance(canonical(*given)) for given in (own, other)]
    np.testing.assert_array_equal(*pairs)
    assert steady_covariance(table_of(many[:5])) is None


@pytest.mark.parametrize("ordering", ["given", "random"])
def test_training_begins_at_a_normal_distribution(ordering):
    X = rows_of(200)
    own = {"ordering": ordering, "random_state": 1, "min_variance": 1e-6}
    model = grouped(RNADE, 3, n_mixtures=1, n_iter=0, **own).fit(X)
    mean, scale = X.mean(axis=0), X.std(axis=0)
    covariance = steady_covariance(table_of(X)) * np.outer(scale, scale)
    expected = multivariate_normal(mean, covariance).logpdf(X)
    np.testing.assert_allclose(model.score_samples(X), expected, atol=1e-3)


def test_draws_and_scores_agree():
    model = RNADE(5, n_mixtures=2, n_iter=0, n_orderings=1, random_state=0)
    model = noisy(model.fit(rows_of(200)), 0.3)
    X = model.sample(4000, random_state=0)
    # Of a column that is not normal given those before it, too.
    grid = np.linspace(-15, 15, 301)
    few = X[:20].repeat(301, axis=0)
    few[:, 3] = np.tile(grid, 20) * X[:, 3].std() / 3 + X[:, 3].mean()
    p = np.exp(model.score_features(few)[:, 3]).reshape(20, -1)
    step = few[1, 3] - few[0, 3]
    np.testing.assert_allclose(p.sum(axis=1) * step, 1, atol=1e-3)
    # Draws and densities have the same mean log density: E[d log p / d shift] = 0.
    step = 1e-3 * X.std(axis=0)
    slope = (model.score_features(X + step) - model.score_features(X - step)) / 2e-3
    whole = slope.sum(axis=1)
    assert_means(whole[:, None], np.zeros(1), 5)


def test_columns_that_others_nearly_determine():
    # Steps in units of columns were far too long for such.
    X = rows_of(400)
    X = np.column_stack([X, X.sum(axis=1) + 0.5 * RNG.normal(size=400)])
    train, test = X[:250], X[250:]
    normal = FVBN("gaussian").fit(train).score(test)
    holes = np.where(RNG.random(train.shape) < 0.02, np.nan, train)
    # Means and variances in units of columns ended 3 to 5 nats below.
    for own, room in ((train, 0.4), (holes, 1.2)):
        assert RNADE(16, random_state=0).fit(own).score(test) > normal - room
