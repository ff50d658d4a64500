"""Flows of whole numbers, with noise, and of columns between bounds."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from sklearn.base import clone
from sklearn.datasets import load_digits

from skdgm import Flow
from skdgm.exceptions import DataRangeWarning, MissingDataWarning, OutlierWarning
from skdgm.nets.dequantization import Cells, Dequantization, _spread, noise_net
from skdgm.nets.layers import dense, serial
from skdgm.persistence import load, save
from skdgm.utils.random import stream
from tests.nets.recipes import assert_slopes, numbers
from tests.options import grouped
from tests.suites import DTYPES

SHORT = {"n_layers": 2, "hidden_layer_sizes": (8,), "n_iter": 10, "random_state": 0}
SHORT |= {"batch_size": 50, "learning_rate": 0.02}


def _counts(n=300):
    """Counts up to 3 and up to 4, of which the second depends on the first."""
    rng = np.random.default_rng(0)
    first = rng.binomial(3, 0.4, n)
    return np.column_stack([first, rng.binomial(4, 0.1 + 0.2 * first)])


def _shares(n=300):
    rng = np.random.default_rng(0)
    a, b = rng.beta(2, 5, n), rng.beta(1, 0.5, n)
    return np.column_stack([a, 0.3 * a + 0.7 * b])


COUNTS, SHARES = _counts(), _shares()
GRID = np.stack(np.meshgrid(np.arange(4), np.arange(5)), axis=-1).reshape(-1, 2)
HOW = ["uniform", "variational"]


@pytest.fixture(scope="module", params=HOW)
def flow(request):
    bounds = {0: (0, 3), 1: (0, 4)}
    return grouped(Flow, dequantization=request.param, bounds=bounds, **SHORT).fit(
        COUNTS
    )


def _cells(per_unit=1):
    """Two columns of levels, of which the first has limits, and a real one between
    some."""
    whole = np.array([True, True, False])
    mean, scale = np.array([1.5, 2.0, 0.4]), np.array([0.7, 3.0, 0.2])
    low, high = np.array([0, -np.inf, 0]), np.array([5, np.inf, 1])
    low, high = low / per_unit, np.where(whole, high / per_unit, high)
    mean, scale = np.where(whole, (mean, scale) / np.float64(per_unit), (mean, scale))
    return Cells(mean, scale, whole, low, high, 0.3 * mean, 1.7 * scale, per_unit)


def _placed(per_unit=1):
    x = np.array([[0.0, -3, 0.2], [4, 7, 0.9], [2, 0, np.nan], [np.nan, 5, 0.5]])
    cells = _cells(per_unit)
    return (np.where(cells.whole, x / per_unit, x) - cells.mean) / cells.scale


@pytest.mark.parametrize("per_unit", [1, 16, 255])
def test_volumes_of_cells_are_slopes(per_unit):
    cells, v, step = _cells(per_unit), _placed(per_unit), 1e-6
    u = stream(0).rows(4).uniform(3)
    z, log_slope = cells.placed(v, u)
    # What moves a whole number within its cell is its noise.
    moved = [
        cells.placed(np.where(cells.whole, v, v + s / cells.scale), u + s * per_unit)[0]
        for s in (step, -step)
    ]
    slope = (moved[0] - moved[1]) / (2 * step) * cells.scale
    np.testing.assert_allclose(np.exp(log_slope), np.nan_to_num(slope, nan=1), 1e-5)
    np.testing.assert_allclose(cells.values(z), v, atol=1e-9)


@pytest.mark.parametrize("per_unit", [1, 16])
def test_noise_has_gradients(per_unit):
    cells, v, e = _cells(per_unit), _placed(per_unit), numbers(4, 2, seed=1)
    assert_slopes(lambda params: _spread(params[0], v, cells), (e,))
    net = noise_net(3, 2, serial(dense(4, "tanh")), 3, 5.0)
    _, params, statistics = net.init(np.random.default_rng(0), 5, float)
    dequantization = Dequantization(cells, net=net)
    dequantization.drawn(v, stream(0).rows(4), (params, statistics))

    def weights(params):
        return dequantization.by_net(v, e, (params, statistics))[1]

    assert_slopes(weights, params)


@pytest.mark.parametrize("n_given", [0, 2])
def test_noise_of_a_net_has_the_density_that_counts(n_given):
    """The mean of exp(log weight) is the volume of a cell in the space of the flow: of
    the noise's density, nothing is left."""
    rng = np.random.default_rng(0)
    cells = _cells()._replace(low=np.full(3, -np.inf), high=np.full(3, np.inf))
    net = noise_net(n_given + 3, 2, serial(dense(4, "tanh")), 3, 5.0)
    _, params, statistics = net.init(rng, n_given + 5, float)
    params[0][1].W[:], params[2][1].W[:] = 0.4 * rng.normal(size=(2, 4, 8))
    v = np.concatenate([np.ones((1, n_given)), _placed()[:1]], axis=1).repeat(4000, 0)
    dequantization = Dequantization(cells, n_given, net)
    z, log_w = dequantization.drawn(v, stream(0).rows(4000), (params, statistics))
    expected = np.prod(cells.scale / cells.spread)
    w = np.exp(log_w)
    assert w.std() > 0.1 * expected
    assert abs(w.mean() - expected) < 5 * w.std() / np.sqrt(4000)
    # Under these weights, noise is uniform on the cell.
    share = (z[:, n_given] * cells.spread[0] + cells.center[0]) % 1
    error = 5 * (w * share).std() / np.sqrt(4000) / expected
    assert abs((w * share).mean() / expected - 0.5) < error


