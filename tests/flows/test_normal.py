"""What a flow begins with, against SciPy: draws of missing entries, shrinkage, and the
steps by which mixtures are found."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal as normal

from skdgm.autoregressive.normal_moments import SHRINKAGE
from skdgm.flows import mixture
from skdgm.flows import normal as normals
from skdgm.flows._likelihood import _learning_rate_factors
from skdgm.nets.bases import NormalMixture, Tails
from skdgm.training import canonical
from skdgm.utils.clusters import clusters
from skdgm.utils.math import rows_by_gaps
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows
from tests.numerical import assert_means

RNG = np.random.default_rng(0)
ROOTS = np.array([[[1, 0, 0], [0.8, 0.6, 0], [-0.5, 0.3, 0.8]], np.diag([0.5, 1, 2])])
COVARIANCES = ROOTS @ ROOTS.transpose(0, 2, 1)
MEANS = np.array([[0.5, -1.0, 2.0], [-1.0, 0.0, 1.0]])
LOG_WEIGHT = np.log([0.3, 0.7])
ROW = np.array([0.4, np.nan, np.nan])
N = 4000


def _given_first(mean, covariance, value):
    """Moments of the two last columns given the first, and its log density."""
    slope = covariance[0, 1:] / covariance[0, 0]
    spread = covariance[1:, 1:] - np.outer(slope, covariance[0, 1:])
    log_p = normal(mean[0], covariance[0, 0]).logpdf(value)
    return mean[1:] + slope * (value - mean[0]), spread, log_p


PARTS = [normals.JointNormal(*one) for one in zip(MEANS, COVARIANCES)]
STARTS = {
    "normal": (PARTS[0], [_given_first(MEANS[0], COVARIANCES[0], 0.4)]),
    "independent": (normals.Independent(), [(np.zeros(2), np.eye(2), 0.0)]),
    "mixture": (
        normals.JointMixture(LOG_WEIGHT, PARTS),
        [
            (center, spread, log_p + own)
            for own, (center, spread, log_p) in zip(
                LOG_WEIGHT,
                (_given_first(*one, 0.4) for one in zip(MEANS, COVARIANCES)),
            )
        ],
    ),
}


@pytest.mark.parametrize("spread", [1.0, 1.5])
@pytest.mark.parametrize("name", STARTS)
def test_draws_of_missing_entries_have_the_density_that_counts(name, spread):
    start, parts = STARTS[name]
    v, log_q = start.given(np.tile(ROW, (N, 1))).completed(stream(0).rows(N), spread)
    assert (v[:, 0] == ROW[0]).all()
    log_p = np.array([log_p for *_, log_p in parts])
    share = np.exp(log_p - logsumexp(log_p))
    each = [
        np.log(own) + normal(center, spread**2 * around).logpdf(v[:, 1:])
        for own, (center, around, _) in zip(share, parts)
    ]
    np.testing.assert_allclose(log_q, logsumexp(each, axis=0), rtol=1e-6)
    mean = share @ [center for center, *_ in parts]
    assert_means(v[:, 1:], mean, 5)
    square = sum(
        own * (spread**2 * around + np.outer(center, center))
        for own, (center, around, _) in zip(share, parts)
    )
    products = v[:, 1:, None] * v[:, None, 1:]
    assert_means(products.reshape(N, 4), square.ravel(), 5)


def test_whitening_and_back():
    for n_given in 0, 1:
        layer = PARTS[0].whitening(np.float64, n_given)
        white = layer.W.T @ COVARIANCES[0] @ layer.W
        np.testing.assert_allclose(
            white[n_given:, n_given:], np.eye(3 - n_given), atol=1e-12
        )
        np.testing.assert_allclose(white[:n_given, n_given:], 0, atol=1e-12)
        expected = [*MEANS[0][:n_given], *np.zeros(3 - n_given)]
        np.testing.assert_allclose(MEANS[0] @ layer.W + layer.b, expected, atol=1e-12)
    again = normals.JointNormal.of_whitening(PARTS[0].whitening(np.float64))
    np.testing.assert_allclose(again.mean, MEANS[0])
    np.testing.assert_allclose(again.covariance, COVARIANCES[0], atol=1e-12)


@pytest.mark.parametrize("n_given", [0, 1])
def test_shrinkage_is_the_one_that_serves_rows_left_out(n_given):
    X = RNG.normal(size=(12, 3)) @ ROOTS[0].T
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    weight = np.tile([1.0, 2.0], 6)
    table = canonical(Rows(X, np.float64, complete=True), weight)
    order = table.index
    scores = []
    for amount in SHRINKAGE:
        score = 0
        for k in range(5):
            out = order[k::5]
            rest = np.setdiff1d(order, out)
            mean = np.average(X[rest], axis=0, weights=weight[rest])
            own = np.cov(X[rest].T, aweights=weight[rest], ddof=0)
            own = own + np.diag(np.maximum(1e-4 - np.diag(own), 0))
            own = (1 - amount) * own + amount * np.eye(3)
            log_p = normal(mean, own).logpdf(X[out])
            if n_given:
                log_p = log_p - normal(mean[:1], own[:1, :1]).logpdf(X[out, :1])
            score += weight[out] @ log_p
        scores.append(score)
    best = SHRINKAGE[np.argmax(scores)]
    found = normals.fit_normal(table, n_given)
    np.testing.assert_allclose(found.shrinkage, best)
    np.testing.assert_allclose(found.mean, np.average(X, axis=0, weights=weight))
    whole = np.cov(X.T, aweights=weight, ddof=0)
    whole = (1 - best) * whole + best * np.eye(3)
    np.testing.assert_allclose(found.covariance, whole)


def test_an_outlier_does_not_choose_the_shrinkage():
    X = RNG.normal(size=(300, 6)) @ RNG.normal(size=(6, 6))
    X[3, 2] = 100
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    found = normals.fit_normal(canonical(Rows(X, np.float64, complete=True), None))
    assert found.shrinkage < 0.01
    np.testing.assert_allclose(found.mean, 0, atol=1e-12)


def test_a_step_of_mixtures_is_that_of_the_equation():
    X, weight = RNG.normal(size=(30, 2)), RNG.uniform(0.5, 2, 30)
    share = RNG.dirichlet(np.ones(3), 30).T * weight
    wide = np.diag([4.0, 9.0])
    for prior, shrinkage in (2.0, 0.3), (np.inf, 0.1):
        found = mixture._maximized(X, share, mixture.Shrinkage(prior, shrinkage, wide))
        n = share.sum(axis=1)
        np.testing.assert_allclose(found.weight, (n + 1) / (n + 1).sum())
        own = [np.average(X, axis=0, weights=part) for part in share[:2]]
        scatter = np.array(
            [np.cov(X.T, aweights=part, ddof=0) * part.sum() for part in share[:2]]
        )
        within = scatter.sum(axis=0) / n[:2].sum()
        for k in range(2):
            C = within
            if prior < np.inf:
                C = (scatter[k] + prior * within) / (n[k] + prior)
            C = (1 - shrinkage) * C + shrinkage * np.diag(np.diag(C))
            np.testing.assert_allclose(found.covariance[k], C, rtol=1e-6)
            np.testing.assert_allclose(found.mean[k], own[k], rtol=1e-6)
        # A further one is for rows that are far from all.
        np.testing.assert_array_equal(found.mean[2], [0, 0])
        np.testing.assert_array_equal(found.covariance[2], wide)


def test_mixtures_of_rows_with_gaps_are_expected_ones():
    X = RNG.normal(size=(6, 3))
    X[:2, 0] = X[2, 1:] = X[3, 1] = np.nan
    groups = list(rows_by_gaps(X))
    components = mixture.Components(np.exp(LOG_WEIGHT), MEANS, COVARIANCES)
    log_p, rows, spreads = mixture._expected(X, groups, components)
    for k, (mean, covariance) in enumerate(zip(MEANS, COVARIANCES)):
        for row, x in enumerate(X):
            seen = ~np.isnan(x)
            own = covariance[np.ix_(seen, seen)]
            expected = LOG_WEIGHT[k] + normal(mean[seen], own).logpdf(x[seen])
            np.testing.assert_allclose(log_p[k, row], expected)
            slope = np.linalg.solve(own, covariance[np.ix_(seen, ~seen)])
            center = mean[~seen] + (x[seen] - mean[seen]) @ slope
            np.testing.assert_allclose(rows[k, row, ~seen], center)
            np.testing.assert_array_equal(rows[k, row, seen], x[seen])
            (number,) = (i for i, (index, _) in enumerate(groups) if row in index)
            around = covariance[np.ix_(~seen, seen)] @ slope
            around = covariance[np.ix_(~seen, ~seen)] - around
            np.testing.assert_allclose(spreads[number][k], around, atol=1e-12)


def test_more_steps_of_mixtures_are_more_probable():
    """Of rows with gaps too, and by weight; clusters are those that lie apart."""
    far = np.repeat([[-4.0, 0.0], [4.0, 1.0], [0.0, 6.0]], 20, axis=0)
    X, weight = far + RNG.normal(size=far.shape), RNG.uniform(0.5, 2, 60)
    which = clusters(X, weight, np.array([0.2, 0.5, 0.8])).argmax(axis=1)
    assert len({tuple(np.unique(which[k : k + 20])) for k in (0, 20, 40)}) == 3
    shrinkage = mixture.Shrinkage(0.0, 0.0, 9 * np.eye(2))
    start = mixture._fitted(X, weight, 3, shrinkage)
    order = start.mean[:3][np.argsort(start.mean[:3, 0])]
    expected = [
        np.average(X[k : k + 20], axis=0, weights=weight[k : k + 20])
        for k in (0, 40, 20)
    ]
    np.testing.assert_allclose(order, expected, atol=0.1)
    X[::7, 0] = X[3::9, 1] = np.nan
    groups = list(rows_by_gaps(X))

    def score(components):
        log_p = mixture._expected(X, groups, components)[0]
        return weight @ logsumexp(log_p, axis=0)

    moved = start._replace(mean=0.8 * start.mean, covariance=2 * start.covariance)
    scores = [score(moved)]
    for n_steps in 1, 2, 4:
        found = mixture._refined(X, weight, moved, shrinkage, n_steps)
        scores.append(score(found))
    assert (np.diff(scores) > 0).all(), scores


@pytest.mark.parametrize("tails", [True, False])
def test_steps_are_shorter_where_rows_are_told_or_parts_are_narrow(tails):
    white = np.diag([0.5, 2.0, 3.0]) + np.triu(np.ones((3, 3)), 1)
    size = np.sqrt((white**2).sum(axis=1))
    expected = np.maximum(1, np.sqrt(size))
    np.testing.assert_allclose(_learning_rate_factors(white, (), ()), 1 / expected)
    if tails:
        own = Tails(np.zeros(3), np.log([0.1, 2.0, 0.5]))
        found, roots = _learning_rate_factors(white, (), own), [np.diag([10, 0.5, 2.0])]
    else:
        roots = 3 * ROOTS.transpose(0, 2, 1)
        base = NormalMixture(LOG_WEIGHT, MEANS, roots)
        found = _learning_rate_factors(white, base, ())
    narrow = [np.sqrt(((white @ root) ** 2).sum(axis=1)) for root in roots]
    expected = expected * np.maximum(1, np.max(narrow, axis=0) / size)
    np.testing.assert_allclose(found, 1 / expected)
