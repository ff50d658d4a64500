"""What is estimated by kernels around draws, by loops over draws and columns."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from scipy.stats import norm

from skdgm import GMMN
from skdgm.data import tabulate
from skdgm.implicit import Generator
from skdgm.implicit.kernels import Kernels
from skdgm.implicit.watch import GeneratorWatch
from skdgm.nets.stochastic.emission import Emission
from skdgm.utils.random import stream
from tests.numerical import assert_means
from tests.options import grouped

RNG = np.random.default_rng(0)
WIDTH = 0.3


def _rows(n):
    """Two numbers, two bits, a category of three and the only one of a column."""
    one_hot = np.eye(3)[RNG.integers(3, size=n)]
    bits, only = RNG.random((n, 2)) < [0.3, 0.6], np.ones(n)
    return np.column_stack([RNG.random(n), RNG.normal(size=n), bits, one_hot, only])


def _kernel(x, center, known, share):
    """Log kernel of the columns of a row that are known, given a center."""
    found = 0.0
    if known[0]:
        mass = np.diff(norm(center[0], WIDTH).cdf([0, 1]))[0]
        found += norm(center[0], WIDTH).logpdf(x[0]) - np.log(mass)
    if known[1]:
        found += norm(center[1], WIDTH).logpdf(x[1])
    for j in (2, 3):
        if known[j]:
            found += np.log(1 - share if x[j] == center[j] else share)
    if known[4]:
        same = (x[4:7] == center[4:7]).all()
        found += np.log(1 - share if same else share / 2)
    return found


def test_kernels_are_products_over_columns():
    kinds, sizes = ["gray", "gaussian", "bernoulli", "bernoulli"], [1] * 4
    centers, rows = _rows(12), _rows(6)
    emission = Emission([*kinds, "categorical", "categorical"], [*sizes, 3, 1])
    kernels = Kernels(emission, centers, WIDTH)
    known = np.ones_like(rows)
    for row, lost in enumerate([[], [0], [1, 2], [3], [4, 5, 6], range(8)]):
        known[row, list(lost)] = 0
    expected = [
        [_kernel(x, center, own, kernels.share) for center in centers]
        for x, own in zip(rows, known)
    ]
    found = kernels.log_weights(rows * known, known)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    expected = logsumexp(expected, axis=1) - np.log(12)
    np.testing.assert_allclose(kernels.log_prob(rows * known, known), expected)
    assert 1e-3 <= kernels.share <= 0.4


def test_the_share_of_other_categories_is_the_most_probable():
    rows = _rows(40)
    emission = Emission(["bernoulli", "bernoulli", "categorical"], [1, 1, 3])
    kernels = Kernels(emission, rows[:, 2:7])
    shares = np.logspace(-3, -0.4, 12)
    # Columns that are not there are not known.
    known, left_out = [0, 0, 1, 1, 1, 1, 1], []
    for share in shares:
        each = [[_kernel(x, c, known, share) for c in rows] for x in rows]
        np.fill_diagonal(each := np.array(each), -np.inf)
        left_out.append(logsumexp(each, axis=1).mean())
    np.testing.assert_allclose(kernels.share, shares[np.argmax(left_out)])


@pytest.fixture(scope="module")
def model():
    X = RNG.normal(size=(80, 3)) * [1, 10, 0.1] + [0, 5, 1]
    options = {"hidden_layer_sizes": 4, "n_components": 2, "random_state": 0}
    gmmn = grouped(GMMN, column_types="gaussian", n_draws=300, n_iter=3, **options)
    return gmmn.fit(X), X


def test_scores_and_filled_entries(model):
    gmmn, X = model
    kernels, scale = gmmn.density_.kernels(), X.std(axis=0)
    holes = X[:5].copy()
    holes[:3, 0] = holes[2:4, 2] = np.nan
    v = (holes - X.mean(axis=0)) / scale
    log_w = norm(kernels.centers, kernels.width).logpdf(v[:, None])
    log_p = logsumexp(np.nansum(log_w, axis=2), axis=1) - np.log(300)
    log_p -= (np.log(scale) * ~np.isnan(holes)).sum(axis=1)
    np.testing.assert_allclose(gmmn.score_samples(holes), log_p, rtol=1e-6)
    total = np.nansum(log_w, axis=2)
    w = np.exp(total - total.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    mean = w @ kernels.centers * scale + X.mean(axis=0)
    expected = np.where(np.isnan(holes), mean, holes)
    np.testing.assert_allclose(gmmn.impute(holes), expected, rtol=1e-6)
    many = np.tile(holes[:1], (2000, 1))
    drawn = gmmn.impute(many, method="sample", random_state=0)
    assert (drawn[:, 1:] == holes[0, 1:]).all()
    assert_means(drawn[:, 0], mean[0, 0], 5)


def test_the_monitor_is_the_discrepancy_of_draws(model):
    gmmn, X = model
    rows = gmmn._label(gmmn._rows(X), None, False, None)[0]
    table = tabulate(rows, None)
    objective = gmmn._objective(table, 0)
    state = objective.resume(gmmn._training)
    watch = GeneratorWatch(objective, table, table, state)
    x = rows.take(watch.monitored)
    fake = watch.drawn(state, watch.monitored)
    median = np.median(cdist(x, x)[np.triu_indices(len(x), 1)] ** 2) ** 0.5

    def similarity(a, b):
        parts = (cdist(a, b) / (f * median) for f in (0.125, 0.25, 0.5, 1, 2))
        return np.mean([np.exp(-0.5 * part**2).mean() for part in parts])

    def unlike(fake, x):
        both = similarity(fake, fake) + similarity(x, x)
        return np.sqrt(max(0, both - 2 * similarity(fake, x)))

    loss, held_out = watch(state)
    np.testing.assert_allclose(loss, unlike(fake, x), rtol=1e-4)
    unseen = rows.take(watch.unseen)
    fake_unseen = watch.drawn(state, watch.unseen)
    np.testing.assert_allclose(held_out, unlike(fake_unseen, unseen), rtol=1e-4)
    assert not watch.is_useless(watch.first)
    assert watch.is_useless(watch.first + 1)
    # The fifth neighbor of a row is the sixth nearest, as it is nearest to itself.
    near = np.sort(cdist(x, x), axis=1)[:, 5]
    covered = (cdist(x, fake).min(axis=1) <= near).mean()
    assert watch.collapse(state)[0] == covered


@pytest.mark.parametrize(
    "fake", [lambda x: 0 * x + x[:1], lambda x: x + 100], ids=["one row", "far"]
)
def test_rows_that_are_one_or_far_from_all_are_told_of(model, fake, monkeypatch):
    gmmn, X = model
    rows = gmmn._label(gmmn._rows(X), None, False, None)[0]
    table = tabulate(rows, None)
    objective = gmmn._objective(table, 0)
    watch = GeneratorWatch(objective, table, None, objective.resume(gmmn._training))
    monkeypatch.setattr(watch, "drawn", lambda *_: watch.x.copy())
    assert watch.collapse(None) == (1.0, "")
    monkeypatch.setattr(watch, "drawn", lambda *_: fake(watch.x))
    assert "of the variance of the data" in watch.collapse(None)[1]


def test_latent_units_of_rows_are_the_nearest(model):
    gmmn, X = model
    x, scale = X[:3].copy(), X.std(axis=0)
    x[2, 1] = np.nan

    def distance(z, row):
        gap = (gmmn.generate(z[None])[0] - row) / scale
        return np.nansum(gap**2) + z @ z / 100

    for row, z in zip(x, gmmn.invert(x)):
        best = minimize(distance, z, row)
        assert distance(z, row) < best.fun + 1e-3
        assert distance(z, row) < distance(0.9 * z, row)
        assert distance(z, row) < distance(1.1 * z, row)


def test_one_draw_has_the_narrowest_kernel():
    emission = Emission(["gaussian", "gaussian"], [1, 1])
    kernels = Kernels(emission, np.array([[0.3, -2.0]]))
    np.testing.assert_allclose(kernels.width, 0.1)
    expected = norm(0, 0.1).logpdf([[0.1, 0.0]]).sum(axis=1)
    np.testing.assert_allclose(kernels.log_prob(np.array([[0.4, -2.0]])), expected)


@pytest.mark.parametrize("spread, covered", [(0.5, 1.0), (0.3, 1.0), (1.0, 0.05)])
def test_collapse_is_told_of_by_its_shares(model, spread, covered, monkeypatch):
    gmmn, X = model
    rows = gmmn._label(gmmn._rows(X), None, False, None)[0]
    table = tabulate(rows, None)
    objective = gmmn._objective(table, 0)
    watch = GeneratorWatch(objective, table, None, objective.resume(gmmn._training))
    center, far = watch.x.mean(axis=0), np.arange(len(watch.x)) >= 4
    fake = center + spread * (watch.x - center)
    if covered < 1:
        # All rows but four are so far away that they are near none.
        fake = np.where(far[:, None], watch.x + 50 * np.sign(watch.x - center), fake)
    monkeypatch.setattr(watch, "drawn", lambda *_: fake)
    share = (cdist(watch.x, fake).min(axis=1) ** 2 <= watch.near * (1 + 1e-6)).mean()
    ratio = fake.var(axis=0).sum() / watch.x.var(axis=0).sum()
    found, told = watch.collapse(None)
    assert found == share
    # Least shares of rows, and of the variance.
    if share >= 0.1 and ratio >= 0.2:
        assert told == ""
    else:
        assert f"have {ratio:.0%} of the variance" in told
        assert told.endswith(f"cover {share:.0%}.")
    for more, useless in (0.29, False), (0.31, True):
        assert watch.is_useless(watch.first + more) is useless


@pytest.mark.parametrize("own", [True, False], ids=["streams of rows", "one stream"])
def test_latent_units_have_their_prior(own):
    rng = stream(0).rows(6000) if own else stream(0)
    for prior, n_bits in ("normal", 0), ("uniform", 0), ("bits", 5), ("mixed", 2):
        generator = Generator(None, None, 5, prior, 0.5)
        z = generator.latent(rng, 6000, np.float64)
        assert_means(np.column_stack([z, z**2]), np.repeat([0, 1], 5), 5)
        assert (np.isin(z, (-1, 1)).all(axis=0) == (np.arange(5) < n_bits)).all()
        fourth = {"uniform": 9 / 5}.get(prior, 3)
        assert_means(z[:, n_bits:] ** 4, fourth, 5)
        assert prior != "uniform" or abs(z).max() <= np.sqrt(3)