@pytest.mark.release
def test_probabilities_of_whole_numbers_sum_to_one(flow):
    assert flow.density_kind_ == "lower bound"
    many = clone(flow).set_params(n_draws=1)
    one = flow.set_params(n_draws=1).score_samples(GRID)
    all_draws = flow.set_params(n_draws=600).score_samples(GRID)
    np.testing.assert_allclose(np.exp(all_draws).sum(), 1, rtol=0.02)
    assert (one - all_draws).mean() < 0.05
    assert many.get_params()["n_draws"] == 1


@pytest.mark.release
def test_probabilities_are_integrals_of_the_density(flow):
    """A midpoint rule over the noise of each cell."""
    side = (np.arange(60) + 0.5) / 60
    u = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    density, x = flow.density_, GRID[:6]
    v = (x - density.columns.mean) / density.columns.scale
    found = []
    for row in v:
        z, log_slope = density.dequantization.cells.placed(np.tile(row, (len(u), 1)), u)
        p = np.exp(density._log_p(z) + log_slope.sum(axis=1))
        found.append(np.log(p.mean() / np.prod(density.columns.scale)))
    scores = flow.set_params(n_draws=300).score_samples(x)
    np.testing.assert_allclose(scores, found, atol=0.1)
    # Probabilities of a variable alone are sums.
    holes = np.column_stack([np.arange(4.0), np.full(4, np.nan)])
    expected = np.log(np.exp(flow.score_samples(GRID)).reshape(5, 4).sum(axis=0))
    np.testing.assert_allclose(flow.score_samples(holes), expected, atol=0.15)


@pytest.mark.exhaustive
def test_draws_are_whole_numbers_of_the_density(flow):
    drawn = flow.sample(4000, 0)
    assert (drawn == np.rint(drawn)).all()
    assert (drawn.min(axis=0) >= 0).all()
    assert (drawn.max(axis=0) <= [3, 4]).all()
    p = np.exp(flow.set_params(n_draws=600).score_samples(GRID))
    for j, size in enumerate((4, 5)):
        found = np.bincount(drawn[:, j].astype(int), minlength=size) / 4000
        expected = np.bincount(GRID[:, j], p, size) / p.sum()
        error = np.sqrt(expected * (1 - expected) / 4000)
        assert (abs(found - expected) < 5 * error + 0.005).all()
    codes = flow.transform(COUNTS)
    np.testing.assert_array_equal(flow.inverse_transform(codes), COUNTS)


