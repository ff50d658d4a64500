"""Bases of flows: mixtures and heavy tails."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, t
from sklearn.datasets import load_iris, load_wine, make_moons
from sklearn.mixture import GaussianMixture

from skdgm import Flow
from skdgm.flows.mixture import (
    Components,
    Shrinkage,
    _expected,
    _refined,
    mixture_of,
)
from skdgm.flows.normal import fit_normal
from skdgm.nets.bases import NormalMixture, Tails, normal_log_p
from skdgm.training import canonical
from skdgm.utils.math import rows_by_gaps
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows
from skdgm.utils.threading.threads import one_blas_thread
from tests.nets.recipes import assert_slopes, numbers
from tests.options import grouped

SHORT = {"n_layers": 2, "hidden_layer_sizes": (8,), "n_iter": 20, "random_state": 0}
SHORT |= {"batch_size": 50, "learning_rate": 0.02}


def _three_clusters(n=300):
    rng = np.random.default_rng(0)
    which = rng.integers(3, size=n)
    centers = np.array([[0.0, 0, 0], [4, 0, 2], [0, 5, -2]])
    return centers[which] + rng.normal(size=(n, 3)) * [0.5, 1.0, 0.3]


CLUSTERS = _three_clusters()


def _mixture():
    rng = np.random.default_rng(0)
    root = np.triu(rng.normal(size=(3, 2, 2)), 1) + np.eye(2) * [0.5, 2.0]
    return NormalMixture(np.log([0.2, 0.3, 0.5]), rng.normal(size=(3, 2)), root)


BASES = {
    "mixture": _mixture(),
    "student": Tails(np.log([3.0, 8.0]), np.log([0.5, 2.0])),
}


@pytest.fixture(params=BASES)
def base(request):
    return BASES[request.param]


def test_normal_of_rows_with_gaps_is_shrunk():
    # Columns tell nothing of each other: more than their means is learned by heart.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 30))
    holes = rng.random(X.shape) < 0.2
    flow = Flow(base="normal", n_iter=0, random_state=0).fit(np.where(holes, np.nan, X))
    error = np.sqrt(((flow.impute(np.where(holes, np.nan, X)) - X)[holes] ** 2).mean())
    assert error < 1.1 * X[holes].std()


def test_densities_of_bases_are_those_of_scipy():
    z = numbers(7, 2, seed=1)
    log_weight, mean, root = BASES["mixture"]
    expected = sum(
        np.exp(w) * multivariate_normal(m, np.linalg.inv(R @ R.T)).pdf(z)
        for w, m, R in zip(log_weight, mean, root)
    )
    np.testing.assert_allclose(BASES["mixture"].log_p(z), np.log(expected))
    expected = t([3, 8], scale=[0.5, 2]).logpdf(z).sum(axis=1)
    np.testing.assert_allclose(BASES["student"].log_p(z), expected)


def test_densities_of_bases_have_gradients(base):
    z = numbers(7, 2, seed=1)
    assert_slopes(lambda params: base.log_p(params[0]), (z,))
    if isinstance(base, Tails):
        assert_slopes(lambda params: Tails(*params).log_p(z), tuple(base))


@pytest.mark.exhaustive
def test_draws_of_bases_have_the_density(base):
    z = base.draw(stream(0).rows(20_000), 2, float)
    assert np.isfinite(z).all()
    side = np.linspace(-30, 30, 1201)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    p = np.exp(base.log_p(grid))
    p /= p.sum()
    for function in (np.tanh, np.cos, lambda v: np.tanh(v[:, :1] * v[:, 1:])):
        own = function(z)
        error = own.std(axis=0) / np.sqrt(len(z))
        assert (abs(own.mean(axis=0) - p @ function(grid)) < 5 * error).all()


def _start(X):
    table = canonical(Rows(X, np.float64, complete=True))
    normal = fit_normal(table)
    white = normal.whitening(float)
    return table, normal, X @ white.W + white.b


def test_clusters_begin_as_a_mixture():
    X = (CLUSTERS - CLUSTERS.mean(axis=0)) / CLUSTERS.std(axis=0)
    table, normal, z = _start(X)
    with one_blas_thread():
        mixture = mixture_of(table, normal, 0)
    # Three, and one for what is far from all.
    assert len(mixture.mean) == 4
    np.testing.assert_allclose(mixture.root[-1], np.eye(3), atol=1e-9)
    expected = GaussianMixture(3, random_state=0).fit(z).score(z)
    assert expected - 0.1 < mixture.log_p(z).mean() < expected + 1e-6
    assert mixture.log_p(z).mean() > normal_log_p(z).mean() + 1


def test_normal_rows_begin_as_such():
    X = np.random.default_rng(0).normal(size=(300, 3))
    table, normal, _ = _start(X)
    with one_blas_thread():
        assert mixture_of(table, normal, 0) is None
        assert mixture_of(table, normal, 0, certain=True) is not None
        assert mixture_of(*_start(X[:9])[:2], 0, certain=True) is None


@pytest.fixture(scope="module", params=["mixture", "student"])
def flow(request):
    return grouped(Flow, base=request.param, **SHORT).fit(CLUSTERS[:, :2])


@pytest.mark.exhaustive(default=["student"])
def test_density_integrates_to_one(flow):
    side = np.linspace(-6, 11, 250)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    p = np.exp(flow.score_samples(grid))
    total = p.sum() * (side[1] - side[0]) ** 2
    np.testing.assert_allclose(total, 1, rtol=2e-2)
    drawn = flow.sample(4000, random_state=0)
    inside = (abs(drawn - 2.5) < 8.5).all(axis=1).mean()
    np.testing.assert_allclose(total, inside, atol=5e-3)
    own = np.tanh(drawn)
    error = own.std(axis=0) / np.sqrt(len(drawn))
    expected = p @ np.tanh(grid) / p.sum()
    assert (abs(own.mean(axis=0) - expected) < 5 * error + 0.01).all()


@pytest.mark.exhaustive(default=["student"])
def test_codes_and_back(flow):
    X = CLUSTERS[:, :2]
    np.testing.assert_allclose(flow.inverse_transform(flow.transform(X)), X, atol=1e-6)


@pytest.mark.release
def test_scores_of_missing_entries_are_marginal(flow):
    x = CLUSTERS[:10, :2].copy()
    x[:, 1] = np.nan
    side = np.linspace(-8, 12, 600)
    grid = [np.column_stack([np.full(600, value), side]) for value in x[:, 0]]
    whole = np.exp(flow.score_samples(np.concatenate(grid))).reshape(10, -1)
    expected = np.log(whole.sum(axis=1) * (side[1] - side[0]))
    flow.set_params(n_draws=1000)
    np.testing.assert_allclose(flow.score_samples(x), expected, atol=0.3)


def test_heavy_tails_are_learned():
    X = np.random.default_rng(0).standard_t(2.0, (600, 2)) * [1, 100]
    asked = SHORT | {"n_layers": 0, "n_iter": 60, "linear": "permutation"}
    tails, normal = (
        grouped(Flow, base=base, layer_type="affine", **asked).fit(X[:500])
        for base in ("student", "normal")
    )
    exact = t(2.0, scale=[1, 100]).logpdf(X[500:]).sum(axis=1).mean()
    assert exact - 0.15 < tails.score(X[500:]) < exact + 0.15
    assert normal.score(X[500:]) < exact - 0.3
    df = np.exp(tails.density_.base.log_df)
    assert ((df > 1.2) & (df < 4)).all()


@pytest.mark.exhaustive
def test_heavy_tails_of_columns_that_others_tell():
    X = np.random.default_rng(0).normal(size=(200, 2))
    X = np.column_stack([X, X[:, 0], X.sum(axis=1)])
    asked = SHORT | {"n_layers": 1, "early_stopping": False}
    tails = grouped(Flow, base="student", **asked).fit(X)
    begun = grouped(Flow, base="student", **asked | {"n_iter": 0}).fit(X)
    assert tails.score(X) > begun.score(X) - 5


@pytest.mark.release
@pytest.mark.parametrize("load", [load_iris, load_wine])
def test_few_rows_are_explained_better_than_by_a_normal_distribution(load):
    X, gains = load().data, []
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(X))
        train, test = X[order[30:]], X[order[:30]]
        flow = Flow(n_iter=3, random_state=0).fit(train)
        normal = Flow(n_iter=0, base="normal", random_state=0).fit(train)
        gains.append(flow.score(test) - normal.score(test))
    assert np.mean(gains) > 0.5
    assert min(gains) > 0


# Rows with missing entries, and those of them without, and other rows.
MOONS, OTHERS = (make_moons(1000, noise=0.05, random_state=seed)[0] for seed in (0, 1))
GAPS = np.where(np.random.default_rng(0).random(MOONS.shape) < 0.3, np.nan, MOONS)
WHOLE = MOONS[~np.isnan(GAPS).any(axis=1)]


def test_rows_with_gaps_begin_as_well_as_complete_ones():
    start = Flow(n_iter=0, early_stopping=False)
    gaps, whole = (start.fit(X).score(OTHERS) for X in (GAPS, WHOLE))
    assert gaps > whole - 0.05
    # Where no row is complete, the mixture has a step for those that it begins at.
    pairs = np.concatenate([WHOLE, WHOLE[::-1]], axis=1)[:150]
    pairs[np.arange(150), np.arange(150) % 4] = np.nan
    assert np.isfinite(Flow(n_iter=0, base="mixture").fit(pairs).score(pairs))


def test_components_of_rows_with_gaps_climb():
    """Steps of expectation maximization never lower the likelihood of what is seen."""
    start = Components(np.full(3, 1 / 3), np.eye(3, 2), np.stack([np.eye(2)] * 3))
    x, weight, groups = GAPS, np.linspace(0.5, 2, len(GAPS)), list(rows_by_gaps(GAPS))
    found, before = start, -np.inf
    for _ in range(8):
        found = _refined(x, weight, found, Shrinkage(0.0, 0.0, np.eye(2)), n_steps=1)
        log_p, *_ = _expected(x, groups, found)
        # The prior of the weights has one row for each component.
        now = weight @ logsumexp(log_p, axis=0) + np.log(found.weight).sum()
        assert now > before - 1e-6
        before = now


@pytest.mark.exhaustive
def test_flows_learn_from_rows_with_gaps():
    """Draws of a single normal distribution would have the flow keep to it."""
    options = SHORT | {"base": "normal", "early_stopping": False, "n_iter": 30}
    gaps, whole = (grouped(Flow, **options).fit(X).score(OTHERS) for X in (GAPS, WHOLE))
    # By one draw of each row it would be 0.2.
    assert gaps > whole - 0.1
