"""GaussianRBM as a model: what it computes is what a mixture of normals says."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp, softmax
from scipy.stats import norm
from sklearn.datasets import load_diabetes, load_digits

from skdgm import GaussianRBM
from skdgm.exceptions import PrecisionWarning
from skdgm.options import PCD, SGD, Penalty
from skdgm.partition import exact
from tests.options import assign

N_VISIBLE, N_HIDDEN = 4, 3
SCALE, SHIFT = np.array([10.0, 0.02, 1.0, 300.0]), np.array([-5.0, 1.0, 0.0, 1e4])
ROWS = np.random.default_rng(1).normal(SHIFT, SCALE, (40, N_VISIBLE))
HOLED = np.where(np.random.default_rng(2).random(ROWS.shape) < 0.4, np.nan, ROWS)


def random_rbm(n_visible=N_VISIBLE, n_hidden=N_HIDDEN, seed=0, scale=0.8):
    """An estimator with random parameters, for columns of SCALE and SHIFT."""
    rng = np.random.default_rng(seed)
    start = rng.normal(SHIFT[:n_visible], SCALE[:n_visible], (40, n_visible))
    rbm = GaussianRBM(n_hidden, n_iter=0, random_state=0).fit(start)
    rbm.components_ = scale * rng.normal(size=(n_hidden, n_visible))
    rbm.intercept_visible_ = rng.normal(size=n_visible)
    rbm.intercept_hidden_ = rng.normal(size=n_hidden)
    rbm._log_precision = rng.normal(0, 0.5, size=n_visible)
    rbm.precision_ = np.exp(rbm._log_precision) / rbm.scale_**2
    return rbm


class Mixture:
    """The normal distributions that a machine mixes, in the columns' own units."""

    def __init__(self, rbm):
        n_hidden = len(rbm.components_)
        self.h = np.array(list(product([0.0, 1.0], repeat=n_hidden)))
        standard = self.h @ rbm.components_ + rbm.intercept_visible_
        weight = 0.5 * standard**2 @ (rbm.precision_ * rbm.scale_**2)
        self.log_p = self.h @ rbm.intercept_hidden_ + weight
        self.log_p -= logsumexp(self.log_p)
        self.p = np.exp(self.log_p)
        self.mean = standard * rbm.scale_ + rbm.mean_
        self.sd = 1 / np.sqrt(rbm.precision_)

    def log_joint(self, X):
        """Log density of each row with each component, of what was observed."""
        each = norm.logpdf(X[:, None], self.mean, self.sd)
        return self.log_p + np.nansum(each, axis=2)

    def log_density(self, X):
        return logsumexp(self.log_joint(X), axis=1)

    def responsibilities(self, X):
        return softmax(self.log_joint(X), axis=1)

    def moments(self):
        """Means and covariances."""
        mean = self.p @ self.mean
        second = self.mean.T @ (self.p[:, None] * self.mean) + np.diag(self.sd**2)
        return mean, second - np.outer(mean, mean)


@pytest.fixture(scope="module")
def machine():
    rbm = random_rbm()
    return rbm, Mixture(rbm)


def clusters(n, seed=0):
    """Rows near the corners of a rectangle, in columns of different scales, and their
    mean log density, which is a machine's of two hidden units."""
    rng, noise = np.random.default_rng(seed), np.array([0.5, 25.0])
    h = np.array(list(product([0, 1], repeat=2)))
    p = np.where(h, [0.6, 0.3], [0.4, 0.7]).prod(axis=1)
    corners = h @ np.array([[4, 4], [2.5, -2.5]]) * noise + [0, 1000]
    X = rng.normal(corners[rng.choice(4, n, p=p)], noise)
    each = norm.logpdf(X[:, None], corners, noise).sum(axis=2)
    return X, logsumexp(each + np.log(p), axis=1).mean()


def log_normal(X):
    """The mean log density of rows under independent normal columns."""
    return norm.logpdf(X, X.mean(axis=0), X.std(axis=0)).sum(axis=1).mean()


def test_density(machine):
    rbm, mixture = machine
    assert rbm.density_kind_ == "exact"
    assert rbm.log_Z_se_ == 0
    np.testing.assert_allclose(rbm.score_samples(ROWS), mixture.log_density(ROWS))
    assert rbm.score(ROWS) == pytest.approx(mixture.log_density(ROWS).mean())


def test_density_of_what_was_observed(machine):
    rbm, mixture = machine
    np.testing.assert_allclose(
        rbm.score_samples(HOLED), mixture.log_density(HOLED), atol=1e-9
    )


