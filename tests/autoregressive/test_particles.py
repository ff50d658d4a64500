"""Likelihoods of parts of rows, by particles, held to enumeration."""

import numpy as np
import pytest

from skdgm.autoregressive import particles as source
from skdgm.autoregressive.particles import complete
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import stream
from tests.autoregressive.models import (
    CHAINS,
    SIZES,
    SOME,
    data,
    given_known,
    inside,
    made,
    model,
    noisy,
    probabilities,
    rnade,
    states,
)
from tests.numerical import assert_means

NAN = np.nan
# Rows of which what is known comes last, comes last but for one, and comes first.
HOLED = np.array(
    [[NAN, NAN, NAN, 1], [NAN, 1, NAN, 0], [NAN, 0, 0, NAN], [1, 0, NAN, NAN]]
)


@pytest.fixture(autouse=True)
def resampled(monkeypatch):
    """How many rows' particles were drawn anew."""
    found, systematic = [], source.systematic

    def spy(w, n, luck):
        found.append(len(w))
        return systematic(w, n, luck)

    monkeypatch.setattr(source, "systematic", spy)
    return found


def holed(kind):
    return np.minimum(HOLED, np.array(SIZES[kind]) - 1)


def exact(own, kind, rows):
    """Probabilities of what is known of rows."""
    X, p = states(kind), probabilities(own, kind)
    return np.array([p[((r == X) | np.isnan(r)).all(axis=1)].sum() for r in rows])


def particles(own, rows, n_each, seed=0):
    (chains, params), rng = inside(own), stream(seed).rows(len(rows))
    chain = chains.members[0]
    given = chain.prepared(chain.placed(params[0])), rows[:, chain.order], rng, n_each
    return complete(chain, *given), chain


@pytest.mark.exhaustive(default=["nade-bits", "-mixed-3-as"])
@pytest.mark.parametrize("few", [0.5, 2.0], ids=["as-needed", "always"])
@pytest.mark.parametrize("n_each", [1, 3, 20])
@pytest.mark.parametrize("kind", ["bits", "mixed"])
@pytest.mark.parametrize("name", SOME)
def test_likelihoods_are_unbiased(name, kind, n_each, few, resampled, monkeypatch):
    """However few particles there are, and however often they are drawn anew."""
    monkeypatch.setattr(source, "_RESAMPLING_THRESHOLD", few)
    own = model(name, kind)
    n, expected = 10_000 // n_each, exact(own, kind, holed(kind))
    for row, p in zip(holed(kind), expected):
        found, _ = particles(own, np.tile(row, (n, 1)), n_each)
        assert_means(np.exp(log_mean_exp(found.log_w, axis=1)[0]), p)
    assert few == 0.5 or sum(resampled) > n


def test_particles_are_drawn_anew_where_few_of_them_count(resampled):
    own = noisy(made("nade", "bits"), 3.0)
    rows = np.tile([[NAN, 1, 0, NAN], [NAN, 0, 1, NAN], [0, 1, 0, NAN]], (500, 1))
    found, _ = particles(own, rows, 50)
    assert 0 < sum(resampled) <= 2 * 1000
    for part, p in zip(range(3), exact(own, "bits", rows[:3])):
        log_w = found.log_w[part::3]
        assert_means(np.exp(log_mean_exp(log_w, axis=1)[0]), p, n_sigma=6)


@pytest.mark.parametrize("kind", ["bits", "mixed"])
@pytest.mark.parametrize("name", SOME)
def test_many_particles_find_the_likelihood(name, kind):
    own = made(name, kind, n_draws=5000, n_orders=2)
    expected = np.log(exact(own, kind, holed(kind)))
    np.testing.assert_allclose(own.score_samples(holed(kind)), expected, atol=0.05)


@pytest.mark.exhaustive(default=["codes", "mixed"])
@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("name", CHAINS)
def test_increments_add_up(name, kind):
    own = model(name, kind, ordering=(2, 0, 3, 1))
    rows = np.concatenate([holed(kind), states(kind)[:3]])
    found, chain = particles(own, rows, 16)
    total = log_mean_exp(found.log_w, axis=1)[0]
    np.testing.assert_allclose(found.log_p.sum(axis=1), total, rtol=1e-12)
    missing = np.isnan(rows[:, chain.order])
    np.testing.assert_allclose(found.log_p[missing], 0, atol=1e-12)
    known = np.broadcast_to(~missing[:, None], found.v.shape)
    given = np.broadcast_to(rows[:, None, chain.order], found.v.shape)
    np.testing.assert_array_equal(found.v[known], given[known])
    # Each particle is as likely, with all that was drawn, as the model says it is.
    whole = found.v.reshape(-1, 4)[:, chain.place]
    joint = own.score_samples(whole).reshape(found.log_joint.shape)
    np.testing.assert_allclose(found.log_joint, joint, rtol=1e-9)
    # Of rows of which nothing is missing one is exact, and so are all.
    full = own.score_features(rows[-3:])[:, chain.order]
    np.testing.assert_allclose(found.log_p[-3:], full, rtol=1e-9)
    scores = own.score_features(rows)
    np.testing.assert_allclose(scores.sum(axis=1), own.score_samples(rows), rtol=1e-9)


