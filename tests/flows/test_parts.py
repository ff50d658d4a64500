"""Parts that flows begin with: heavy tails, cells of columns, and splits of rows."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import logit
from scipy.stats import t

from skdgm import Flow
from skdgm.flows._likelihood import FlowWatch, _n_noise_draws, _split_repetitions
from skdgm.flows.mixture import tails_of
from skdgm.training import canonical
from skdgm.utils.rows import Rows
from tests.options import grouped

RNG = np.random.default_rng(0)
SHORT = {"n_layers": 0, "n_iter": 0, "random_state": 0}


def test_tails_are_the_most_probable_ones():
    x = np.column_stack([RNG.standard_t(2, 300), 3 * RNG.standard_t(16, 300)])
    weight = RNG.uniform(0.5, 2, 300)
    table = canonical(Rows(x, np.float64, complete=True), weight)
    found = tails_of(table, None, 0)
    for j, own in enumerate(x.T):
        best = []
        for df in (1.5, 2, 3, 5, 8, 16, 50):

            def loss(log_scale, df=df, own=own):
                return -weight @ t(df, scale=np.exp(log_scale)).logpdf(own)

            best.append((minimize_scalar(loss, (-1, 2)), df))
        result, df = min(best, key=lambda pair: pair[0].fun)
        np.testing.assert_allclose(np.exp(found.log_df[j]), df)
        np.testing.assert_allclose(found.log_scale[j], result.x, atol=0.02)


def test_tails_of_a_constant_column_are_narrow():
    x = np.column_stack([np.zeros(50), RNG.normal(size=50)])
    found = tails_of(canonical(Rows(x, np.float64, complete=True)), None, 0)
    assert np.exp(found.log_scale[0]) < 0.1


def test_columns_between_limits_are_standardized_after_their_logit():
    share = 1 / (1 + np.exp(-RNG.normal(1, 0.5, 300)))
    counts = RNG.binomial(4, 0.6, 300)
    X = np.column_stack([-2 + 5 * share, counts, RNG.normal(7, 3, 300)])
    X[::9, 0] = np.nan
    bounds = {0: (-2, 3), 1: (0, 4)}
    flow = grouped(Flow, bounds=bounds, dequantization="uniform", **SHORT).fit(X)
    cells = flow._columns.cells
    z = logit(share[~np.isnan(X[:, 0])])
    # Whole numbers are spread over their cells: here at many places of each.
    places = counts[:, None] + (np.arange(8) + 0.5) / 8
    whole = logit(places / 5)
    center = [z.mean(), whole.mean(), X[:, 2].mean()]
    spread = [z.std(), whole.std(), X[:, 2].std()]
    np.testing.assert_allclose(cells.center, center, rtol=1e-6)
    np.testing.assert_allclose(cells.spread, spread, rtol=1e-6)
    np.testing.assert_array_equal(cells.whole, [False, True, False])
    np.testing.assert_array_equal(cells.low[:2], [-2, 0])
    np.testing.assert_array_equal(cells.high[:2], [3, 5])
    types = flow.column_types_
    assert [(one.low, one.high, one.step) for one in types.values()] == [
        (-2, 3, 0),
        (0, 4, 1),
        (None, None, 0),
    ]


def test_losses_of_independent_columns_have_noise_where_numbers_are_whole():
    X = RNG.poisson(1.0, (300, 1)).astype(float)
    flow = grouped(Flow, dequantization="uniform", **SHORT).fit(X)
    plain = grouped(Flow, dequantization=None, **SHORT).fit(X)
    own, other = (
        one._domain.loss_of_independent(one._columns) for one in (flow, plain)
    )
    wide = 0.5 * np.log1p(1 / 12 / X.var())
    np.testing.assert_allclose(own - other, wide, rtol=1e-6)


def test_rows_that_are_there_several_times_are_in_both_parts():
    rows = Rows(np.arange(4.0)[:, None], np.float64, complete=True)
    table = canonical(rows)
    times = np.array([1.0, 4.0, 10.0, 2.5])
    table = table._replace(weight=times[table.index])
    u = np.full(4, 0.3)
    train, held_out = _split_repetitions(table, 0.2, u)
    each = {0: (1, 0), 1: (3, 1), 2: (8, 2), 3: (2.5, 0)}
    for part, place in (train, 0), (held_out, 1):
        found = np.zeros(4)
        np.add.at(found, part.index, part.weight)
        np.testing.assert_allclose(found, [each[k][place] for k in range(4)])
    assert sorted(held_out.index) == [1, 2, 2]
    assert _split_repetitions(table, 0.0, u) is None
    np.testing.assert_array_equal(_n_noise_draws(np.array([0.2, 1, 2.5])), [1, 1, 3])


def test_the_monitor_adds_two_standard_errors():
    watch = object.__new__(FlowWatch)
    losses = [np.array([1.0, 2, 3, 6]), np.array([0.5, 2.5, 2, 5])]
    weight, calls = np.array([1.0, 2, 1, 4]), iter(losses)
    watch.held_out = SimpleNamespace(index=np.arange(4), weight=weight)
    watch.rows = SimpleNamespace(blocks=lambda n: [slice(0, n)])
    watch.objective = SimpleNamespace(max_held_out_draws=1)
    watch.training_loss = lambda state: 7.0
    watch._losses = lambda state, index, part: next(calls)
    w = weight / weight.sum()
    assert watch(None) == (7.0, pytest.approx(w @ losses[0]))
    gap = losses[1] - losses[0]
    error = np.sqrt((w**2 * (gap - w @ gap) ** 2).sum())
    assert watch(None)[1] == pytest.approx(w @ losses[1] + 2 * error)


def test_a_constant_column_between_limits_is_as_wide_as_what_is_uniform():
    X = np.column_stack([np.full(30, 0.3), RNG.random(30)])
    cells = grouped(Flow, bounds=(0, 1), **SHORT).fit(X)._columns.cells
    u = (np.arange(100_000) + 0.5) / 100_000
    np.testing.assert_allclose(cells.spread[0], logit(u).std(), rtol=1e-3)
    np.testing.assert_allclose(cells.center[0], logit(0.3), rtol=1e-6)
