"""Gaps in series, filled given the rows before and after."""

from itertools import product

import numpy as np
import pytest
from sklearn.base import clone

from skdgm import RNNNADE, RNNRBM, RTRBM, VRNN, ConditionalRBM
from skdgm.boltzmann._conditional import series
from skdgm.data import gaps
from skdgm.partition.enumeration import Enumeration
from skdgm.recurrent import _learning
from tests.options import grouped

RNG = np.random.default_rng(0)
X = (np.arange(240)[:, None] % [2, 3, 5] == 0) ^ (RNG.random((240, 3)) < 0.1)
X = X.astype(float)
PARTS = [X[start : start + 20] for start in range(0, 240, 20)]
SMALL = {"n_recurrent": 6, "n_iter": 30, "learning_rate": 0.02, "random_state": 0}
MODELS = [
    grouped(RNNRBM, 4, **SMALL),
    RTRBM(4, n_iter=30, learning_rate=0.05, random_state=0),
    grouped(RNNNADE, 6, **SMALL),
    grouped(VRNN, 2, n_hidden=8, n_draws=4000, **SMALL),
    ConditionalRBM(4, n_lags=2, column_types="bernoulli", n_iter=20, random_state=0),
]
models = pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)


def posterior(model, holed):
    """Means of missing bits given all others, by enumeration."""
    holes = np.isnan(holed)
    states = np.array(list(product([0.0, 1], repeat=holes.sum())))
    whole = np.repeat(holed[None], len(states), axis=0)
    whole[:, holes] = states
    log_p = np.array([score.sum() for score in model.score_samples(list(whole))])
    p = np.exp(log_p - log_p.max())
    return p @ states / p.sum()


@pytest.mark.release
@models
def test_means_and_draws_are_those_given_all_other_entries(model, monkeypatch):
    for module in _learning, series:
        monkeypatch.setattr(module, "_N_PARTICLES", 4000)
    model, holed = clone(model).fit(PARTS), X[:8].copy()
    holed[2], holed[3, 1], holed[5, 0] = np.nan, np.nan, np.nan
    exact, holes = posterior(model, holed), np.isnan(holed)
    found = model.impute(holed)
    # With some that are as good as independent, and estimated likelihoods of VRNN.
    np.testing.assert_allclose(found[holes], exact, atol=0.04)
    # What follows counts.
    alone = model.impute(holed[:3])
    if not isinstance(model, RTRBM):  # Whose states remember little.
        assert abs(alone[2] - found[2]).max() > 0.02
    for module in _learning, series:
        monkeypatch.setattr(module, "_N_PARTICLES", 100)
    if isinstance(model, VRNN):
        model.n_draws = 100
    parts = [
        model.impute([holed] * 20, method="sample", random_state=seed)
        for seed in range(10)
    ]
    drawn = np.concatenate(parts)[:, holes]
    assert set(drawn.ravel()) == {0, 1}
    np.testing.assert_allclose(drawn.mean(axis=0), exact, atol=4 * 0.5 / 200**0.5)


@pytest.mark.release
@models
def test_gaps_of_long_series_are_settled_one_by_one(model):
    model = clone(model).set_params(n_iter=2).fit(PARTS)
    if isinstance(model, VRNN):
        model.n_draws = 20
    holed = X.copy()
    for start in 10, 70, 75, 140, 230:
        holed[start : start + 3, 1:] = np.nan
    holed[-2:] = np.nan
    for method in "mean", "sample":
        found = [
            model.impute(x, method=method, random_state=0)
            for x in ([holed, X, holed[:30]], [holed, X, holed[:30]])
        ]
        for x, one, other in zip([holed, X, holed[:30]], *found, strict=True):
            np.testing.assert_array_equal(one, other)
            known = ~np.isnan(x)
            np.testing.assert_array_equal(one[known], x[known])
            assert ((one >= 0) & (one <= 1)).all()


@pytest.mark.release
def test_gaps_between_real_numbers_are_bridged():
    t = np.arange(600)
    wave = np.column_stack([np.sin(t / 5), np.cos(t / 5)])
    wave += np.random.default_rng(0).normal(0, 0.15, wave.shape)
    holed = wave[:60].copy()
    holed[20:24] = np.nan
    more = {"column_types": "gaussian", "random_state": 0}
    options = more | {"n_iter": 60, "sequence_length": 60}
    for model in [
        grouped(RNNRBM, 4, n_recurrent=12, **options),
        grouped(RNNNADE, 8, n_recurrent=12, **options),
        grouped(VRNN, 2, n_hidden=16, n_recurrent=12, n_draws=100, **options),
        grouped(ConditionalRBM, 4, n_lags=2, **more),
    ]:
        found = model.fit(wave).impute(holed)
        error = abs(found - wave[:60])[20:24].mean()
        assert error < 0.5, (type(model).__name__, error)