@pytest.mark.exhaustive(default=["variational"])
def test_missing_whole_numbers_are_filled(flow):
    holes = np.column_stack([np.repeat([0.0, 3], 150), np.full(300, np.nan)])
    flow.set_params(n_draws=20)
    mean, drawn = flow.impute(holes), flow.impute(holes, method="sample")
    for found in mean, drawn:
        assert np.isin(found[:, 1], np.arange(5)).all()
        assert found[150:, 1].mean() > found[:150, 1].mean() + 0.5
    given = flow.sample(200, 0, conditions={0: 3, 1: slice(1.5, 3)})
    assert (given[:, 0] == 3).all()
    assert set(given[:, 1]) == {2, 3}
    for wrong in {0: 2.5}, {0: 4}:
        with pytest.raises(ValueError, match="column 0 has no probability"):
            flow.sample(2, conditions=wrong)


@pytest.fixture(scope="module")
def between():
    return grouped(Flow, bounds=(0, 1), **SHORT).fit(SHARES)


def test_density_between_bounds_integrates_to_one(between):
    side = (np.arange(300) + 0.5) / 300
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    p = np.exp(between.score_samples(grid))
    assert between.density_kind_ == "exact"
    np.testing.assert_allclose(p.mean(), 1, rtol=2e-3)
    drawn = between.sample(3000, 0)
    assert ((drawn >= 0) & (drawn <= 1)).all()
    for function in (lambda v: v, lambda v: v[:, :1] * v[:, 1:]):
        own = function(drawn)
        error = own.std(axis=0) / np.sqrt(len(drawn))
        assert (abs(own.mean(axis=0) - p @ function(grid) / p.sum()) < 5 * error).all()
    codes = between.transform(SHARES)
    np.testing.assert_allclose(between.inverse_transform(codes), SHARES, atol=1e-6)


def test_density_of_one_column_between_bounds_integrates_to_one():
    flow = grouped(Flow, bounds=(-2, 3), **SHORT).fit(5 * SHARES[:, :1] - 2)
    side = -2 + 5 * (np.arange(20_000) + 0.5) / 20_000
    p = np.exp(flow.score_samples(side[:, None]))
    np.testing.assert_allclose(p.mean() * 5, 1, rtol=1e-3)
    holes = np.array([[np.nan]])
    mean = side @ p / p.sum()
    np.testing.assert_allclose(flow.impute(holes), [[mean]], atol=0.1)


@pytest.mark.exhaustive
@pytest.mark.parametrize("bounds", [None, (0, 10)])
def test_a_binomial_distribution_is_learned(bounds):
    X = np.random.default_rng(0).binomial(10, 0.3, (400, 1))
    flow = grouped(Flow, dequantization="uniform", bounds=bounds, **SHORT).fit(X)
    values = np.arange(11)
    p = binom(10, 0.3).pmf(values)
    gap = p @ (np.log(p) - flow.score_samples(values[:, None]))
    assert gap < 0.06