@pytest.mark.parametrize("name", ["nade", "network", "fvbn"])
def test_rows_keep_their_own_randomness(name):
    own = made(name, "mixed")
    rows = np.tile(holed("mixed"), (5, 1))
    whole, _ = particles(own, rows, 16)
    (chains, params), rng = inside(own), stream(0).rows(len(rows))
    chain, some = chains.members[0], np.array([17, 2, 5])
    given = (
        chain.prepared(chain.placed(params[0])),
        rows[some][:, chain.order],
        rng.take(some),
        16,
    )
    part = complete(chain, *given)
    np.testing.assert_array_equal(part.v, whole.v[some])
    np.testing.assert_allclose(part.log_w, whole.log_w[some], rtol=1e-9, atol=1e-12)
    # Rows of the same content differ, and so do particles of a row.
    assert (whole.v[0] != whole.v[4]).any()
    assert len(np.unique(whole.v[0], axis=0)) > 1


@pytest.mark.exhaustive(default=["nade-1", "fvbn-1"])
@pytest.mark.parametrize("n_orders", [1, 2])
@pytest.mark.parametrize("name", SOME)
def test_means_of_what_is_missing(name, n_orders):
    """Of bits probabilities, of codes the most probable one."""
    n, n_draws = 40, 500
    own = made(name, "mixed", n_orders=n_orders, n_draws=n_draws)
    (chains, params), X = inside(own), states("mixed")
    p = probabilities(own, "mixed")
    for row in holed("mixed"):
        rng, rows = stream(1).rows(n), np.tile(row, (n, 1))
        found = chains.fill(params, rows, rng, "mean")
        given = given_known(p, X, row)
        assert_means(found[:, [0, 2]] - given @ X[:, [0, 2]], 0, n_sigma=6)
        for j in (1, 3):
            share = np.bincount(X[:, j].astype(int), given)
            if share.max() - np.sort(share)[-2] > 0.05:
                assert (found[:, j] == share.argmax()).mean() > 0.75


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("name", CHAINS)
def test_means_of_what_comes_last_are_exact(name, kind):
    own = made(name, kind, ordering=(2, 0, 3, 1), n_draws=1)
    X, p = states(kind), probabilities(own, kind)
    row = np.array([0.0, NAN, 0, 1])
    ((_, found, _, _),) = own.impute([row])
    share = np.bincount(X[:, 1].astype(int), given_known(p, X, row))
    codes = SIZES[kind][1] > 2
    assert found == pytest.approx(share.argmax() if codes else share[1])


def test_means_of_numbers():
    own = rnade(ordering=(0, 1), scale=0.4, min_variance=0.05, n_draws=20_000)
    X = data("real")
    at = X[3, 1]
    (found,) = own.impute([[NAN, at]])
    u = np.linspace(-6, 6, 3001)
    grid = X[:, 0].mean() + X[:, 0].std() * np.sinh(u)
    line = np.column_stack([grid, np.full(len(grid), at)])
    p = np.exp(own.score_samples(line)) * np.cosh(u)
    p /= p.sum()
    mean = p @ grid
    spread = np.sqrt(p @ (grid - mean) ** 2)
    # Some 20,000 draws with weights that vary.
    assert abs(found[0] - mean) < 4.5 * spread / np.sqrt(2000)
    score = own.score_samples([[NAN, at]])[0]
    width = X[:, 0].std() * np.cosh(u) * (u[1] - u[0])
    expected = np.log(np.exp(own.score_samples(line)) @ width)
    assert score == pytest.approx(expected, abs=0.05)


def test_more_particles_raise_what_is_found():
    """On average: a log of few draws is too low."""
    own, means, errors = noisy(made("fvbn", "bits"), 2.0), [], []
    rows = np.tile([NAN, NAN, 1, 0], (3000, 1))
    for n_each in (1, 10):
        log_p = particles(own, rows, n_each)[0].log_p.sum(axis=1)
        means.append(log_p.mean())
        errors.append(log_p.std() / np.sqrt(len(rows)))
    (expected,) = np.log(exact(own, "bits", rows[:1]))
    assert means[0] + 4.5 * np.hypot(*errors) < means[1] < expected + 4.5 * errors[1]