@pytest.mark.release
def test_categories_of_gaps_are_the_most_probable_ones():
    import pandas as pd

    X = pd.DataFrame({"a": list("xyz") * 60, "n": np.tile([1.0, 2, 4], 60)})
    holed = X.iloc[:12].copy()
    holed.loc[4, "a"], holed.loc[7, "n"] = None, np.nan
    given = {"column_types": {"n": "gaussian"}, "precision": "fixed"}
    model = grouped(
        ConditionalRBM, 6, n_lags=2, n_iter=200, random_state=0, **given
    ).fit(X)
    found = model.impute(holed)
    assert found["a"].tolist() == X["a"][:12].tolist()
    assert found["n"][7] == pytest.approx(2, abs=0.3)


def test_it_says_which_gaps_are_forecasts():
    few = MODELS[-1]
    many = clone(few).set_params(n_components=20, n_lags=1, n_iter=1)
    wide = np.repeat(X, 5, axis=1)
    for model, given, sees in (few, X, True), (many, wide, False):
        model = clone(model).set_params(n_iter=1).fit(given)
        assert ("future" in model.density_.capabilities["fill"]) == sees
        holed, changed = given[:9].copy(), given[:9].copy()
        holed[3] = changed[3] = np.nan
        changed[4:] = 1 - changed[4:]
        same = np.array_equal(model.impute(holed)[3], model.impute(changed)[3])
        assert same != sees
    for model in MODELS[:-1]:
        model = clone(model).set_params(n_iter=1).fit(X)
        assert model.density_.require("fill", "future") == "estimate"


# Bit 0 flips after each row where bit 1, a coin, is 1: means of states are no states.
COINS = np.random.default_rng(0).integers(0, 2, (40, 30))
FLIPS = [
    np.column_stack([(np.cumsum(coins) - coins) % 2, coins]).astype(float)
    for coins in COINS
]
QUICK = {"learning_rate": 0.05, "early_stopping": False, "random_state": 0}
FORECASTERS = [
    grouped(RNNRBM, 6, n_recurrent=12, n_iter=10, **QUICK),
    grouped(RTRBM, 6, n_iter=10, **QUICK),
    grouped(RNNNADE, 6, n_recurrent=12, n_iter=10, **QUICK),
    grouped(VRNN, 2, n_hidden=8, n_recurrent=12, n_draws=500, n_iter=10, **QUICK),
    ConditionalRBM(
        6, n_lags=1, n_factors=6, column_types="bernoulli", n_iter=15, random_state=0
    ),
]


@pytest.mark.parametrize("model", FORECASTERS, ids=lambda m: type(m).__name__)
def test_forecasts_are_means_over_what_comes_between(model, monkeypatch):
    monkeypatch.setattr(gaps.SeriesModel, "n_forecasts", 4000)
    monkeypatch.setattr("skdgm.recurrent._learning._N_FORECAST_PARTICLES", 4000)
    model, holed = clone(model).fit(FLIPS), FLIPS[0][:8].copy()
    # The last row of which anything is known is incomplete, too.
    holed[4, 1], holed[5, 0], holed[6:] = np.nan, np.nan, np.nan
    exact, holes = posterior(model, holed), np.isnan(holed)
    np.testing.assert_allclose(model.impute(holed)[holes], exact, atol=0.05)
    ended = holed.copy()
    ended[4:6] = FLIPS[0][4:6]
    exact, holes = posterior(model, ended), np.isnan(ended)
    np.testing.assert_allclose(model.impute(ended)[holes], exact, atol=0.05)
    if isinstance(model, VRNN | RNNNADE):
        return
    # By Gibbs steps and annealing.
    monkeypatch.setattr("skdgm.recurrent._rbm_step._MAX_ENUMERATED", 1)
    if isinstance(model, ConditionalRBM):
        monkeypatch.setattr(Enumeration, "possible", False)
    np.testing.assert_allclose(model.impute(ended)[holes], exact, atol=0.06)


def test_particles_are_chosen_in_proportion_to_weights_of_any_scale():
    cloud = object.__new__(gaps._ParticleFilter)
    for log_scale in (0, -5000, 5000):
        cloud.log_w = log_scale + np.log([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]])
        for u in (0.05, 0.5, 0.95):
            chosen = [cloud._chosen(s, u, 10) for s in range(2)]
            counts = [np.bincount(part, minlength=3).tolist() for part in chosen]
            assert counts == [[5, 3, 2], [1, 3, 6]]