@pytest.mark.release
def test_frames_keep_their_whole_numbers(tmp_path):
    frame = pd.DataFrame({"n": COUNTS[:, 0].astype("int8"), "x": SHARES[:, 0]})
    frame["m"] = pd.array(COUNTS[:, 1], "Int64")
    frame.loc[::7, "m"] = pd.NA
    options = SHORT | {"n_iter": 2, "dequantization": "variational"}
    flow = grouped(Flow, bounds={"x": (0, 1)}, **options).fit(frame)
    drawn, filled = flow.sample(20, 0), flow.impute(frame)
    assert drawn.dtypes.tolist() == frame.dtypes.tolist()
    assert filled.dtypes.tolist() == frame.dtypes.tolist()
    assert drawn["x"].between(0, 1).all()
    assert flow.column_types_["n"].step == 1
    assert flow.column_types_["x"].high == 1
    save(flow, tmp_path / "flow.skdgm")
    again = load(tmp_path / "flow.skdgm")
    np.testing.assert_array_equal(again.score_samples(frame), flow.score_samples(frame))
    assert np.isfinite(again.partial_fit(frame).score(frame))
    for name in "y", 3:
        with pytest.raises(ValueError, match=f"bounds of Flow name {name!r}"):
            grouped(Flow, bounds={name: (0, 1)}, **options).fit(frame)


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", HOW)
def test_weights_are_repetitions(how):
    weight = np.tile([1, 2, 3], 20)
    flow = grouped(Flow, dequantization=how, bounds=(0, 4), **SHORT | {"n_iter": 2})
    once = flow.fit(COUNTS[:60], sample_weight=weight).score_samples(GRID)
    again = clone(flow).fit(np.repeat(COUNTS[:60], weight, 0))
    np.testing.assert_array_equal(again.score_samples(GRID), once)


def test_whole_numbers_given_classes():
    y = COUNTS[:, 0] > 1
    how = {"attribute_conditional": True, "dequantization": "variational"}
    flow = grouped(Flow, bounds=(0, 4), **how, **SHORT | {"n_iter": 3}).fit(COUNTS, y)
    given = [
        flow.score_samples(GRID, own) + np.log((y == own).mean()) for own in (0, 1)
    ]
    found = flow.score_samples(GRID)
    np.testing.assert_allclose(found, np.logaddexp(*given), rtol=1e-10)
    assert np.isin(flow.sample(50, 0, y=True), np.arange(5)).all()


def test_what_is_beyond_the_bounds():
    flow = grouped(
        Flow, bounds=(0, 4), dequantization="uniform", **SHORT | {"n_iter": 1}
    )
    with pytest.raises(ValueError, match="value 5 of column 1 is beyond the bounds"):
        flow.fit(COUNTS + [0, 1])
    flow.fit(COUNTS)
    before = flow.score_samples(COUNTS[:3])
    with pytest.raises(ValueError, match="value 0.5 of column 0 is no whole number"):
        flow.score_samples([[0.5, 1]])
    with pytest.raises(ValueError, match="bounds"):
        flow.set_params(warm_start=True, bounds=(0, 9)).fit(COUNTS)
    flow.set_params(bounds=(0, 4))
    with pytest.raises(ValueError, match="value 9 of column 0 is beyond the bounds"):
        flow.partial_fit([[9, 1]])
    with pytest.warns(DataRangeWarning, match=r"beyond the bounds of columns \[1\]"):
        flow.score_samples([[0, 7]])
    np.testing.assert_array_equal(flow.score_samples(COUNTS[:3]), before)
    for bounds in (1, 0), (1, 1), (0, np.inf), (0, 1, 2), (0, "a"), {0: 3}:
        with pytest.raises(ValueError, match="bounds of Flow must be"):
            grouped(Flow, bounds=bounds, **SHORT).fit(COUNTS)