def test_large_machines_bound_what_was_observed(machine, monkeypatch):
    rbm, mixture = machine
    log_Z, volume = rbm.log_Z_, ~np.isnan(HOLED) @ -np.log(rbm.scale_)
    monkeypatch.setattr(exact, "MAX_BITS", 0)
    bounds = volume - rbm.free_energy(HOLED) - log_Z
    expected, whole = mixture.log_density(HOLED), ~np.isnan(HOLED).any(axis=1)
    assert (bounds <= expected + 1e-9).all()
    assert (bounds > expected - 1).mean() > 0.9
    np.testing.assert_allclose(bounds[whole], expected[whole])


def test_density_integrates_to_one():
    X, _ = clusters(300)
    rbm = learner(batch_size=10, n_iter=30).fit(X)
    assert abs(rbm.components_).max() > 0.5
    x, y = np.linspace(-8, 10, 401), np.linspace(500, 1500, 401)
    area = (x[1] - x[0]) * (y[1] - y[0])
    grid = np.column_stack([part.ravel() for part in np.meshgrid(x, y)])
    assert np.exp(rbm.score_samples(grid)).sum() * area == pytest.approx(1, abs=1e-6)
    for column, points in enumerate((x, y)):
        line = np.full((401, 2), np.nan)
        line[:, column] = points
        total = np.exp(rbm.score_samples(line)).sum() * (points[1] - points[0])
        assert total == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("gradient", ["pcd", "fpcd", "tempering"])
def test_density_follows_the_units_of_the_columns(gradient):
    X, _ = clusters(60)
    # All rows at once: the same batches for other values.
    rbm = GaussianRBM(
        6, gradient=gradient, batch_size=60, n_iter=20, learning_rate=0.1
    ).set_params(random_state=0)
    score = rbm.fit(X).score_samples(X)
    other = rbm.fit(0.1 * X).score_samples(0.1 * X)
    np.testing.assert_allclose(other, score + 2 * np.log(10), rtol=0, atol=1e-6)
    other = rbm.fit(X + [7, -300]).score_samples(X + [7, -300])
    np.testing.assert_allclose(other, score, rtol=0, atol=1e-6)


def test_pseudo_likelihood(machine):
    rbm, mixture = machine
    for X in ROWS, HOLED:
        expected = np.zeros(len(X))
        for i in range(N_VISIBLE):
            without = X.copy()
            without[:, i] = np.nan
            one = mixture.log_density(X) - mixture.log_density(without)
            expected += np.where(np.isnan(X[:, i]), 0, one)
        whole = ~np.isnan(X).any(axis=1)
        found = rbm.pseudo_likelihood(X)
        np.testing.assert_allclose(found[whole], expected[whole], atol=1e-3)
        assert abs(found - expected).mean() < 0.5


def test_transform_and_back(machine):
    rbm, mixture = machine
    expected = mixture.responsibilities(ROWS) @ mixture.h
    np.testing.assert_allclose(rbm.transform(ROWS), expected)
    np.testing.assert_allclose(rbm.inverse_transform(mixture.h), mixture.mean)


@pytest.mark.parametrize("init", ["chains", "noise", ROWS[:3]], ids=str)
def test_samples_follow_the_model(machine, init):
    rbm, mixture = machine
    n = 20000
    sample = rbm.sample(n, random_state=1, init=init, n_steps=60)
    mean, cov = mixture.moments()
    z = (sample - mean) / np.sqrt(np.diag(cov))
    se = z.std(axis=0) / np.sqrt(n)
    assert (abs(z.mean(axis=0)) <= 4.5 * se).all()
    products = z[:, :, None] * z[:, None]
    expected = cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
    se = products.std(axis=0) / np.sqrt(n)
    assert (abs(products.mean(axis=0) - expected) <= 4.5 * se).all()


def test_gibbs_leaves_the_distribution(machine):
    rbm, mixture = machine
    rng = np.random.default_rng(0)
    v = rng.normal(mixture.mean[rng.choice(8, 20000, p=mixture.p)], mixture.sd)
    once = rbm.gibbs(v)
    assert once.dtype == np.float64
    mean, cov = mixture.moments()
    error = abs(once.mean(axis=0) - mean)
    assert (error <= 4.5 * np.sqrt(np.diag(cov) / len(v))).all()


def test_imputed_means_are_conditional_means(machine):
    rbm, mixture = machine
    filled, expected = rbm.impute(HOLED, n_steps=3000), HOLED.copy()
    means = mixture.responsibilities(HOLED) @ mixture.mean
    expected[np.isnan(HOLED)] = means[np.isnan(HOLED)]
    assert (abs(filled - expected) <= 0.08 * rbm.scale_).all()


