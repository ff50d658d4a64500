"""Linear autoregressions of RNNNADE: regressions, lags of segments, densities, and
forecasts beyond the training range."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from skdgm import RNNNADE
from skdgm.nets.recurrent import CELLS
from skdgm.optim import Clock
from skdgm.recurrent import _autoregression as autoregressions
from skdgm.recurrent._autoregression import Autoregression
from skdgm.training import segments
from skdgm.utils.random import stream
from skdgm.utils.tree import copy, leaves
from tests.numerical import numerical_gradient
from tests.options import assign, grouped
from tests.recurrent.test_rnn_nade import SMALL, shaken

RNG = np.random.default_rng(5)


def walks(*lengths, n_columns=2):
    return [RNG.normal(size=(n, n_columns)).cumsum(axis=0) for n in lengths]


def random_autoregression(n=2, n_lags=3):
    weight, early = RNG.normal(size=(n_lags * n, n)), RNG.normal(size=(n + 1, n))
    lags = np.arange(n_lags - n, n_lags) + 1
    start, C = RNG.normal(size=n), np.diag(np.arange(n) + 1.0)
    return Autoregression(
        np.arange(n),
        weight,
        start,
        C,
        lags,
        early[:-1],
        early[-1],
        np.full(n, 3.0),
        np.ones(n, bool),
    )


def test_lagged_values_of_segments_are_those_of_single_steps():
    model, lengths = random_autoregression(), np.array([9, 7, 4])
    parts = walks(*lengths)
    parts[0][[0, 3, 4], 0] = parts[1][6, 1] = parts[2][:2, 1] = np.nan
    expected, ends = [], []
    for part in parts:
        lagged = np.full((1, model.width), np.nan)
        for row in part:
            expected.append(lagged[0])
            lagged = model.followed(lagged, row[None])
        ends.append(lagged[0])
    starts, carried, found = np.cumsum(lengths) - lengths, None, {}
    X = np.concatenate(parts)
    for begin, end in [(0, 3), (3, 5), (5, 9)]:
        steps = list(range(begin, end))
        sizes = np.array([(lengths > t).sum() for t in steps])
        rows = np.concatenate([starts[:n] + t for n, t in zip(sizes, steps)])
        values, carried = model.lagged(X[rows], sizes, carried)
        found |= dict(zip(rows.tolist(), values))
    np.testing.assert_array_equal([found[row] for row in range(len(X))], expected)
    np.testing.assert_array_equal(carried, ends)


def test_without_a_ridge_errors_are_those_of_least_squares(monkeypatch):
    monkeypatch.setattr(autoregressions, "_RIDGES", np.array([1e-10]))
    lagged, y = RNG.normal(size=(12, 2, 1)), RNG.normal(size=12)
    use, ones = np.ones((2, 1), bool), np.ones(12)
    for changed in (None, 0):
        _, start, W, errors = autoregressions._ridge(y, lagged, ones, use, changed)
        for row in range(12):
            others = np.arange(12) != row
            A = np.column_stack([ones, lagged[:, :, 0]])
            coef = np.linalg.lstsq(A[others], y[others], rcond=None)[0]
            np.testing.assert_allclose(errors[row], y[row] - A[row] @ coef, rtol=1e-6)
        coef = np.linalg.lstsq(A, y, rcond=None)[0]
        np.testing.assert_allclose([start, *W[:, 0]], coef, rtol=1e-6)


def test_coefficients_of_a_process_are_learned():
    X, A = np.zeros((1500, 2)), np.array([[0.7, 0.0], [0.5, 0.2]])
    for t in range(1, len(X)):
        X[t] = 1 + X[t - 1] @ A + RNG.normal(size=2) * [0.3, 1]
    model = RNNNADE(n_iter=0, column_types="gaussian", random_state=0).fit(X)
    learned, scale = model._autoregression, X.std(axis=0)
    first = learned.weight[:2] / scale[:, None] * scale
    np.testing.assert_allclose(first, A, atol=0.1)
    errors = np.sqrt(np.diag(learned.covariance)) * scale
    np.testing.assert_allclose(errors, [0.3, 1], rtol=0.06)


def test_first_rows_have_regressions_on_the_last_row():
    model = random_autoregression()
    (X,) = walks(5)
    X[1, 0] = X[0, 1] = np.nan
    means, ratios = model.means(model.lagged(X, np.ones(5, int))[0])
    filled = X.copy()
    filled[1, 0], filled[0, 1] = X[0, 0], 0
    early = model.early_start + filled @ model.early_weight
    size = np.sqrt([1.0, 2.0])
    np.testing.assert_array_equal(means[0], 0)
    np.testing.assert_array_equal(ratios[0], 1 / size)
    # The second column has no value before the second row, and needs three.
    np.testing.assert_allclose(means[1], [early[0, 0], 0])
    for row in (2, 3):
        lagged = np.zeros(6)
        lagged[: 2 * row] = filled[:row][::-1].ravel()
        expected = model.start + lagged @ model.weight
        np.testing.assert_allclose(means[row], [expected[0], early[row - 1, 1]])
        np.testing.assert_allclose(ratios[row], [1, 3 / size[1]])
    np.testing.assert_array_equal(ratios[4], 1)


def test_columns_without_noise_are_continued():
    hour, t = np.arange(200) % 24, np.arange(200)
    frame = pd.DataFrame(
        {"hour": hour, "year": 1990 + t / 12, "y": walks(200)[0][:, 0]}
    )
    model = RNNNADE(random_state=0).fit(frame)
    (future,) = model.sample_sequences(30, prefix=[frame], random_state=0)
    np.testing.assert_array_equal(future["hour"], np.arange(200, 230) % 24)
    true = 1990 + np.arange(200, 230) / 12
    np.testing.assert_allclose(future["year"], true, atol=0.2)
    # Starts of series have no lags.
    scores = model.score_samples([frame[50:90], frame[100:140]])
    assert np.min(scores) > -100


@pytest.mark.parametrize("kinds", ["gaussian", "mixed"])
@pytest.mark.parametrize("ordering", ["given", (2, 0, 1)])
def test_untrained_densities_are_those_of_the_autoregression(kinds, ordering):
    (X,) = walks(60, n_columns=3)
    types = kinds if kinds == "gaussian" else ("numeric",) * 3
    model = RNNNADE(n_iter=0, column_types=types, ordering=ordering, random_state=0)
    model.fit(X)
    chain, learned = model.density_.net.step.chain, model._autoregression
    columns = model._columns
    if kinds == "gaussian":
        v, slope = (X - columns.mean) / columns.scale, 1 / columns.scale
    else:
        v = np.column_stack([s.forward(x) for s, x in zip(columns.scales, X.T)])
        slope = np.array([scale.slope for scale in columns.scales])
    lagged = learned.lagged(v, np.ones(60, int))[0]
    means, ratios = learned.means(lagged)
    gaps, order, late = v - means, chain.order, (ratios == 1).all(axis=1)
    assert late.sum() > 40
    deviation, expected = np.sqrt(np.diag(learned.covariance)), 0
    for t, j in enumerate(order):
        before = order[:t]
        C = learned.covariance
        coef = np.linalg.solve(C[np.ix_(before, before)], C[before, j])
        size = np.sqrt(C[j, j] - C[before, j] @ coef)
        r = (gaps[:, j] - gaps[:, before] @ coef) / size
        parts = norm.pdf(r[:, None], [-0.75, 0, 0.75], 0.8).mean(axis=1)
        expected = expected + np.log(parts / size * slope[j])
    assert (deviation < 1).all()
    found = model.score_samples(X)
    np.testing.assert_allclose(found[late], expected[late], rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize("kind", ["gaussian", "numeric"])
def test_steps_and_draws_follow_one_density(kind):
    X = np.column_stack([walks(60, n_columns=1)[0], RNG.integers(0, 2, 60)])
    options = {"n_recurrent": 3, "n_iter": 4, "random_state": 0}
    model = RNNNADE(4, column_types=(kind, "bernoulli"), **options)
    model.fit([X[:40], X[40:]])
    assert model._autoregression is not None
    shaken(model, 0.1)
    past, n = X[:9], 400
    drawn = np.stack(
        model.sample_sequences(1, prefix=[past], n_samples=2000, random_state=0)
    )[:, 0]
    low, high = X[:, 0].min() - 3, X[:, 0].max() + 3
    grid = np.linspace(low, high, n)
    p = np.zeros(n)
    for bit in (0, 1):
        parts = [np.vstack([past, [x, bit]]) for x in grid]
        p += np.exp([scores[-1] for scores in model.score_samples(parts)])
    p *= grid[1] - grid[0]
    np.testing.assert_allclose(p.sum(), 1, rtol=0.01)
    for share in (0.1, 0.5, 0.9):
        quantile = grid[np.searchsorted(np.cumsum(p), share)]
        assert abs((drawn[:, 0] <= quantile).mean() - share) < 0.04


@pytest.mark.parametrize("cell", sorted(set(CELLS) - {"logistic"}))
@pytest.mark.parametrize("kind", ["gaussian", "mixed"])
def test_gradients_and_segments(cell, kind):
    X = np.column_stack([*walks(40)[0].T, RNG.integers(0, 2, 40)])
    types = "gaussian" if kind == "gaussian" else ("numeric", "gaussian", "bernoulli")
    parts = [X[:20], X[20:33], X[33:]]
    model = grouped(
        RNNNADE, 3, cell=cell, column_types=types, **SMALL | {"n_recurrent": 2}
    )
    assign(model, solver="sgd", momentum=0.0, learning_rate=1.0, clip_norm=None)
    shaken(assign(model, schedule="constant", average=False).fit(parts), 0.2)
    table = model._begin(parts, None, None, fresh=False)
    objective = model._objective(table, 0)
    state = objective.resume(model._state())
    assert model._autoregression is not None
    (batch,) = segments(table.rows, [np.arange(3)])
    given = objective.prepare(state, batch, Clock(0, 1, 0, 1))
    before = copy(state.params)

    def loss(params):
        return objective.forward(params, given)[0].mean()

    # Gradients with respect to means are multiplied by scales, unless there are none.
    slopes = numerical_gradient(loss, before)
    after = objective.step(state, batch, Clock(0, 1, 0, 1)).params
    moved = np.concatenate(
        [(a - b).ravel() for a, b in zip(leaves(before), leaves(after))]
    )
    slopes = np.concatenate([slope.ravel() for slope in leaves(slopes)])
    assert moved @ slopes > 0
    total = []
    for length in (None, 4, 3):
        losses = 0
        for batch in segments(table.rows, [np.arange(3)], length):
            rows = table.rows.rows.take(batch.index), batch, stream(0)
            prepared = (
                *objective.prepare(state, batch, Clock(0, 1, 0, 1))[:2],
                rows[2],
            )
            losses += objective.forward(state.params, prepared)[0].sum()
        total.append(losses)
    np.testing.assert_allclose(total[1:], total[0], rtol=1e-10)


def test_trends_continue_beyond_the_training_range():
    t = np.arange(60)
    frame = pd.DataFrame({"sales": 100 + 2 * t + RNG.normal(size=60), "shop": 7})
    model = RNNNADE(random_state=0).fit(frame)
    futures = model.sample_sequences(12, prefix=[frame], n_samples=100, random_state=0)
    drawn = np.stack([future["sales"] for future in futures])
    true = 100 + 2 * np.arange(60, 72)
    errors = abs(drawn.mean(axis=0) - true), abs(frame["sales"].iloc[-1] - true)
    assert errors[0].mean() < 0.5 * errors[1].mean()
    assert all((future["shop"] == 7).all() for future in futures)
    filled = model.impute(pd.concat([frame, frame[:5] * np.nan], ignore_index=True))
    assert filled["sales"][64] > frame["sales"].max()
    # A prefix that has left the range is read as it is.
    later = frame.assign(sales=frame["sales"] + 60)
    (future,) = model.sample_sequences(1, prefix=[later], random_state=0)
    assert 260 < future["sales"][0] < 300


@pytest.mark.parametrize("low", [0.0, -1.0])
def test_draws_are_negative_only_if_values_were(low):
    x = np.abs(RNG.normal(size=60)).round(2)
    x[3] = low
    model = RNNNADE(random_state=0).fit(pd.DataFrame({"rain": x}))
    drawn = model.sample(300, random_state=0)["rain"]
    assert (drawn.min() < 0) == (low < 0)
    assert (drawn.round(2) == drawn).all()


def test_few_rows_are_not_held_out():
    (X,) = walks(80)
    assert not RNNNADE(4, n_recurrent=3, random_state=0).fit(X).validation_curve_
    model = RNNNADE(4, n_recurrent=3, early_stopping=True, random_state=0).fit(X)
    assert model.validation_curve_
    bits = RNNNADE(4, n_recurrent=3, random_state=0).fit(X > 0)
    assert bits._autoregression is None
    assert bits.validation_curve_


def test_dates_as_text_are_refused():
    days = pd.date_range("2024-02-01", periods=20)
    frame = pd.DataFrame({"day": days.strftime("%Y-%m-%d"), "y": RNG.normal(size=20)})
    with pytest.raises(ValueError, match=r"'day' has dates as text.*to_datetime"):
        RNNNADE(n_iter=1).fit(frame)
    frame["day"] = frame["day"][::-1].to_numpy()
    RNNNADE(4, n_recurrent=3, n_iter=1).fit(frame)
    frame["day"] = pd.to_datetime(days)
    model = RNNNADE(4, n_recurrent=3, n_iter=1, random_state=0).fit(frame)
    (future,) = model.sample_sequences(3, prefix=[frame], random_state=0)
    assert future["day"].tolist() == list(pd.date_range("2024-02-21", periods=3))


def test_one_series_of_several_columns_with_gaps_is_forecast():
    (X,) = walks(60, n_columns=3)
    X[RNG.random(X.shape) < 0.2] = np.nan
    X[-4:, 0] = np.nan
    model = RNNNADE(8, n_recurrent=5, random_state=0).fit(X)
    drawn = np.stack(
        model.sample_sequences(3, prefix=[X], n_samples=50, random_state=0)
    )
    last = X[:-4, 0][~np.isnan(X[:-4, 0])][-1]
    assert abs(drawn[:, 0, 0].mean() - last) < 2.5
    assert np.isfinite(drawn).all()
    assert np.isfinite(model.impute(X)).all()
    assert np.isfinite(model.score_samples(X)).all()
