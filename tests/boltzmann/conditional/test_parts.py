"""Parts of conditional machines: conditions of columns, gaps at ends, parts of rows."""

from itertools import product

import numpy as np
import pytest
from scipy.special import softmax

from skdgm import ConditionalRBM
from skdgm.boltzmann._conditional.conditions import inputs
from skdgm.partition import enumeration
from tests.numerical import assert_means
from tests.options import grouped

RNG = np.random.default_rng(0)
N = 60
BITS = (RNG.random((N, 3)) < [0.3, 0.5, 0.7]).astype(float)
BITS[1:, 2] = np.where(RNG.random(N - 1) < 0.9, BITS[:-1, 0], BITS[1:, 2])
OPTIONS = {"n_iter": 15, "learning_rate": 0.1, "random_state": 0}


@pytest.fixture(scope="module")
def series():
    return grouped(ConditionalRBM, 3, n_lags=2, **OPTIONS).fit(BITS)


def test_conditions_have_means_of_zero():
    Z = np.column_stack([RNG.integers(0, 3, N), 5 + 2 * RNG.normal(size=N), BITS[:, 0]])
    kinds = "categorical", "gaussian", "bernoulli"
    model = ConditionalRBM(2, condition_types=kinds, n_iter=0, random_state=0)
    model.fit(Z, BITS)
    columns = model.density_.columns
    v = np.where(columns.coded, Z, (Z - columns.mean) / columns.scale)
    found = inputs(columns, v)
    on = np.eye(3)[Z[:, 0].astype(int)]
    assert abs(found.mean(axis=0)).max() < 3 / N
    for entries, expected in (slice(3), on), (3, Z[:, 1]), (4, Z[:, 2]):
        part, expected = found[:, entries], expected - expected.mean(axis=0)
        slope = (part * expected).sum() / (expected**2).sum()
        np.testing.assert_allclose(part, slope * expected, atol=3 / N)
        assert slope == pytest.approx(1 if expected.ndim == 2 else slope)
    assert (inputs(columns, np.full((1, 3), np.nan)) == 0).all()


def test_gaps_of_the_last_row_are_filled_given_the_row_and_those_before(series):
    filled = series.impute(np.vstack([BITS[:20], [[1.0, np.nan, np.nan]]]))
    ends = np.array([[1.0, *pair] for pair in product([0.0, 1.0], repeat=2)])
    log_p = [series.score_samples(np.vstack([BITS[:20], end]))[-1] for end in ends]
    np.testing.assert_allclose(filled[-1], softmax(log_p) @ ends, atol=1e-5)
    np.testing.assert_array_equal(filled[:-1], BITS[:20])


def test_rows_of_different_gaps_are_filled_as_each_alone():
    Z, Y = RNG.normal(size=(40, 2)), BITS[:40].copy()
    model = grouped(ConditionalRBM, 3, **OPTIONS).fit(Z, Y)
    Y[:10, 0], Y[5:15, 1], Y[12:30, 2] = np.nan, np.nan, np.nan
    alone = [model.impute(Z[i : i + 1], Y[i : i + 1])[0] for i in range(40)]
    np.testing.assert_allclose(model.impute(Z, Y), alone, atol=1e-6)
    copies = np.repeat(Z, 300, axis=0), np.repeat(Y, 300, axis=0)
    drawn = model.impute(*copies, method="sample", random_state=0)
    drawn, alone = drawn.reshape(40, 300, 3).mean(axis=1), np.array(alone)
    error = np.sqrt(np.clip(alone * (1 - alone), 0, None) / 300)
    assert (abs(drawn - alone) <= 4.5 * error + 1e-6).all()


def test_columns_of_drawn_series_stay_where_they_are():
    X = np.column_stack([np.ones(40), np.zeros(40), np.arange(40) % 2])
    model = grouped(ConditionalRBM, 2, n_lags=1, **OPTIONS).fit(X)
    drawn = model.sample(200, random_state=0)
    assert drawn.shape == (200, 3)
    assert drawn[:, 0].mean() > 0.8 > 0.2 > drawn[:, 1].mean()


def test_what_follows_a_prefix_is_drawn_given_it(series):
    for prefix in BITS[:20], BITS[:9]:
        given = {"prefix": [prefix], "n_samples": 3000, "random_state": 0}
        drawn = series.sample_sequences(1, **given)
        means = np.vstack([prefix, np.full(3, np.nan)])
        assert_means(np.array([one[0] for one in drawn]), series.impute(means)[-1])


def test_gaps_are_drawn_given_rows_after_them(series):
    found = []
    for bit in 0.0, 1.0:
        holed = BITS[:8].copy()
        holed[5, 0], holed[6, 2] = np.nan, bit
        drawn = series.impute([holed] * 200, method="sample", random_state=0)
        expected = series.impute(holed)[5, 0]
        drawn = np.array([part[5, 0] for part in drawn])
        assert abs(drawn.mean() - expected) < 0.15
        found.append(drawn.mean())
    assert found[1] > found[0] + 0.15


def test_answers_of_few_rows_at_a_time_are_those_of_all(monkeypatch):
    Z = RNG.normal(size=(20, 2))
    model = grouped(ConditionalRBM, 3, **OPTIONS).fit(Z, BITS[:20])

    def answers():
        how = {"method": "sample", "random_state": 0}
        Y = np.full((20, 3), np.nan)
        return model.predict(Z), model.transform(Z), model.impute(Z, Y, **how)

    whole = answers()
    monkeypatch.setattr(enumeration, "_MAX_ENTRIES", 1)
    for one, other in zip(answers(), whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