def test_imputed_samples_are_conditional_samples(machine):
    rbm, mixture = machine
    row, n = ROWS[:1].copy(), 10000
    row[0, [1, 3]] = np.nan
    filled = rbm.impute(
        np.repeat(row, n, axis=0), method="sample", random_state=0, n_steps=40
    )
    np.testing.assert_array_equal(filled[:, [0, 2]], ROWS[[0] * n][:, [0, 2]])
    p = mixture.responsibilities(row)[0]
    mean = p @ mixture.mean
    variance = p @ mixture.mean**2 - mean**2 + mixture.sd**2
    for column in (1, 3):
        error = abs(filled[:, column].mean() - mean[column])
        assert error <= 4.5 * np.sqrt(variance[column] / n)
        assert filled[:, column].var() == pytest.approx(variance[column], rel=0.1)


@pytest.mark.parametrize("precision", ["diagonal", "scalar"])
def test_estimated_log_Z_is_within_its_error(precision, monkeypatch):
    X, _ = clusters(400)
    rbm = learner(n_components=12, precision=precision, batch_size=20)
    expected = rbm.fit(X).log_Z_
    rbm.fit(X)
    monkeypatch.setattr(exact, "MAX_BITS", 0)
    assert rbm.density_kind_ == "estimate"
    assert 0 < rbm.log_Z_se_ < 0.2
    assert abs(rbm.log_Z_ - expected) < 4 * rbm.log_Z_se_


@pytest.mark.release
@pytest.mark.parametrize(
    "options, missed",
    [
        ({}, 0.1),
        ({"gradient": "tempering", "n_temperatures": 4}, 0.1),
        ({"gradient": "fpcd", "fast_learning_rate": 0.005}, 0.1),
        ({"centering": "moving"}, 0.1),
        ({"quadratic": True, "n_components": 12}, 0.1),
        ({"solver": "adam", "momentum": 0.9, "learning_rate": 0.015}, 0.15),
        # Its chains do not get from one corner to the other.
        ({"gradient": "cd", "n_iter": 40, "learning_rate": 0.2}, 0.4),
    ],
    ids=str,
)
def test_learns_a_density(options, missed):
    X, truth = clusters(2000)
    rbm = learner(**{"n_iter": 30, "learning_rate": 0.3, **options}).fit(X)
    assert log_normal(X) < truth - 0.6
    assert rbm.score(X) > truth - missed
    # Given the hidden units there is the noise that the rows were drawn with.
    np.testing.assert_allclose(rbm.precision_, [0.5**-2, 25.0**-2], rtol=0.25)


def learner(**options):
    rbm = GaussianRBM(
        6, n_iter=40, batch_size=40, gradient=PCD(n_steps=2), learning_rate=0.2
    )
    return assign(rbm, random_state=0, **{"centering": "data", **options})


@pytest.mark.release
def test_learns_from_what_was_observed():
    X, truth = clusters(2000)
    holed = np.where(np.random.default_rng(1).random(X.shape) < 0.1, np.nan, X)
    assert (
        learner(n_steps=1, n_iter=20, learning_rate=0.4).fit(holed).score(X)
        > truth - 0.25
    )


def test_columns_are_standardized_by_what_was_observed():
    X, weight = HOLED.copy(), np.arange(1.0, 41.0)
    rbm = GaussianRBM(3, n_iter=1, random_state=0).fit(X, sample_weight=weight)
    seen = weight[:, None] * ~np.isnan(X)
    mean = (seen * np.nan_to_num(X)).sum(axis=0) / seen.sum(axis=0)
    variance = (seen * np.nan_to_num(X - mean) ** 2).sum(axis=0) / seen.sum(axis=0)
    np.testing.assert_allclose(rbm.mean_, mean)
    np.testing.assert_allclose(rbm.scale_, np.sqrt(variance))
    # Once and for all, so that what was learned stays true.
    before = rbm.mean_.copy()
    rbm.partial_fit(ROWS + SCALE).set_params(warm_start=True).fit(ROWS - SCALE)
    np.testing.assert_array_equal(rbm.mean_, before)


def test_columns_whose_variance_is_no_number_are_named():
    X = NOISE * [1, 1e200, 1]
    with pytest.raises(ValueError, match=r"columns \[1\] are too large.*scale"):
        GaussianRBM(2).fit(X)
    assert np.isfinite(GaussianRBM(2, n_iter=1).fit(X * [1, 1e-60, 1]).score(X * 1e-60))


def test_precisions():
    X, _ = clusters(400)
    fixed, scalar, free = (
        learner(batch_size=20, learning_rate=0.3, precision=kind).fit(X).precision_
        * X.var(axis=0)
        for kind in ("fixed", "scalar", "diagonal")
    )
    np.testing.assert_allclose(fixed, 1)
    assert scalar[0] == pytest.approx(scalar[1])
    assert scalar[0] > 1.5
    assert free[0] != pytest.approx(free[1], rel=0.01)
    with pytest.warns(PrecisionWarning):
        rbm = learner(batch_size=20, learning_rate=0.3, min_variance=0.5).fit(X)
    floored = rbm.precision_ * X.var(axis=0)
    np.testing.assert_allclose(floored, 2, rtol=0.01)
    assert (floored <= 2 + 1e-9).all()