def _levels(n=300):
    """A bit, marks from 1 to 5, counts, a constant and a real column."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "bit": rng.random(n) < 0.3,
            "mark": rng.integers(1, 6, n),
            "count": rng.poisson(30, n),
            "constant": 7,
            "real": rng.normal(size=n),
        }
    )


def test_whole_numbers_are_read_from_the_data():
    frame = _levels()
    flow = grouped(Flow, n_iter=2, random_state=0).fit(frame)
    assert flow.density_kind_ == "lower bound"
    types = flow.column_types_
    assert [types[name].step for name in frame] == [1, 1, 1, 1, 0]
    ends = [(types[name].low, types[name].high) for name in frame]
    assert ends == [(0, 1), (1, 5), (None, None), (7, 7), (None, None)]
    drawn = flow.sample(200, random_state=0)
    assert drawn.dtypes.tolist() == frame.dtypes.tolist()
    assert drawn["mark"].between(1, 5).all()
    assert (drawn["constant"] == 7).all()
    with pytest.warns(DataRangeWarning, match=r"rounds values of columns \['count'\]"):
        found = flow.score_samples(frame.assign(count=frame["count"] + 0.2))
    # Other draws of noise.
    assert abs(found - flow.score_samples(frame)).mean() < 0.2
    with pytest.warns(
        DataRangeWarning, match=r"beyond the bounds of columns \['mark'\]"
    ):
        flow.score_samples(frame.assign(mark=9))
    # Given bounds take the place of those read.
    flow = grouped(Flow, bounds={"mark": (0, 9)}, n_iter=0, random_state=0).fit(frame)
    assert flow.column_types_["mark"].high == 9
    assert flow.column_types_["bit"].high == 1


def test_later_rows_are_brought_to_the_levels_of_the_first():
    flow = grouped(Flow, n_iter=1, random_state=0)
    rows = np.column_stack([np.arange(60.0), np.arange(60) % 2])
    flow.partial_fit(rows)
    with pytest.warns(DataRangeWarning, match="rounds values"):
        flow.partial_fit(rows + [0.25, 0])
    with pytest.warns(DataRangeWarning, match=r"beyond the bounds of columns \[1\]"):
        flow.partial_fit(rows + [0, 1])
    assert np.isfinite(flow.score([[3.0, 1]]))


def test_gray_levels_have_common_bounds():
    digits = load_digits().data[:300]
    flow = grouped(Flow, n_draws=2, n_iter=1, random_state=0).fit(digits)
    types = flow.column_types_
    assert {(kind.low, kind.high, kind.step) for kind in types.values()} == {(0, 16, 1)}
    drawn = flow.sample(50, random_state=0)
    assert (drawn == drawn.round()).all()
    # The same flow for other units, but for the log-determinant of the units.
    shares = grouped(Flow, n_draws=2, n_iter=1, random_state=0).fit(digits / 16)
    types = shares.column_types_.values()
    assert {(kind.low, kind.high, kind.step) for kind in types} == {(0, 1, 1 / 16)}
    drawn = shares.sample(50, random_state=0) * 16
    assert (drawn == drawn.round()).all()
    gap = shares.score(digits / 16) - flow.score(digits) - 64 * np.log(16)
    assert abs(gap) < 2
    real = grouped(Flow, n_iter=1, random_state=0).fit(digits / 70)
    assert real.density_kind_ == "exact"


def test_bounds_by_name_hold_for_arrays_of_later_calls():
    frame = pd.DataFrame(SHARES, columns=["a", "b"])
    flow = grouped(Flow, bounds={"a": (0, 1)}, n_iter=1, random_state=0).fit(frame)
    with pytest.warns(UserWarning, match="valid feature names"):
        found = flow.score_samples(SHARES)
    np.testing.assert_array_equal(found, flow.score_samples(frame))
    with pytest.raises(ValueError, match="beyond the bounds of its column"):
        flow.partial_fit(frame + 2)


@pytest.mark.parametrize("start", [2**24, 10**9])
def test_large_integers_have_their_bounds(start):
    """float32 does not represent them."""
    X = start + np.random.default_rng(0).integers(0, 15, (400, 1))
    flow = grouped(Flow, n_iter=1, random_state=0).fit(X)
    kind = flow.column_types_[0]
    assert (kind.low, kind.high) == (start, start + 14)
    assert -6 < flow.score(X) < 0


def test_bits_beside_rates_are_bits():
    rng = np.random.default_rng(0)
    rates = rng.beta(0.1, 0.1, (300, 2)).round(2)
    X = np.column_stack([rng.integers(0, 2, (300, 4)), rates])
    flow = grouped(Flow, n_iter=1, random_state=0).fit(X)
    assert [flow.column_types_[j].step for j in range(6)] == [1] * 4 + [0] * 2
    assert np.isin(flow.sample(50, random_state=0)[:, :4], [0, 1]).all()


def test_columns_without_a_value_beside_gray_levels():
    digits = load_digits().data[:200]
    digits[:, 3] = np.nan
    with pytest.warns(MissingDataWarning, match="no observed value"):
        flow = grouped(Flow, n_draws=2, n_iter=1, random_state=0).fit(digits)
    assert flow.column_types_[3].high is None
    assert flow.column_types_[2].high == 16


@pytest.mark.parametrize("per_unit", [11, 12, 34, 60, 100, 255])
def test_the_highest_level_can_be_drawn(per_unit):
    rng = np.random.default_rng(0)
    X = (
        rng.integers(0, per_unit + 1, (300, 20)) * (rng.random((300, 20)) < 0.5)
    ).astype(float)
    X[::2] = per_unit * (X[::2] > 0)
    flow = grouped(Flow, n_iter=1, random_state=0).fit(X / per_unit)
    kind = flow.column_types_[0]
    assert (kind.high, kind.step) == (1, 1 / per_unit)
    assert flow.sample(100, random_state=0).max() == 1
    some = float(np.float32(1 / per_unit))
    drawn = flow.sample(2, random_state=0, conditions={0: 1.0, 1: some})
    np.testing.assert_allclose(drawn[:, :2], [[1, some]] * 2, rtol=1e-6)


@pytest.mark.exhaustive
def test_reading_levels_gives_the_flow_of_the_same_options():
    read = grouped(Flow, **SHORT).fit(COUNTS)
    told = grouped(
        Flow, dequantization="uniform", bounds={0: (0, 3), 1: (0, 4)}, **SHORT
    ).fit(COUNTS)
    np.testing.assert_array_equal(read.score_samples(GRID), told.score_samples(GRID))


HARD = {
    "constant": np.column_stack([COUNTS, np.full(300, 7)]),
    "rare": np.random.default_rng(0).poisson(0.05, (200, 6)),
    "one row": np.ones((1, 3)),
    "three rows": np.arange(12.0).reshape(3, 4) // 2,
    "wide": np.random.default_rng(0).integers(0, 9, (12, 30)),
    "holes": np.where(np.arange(600).reshape(-1, 2) % 5 == 0, np.nan, COUNTS),
    "one of two is real": np.column_stack([COUNTS[:, 0], SHARES[:, 0]]),
    "bits": COUNTS > 1,
}


@pytest.mark.release
@pytest.mark.parametrize("how", [*HOW, "auto"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_hard_tables_of_whole_numbers(how, dtype):
    for number, (name, X) in enumerate(HARD.items()):
        X, bounds = X.astype(dtype), (None, (0, 9))[number % 2]
        options = SHORT | {"n_iter": 1, "dequantization": how, "bounds": bounds}
        flow = grouped(Flow, n_draws=3, **options).fit(X)
        assert np.isfinite(flow.score_samples(X)).all(), name
        drawn = flow.sample(20, random_state=0)
        assert np.isfinite(drawn).all(), name
        if name != "one of two is real":
            assert (drawn == np.rint(drawn)).all(), name
        if name == "constant":
            assert (drawn[:, 2] == 7).mean() > 0.5


@pytest.mark.release
def test_an_outlier_of_counts_is_told_of():
    X = np.random.default_rng(0).poisson(5, (2000, 2))
    X[7, 1] = 10**6
    options = SHORT | {"n_iter": 2, "dequantization": "variational"}
    with pytest.warns(OutlierWarning, match="row 7"):
        flow = grouped(Flow, **options).fit(X)
    assert np.isfinite(flow.score_samples(X)).all()


@pytest.mark.exhaustive
def test_ends_of_the_bounds():
    X = np.where(SHARES < 0.2, 0, np.where(SHARES > 0.9, 1, SHARES))
    flow = grouped(Flow, bounds=(0, 1), **SHORT | {"n_iter": 3}).fit(
        X.astype(np.float32)
    )
    assert np.isfinite(flow.score_samples(X)).all()
    drawn = flow.sample(500, 0)
    assert ((drawn >= 0) & (drawn <= 1)).all()