DIGITS = load_digits().data[:600]


@pytest.mark.exhaustive
@pytest.mark.parametrize("precision", ["diagonal", "scalar", "fixed"])
def test_long_fits_do_not_explode(precision):
    # A fifth of the pixels is on in a few rows only, or in none.
    rbm = GaussianRBM(64, n_iter=30, precision=precision, random_state=0)
    if precision == "diagonal":
        rbm.set_params(n_iter=100)
        # Columns that are constant are not named.
        with pytest.warns(PrecisionWarning, match=r"columns \[42\] rose"):
            rbm.fit(DIGITS)
        standardized = rbm.precision_ * rbm.scale_**2
        assert (standardized[np.ptp(DIGITS, axis=0) == 0] > 19).all()
    else:
        rbm.fit(DIGITS)
    independent = 32 * np.log(2 * np.pi * np.e)
    assert max(rbm.loss_curve_) < independent
    assert rbm.loss_curve_[-1] < min(rbm.loss_curve_) + 1
    assert (rbm.precision_ * rbm.scale_**2 > 0.5).all()
    assert abs((rbm.chains_ - rbm.mean_) / rbm.scale_).max() < 20


@pytest.mark.exhaustive
def test_long_fits_get_over_columns_of_two_values():
    # The second column's hidden unit all but never changes in the chains.
    X = load_diabetes().data
    rbm = GaussianRBM(8, n_iter=100, random_state=0)
    with pytest.warns(PrecisionWarning, match=r"\[1\] rose"):
        rbm.fit(X)
    assert rbm.score(X) > GaussianRBM(8, random_state=0).fit(X).score(X) + 1


def test_norms_are_limited_in_standard_deviations():
    rbm = GaussianRBM(16, n_iter=5, penalty=Penalty(max_norm=1.0), random_state=0).fit(
        DIGITS
    )
    norms = np.sqrt(rbm.components_**2 @ (rbm.precision_ * rbm.scale_**2))
    assert norms.max() == pytest.approx(1)


def test_schedules_hold_for_shortened_steps():
    def weights(n_iter, schedule):
        rbm = GaussianRBM(
            64, n_iter=n_iter, solver=SGD(schedule=schedule), precision="fixed"
        )
        rbm.set_params(batch_size=len(DIGITS), random_state=0)
        return rbm.fit(DIGITS).components_

    first = weights(1, "linear")
    whole, half = weights(2, "constant") - first, weights(2, "linear") - first
    np.testing.assert_allclose(half, whole / 2, rtol=1e-3, atol=1e-7)


BITS = np.sign(np.random.default_rng(0).normal(size=(300, 1)))
NOISE = np.random.default_rng(1).normal(size=(300, 3))
CONSTANT = np.full((300, 2), 3.0)


def collapsing(precision, n_copies=2):
    """A machine, and columns of two values that are all the same among others; for one
    precision of all columns none but them."""
    rbm = GaussianRBM(16, precision=precision, n_iter=60, random_state=0)
    rbm.set_params(learning_rate=0.05, centering="data")
    copies = np.hstack([BITS] * n_copies)
    if precision == "scalar":
        return rbm, copies
    return rbm, np.hstack([NOISE[:, :1], copies, NOISE[:, 1:], CONSTANT])


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "precision, n_copies, columns",
    [
        ("diagonal", 2, r"\[1, 2\] rose"),
        ("scalar", 25, r"\[0, .* 9\] and 15 more rose"),
    ],
)
def test_collapse_of_precisions_is_named(precision, n_copies, columns):
    rbm, X = collapsing(precision, n_copies)
    with pytest.warns(PrecisionWarning, match=columns) as record:
        rbm.fit(X)
    assert len(record) == 1
    assert record[0].filename == __file__
    for word in ("min_variance = 20", "copies", "Drop", "noise", "'fixed'"):
        assert word in str(record[0].message)


def test_collapsing_columns_go_by_their_names():
    pd = pytest.importorskip("pandas")
    rbm, X = collapsing("diagonal")
    with pytest.warns(PrecisionWarning, match="'column 1', 'column 2'"):
        rbm.fit(pd.DataFrame(X).add_prefix("column "))


def test_precisions_are_not_warned_of_where_nothing_collapses():
    # Warnings are errors here.
    rbm, X = collapsing("diagonal", n_copies=1)
    assert (rbm.fit(X).precision_[-2:] > 19).all()
    rbm, X = collapsing("fixed")
    np.testing.assert_allclose(rbm.fit(X).precision_ * rbm.scale_**2, 1)
