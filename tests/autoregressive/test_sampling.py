"""Draws are as frequent as exact probabilities say."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from skdgm import NADE
from skdgm.exceptions import DataRangeWarning, MissingDataWarning
from skdgm.options import Columns
from tests.autoregressive.models import (
    CHAINS,
    FAMILIES,
    ORDERLESS,
    SIZES,
    SOME,
    data,
    given_known,
    made,
    model,
    probabilities,
    rnade,
    states,
)
from tests.numerical import assert_means
from tests.reference import standard_error

ORDER = (2, 0, 3, 1)
NAN = np.nan
N, OFTEN = 10_000, 10
# Rows of which something is missing; 0 is a value of all columns.
HOLED = np.array(
    [[NAN] * 4, [NAN, 0, 0, NAN], [1, NAN, NAN, 1], [0, 1, 0, NAN], [NAN, 1, NAN, NAN]]
)


def holed(kind):
    return np.minimum(HOLED, np.array(SIZES[kind]) - 1)


def assert_frequent(rows, X, p, bias=0.0):
    """Rows are as frequent as they are probable, within standard errors; the rarest
    ones together are, for of what is not expected to be there so often, errors are not
    normal."""
    found = (rows[:, None] == X).all(axis=2).mean(axis=0)
    assert found.sum() == pytest.approx(1)
    assert not found[p == 0].any()
    order = p.argsort()
    n_rare = 1 + np.searchsorted(np.cumsum(p[order]), OFTEN / len(rows))
    starts = [0, *range(n_rare, len(p))]
    p, found = (np.add.reduceat(part[order], starts) for part in (p, found))
    assert len(p) > 1 or n_rare == 1
    gap = abs(found - p)
    assert (gap <= 4.5 * standard_error(p, len(rows)) + bias + 1e-9).all()


@pytest.mark.exhaustive(default=["nade-", "-bits-1"])
@pytest.mark.parametrize("kind, n_orders", [*((k, 1) for k in SIZES), ("mixed", 3)])
@pytest.mark.parametrize("name", FAMILIES)
def test_samples_are_as_frequent_as_they_are_probable(name, kind, n_orders):
    own = model(name, kind, ordering=ORDER, n_orders=n_orders)
    rows = own.sample(N, random_state=0)
    assert_frequent(rows, states(kind), probabilities(own, kind))


@pytest.mark.parametrize("name", ["nade", "orderless", "fvbn"])
def test_samples_in_float32(name):
    own = model(name, "bits", ordering=ORDER)
    p = probabilities(own, "bits")
    single = made(name, "bits", ordering=ORDER)
    single.fit(data("bits").astype(np.float32))
    for own_leaf, leaf in zip(
        single.coefs_ + single.intercepts_, own.coefs_ + own.intercepts_, strict=True
    ):
        own_leaf[:] = leaf
    if name == "orderless":
        single._training.learned.mask_weights[:] = own._training.learned.mask_weights
    rows = single.sample(N, random_state=0)
    assert rows.dtype == np.float32
    assert_frequent(rows, states("bits"), p)


@pytest.mark.parametrize("kind", ["bits", "mixed"])
@pytest.mark.parametrize("name", SOME)
def test_conditional_samples_are_as_frequent_as_they_are_probable(name, kind):
    n, n_draws = 600, 100
    own = made(name, kind, ordering=ORDER, n_draws=n_draws)
    X, p = states(kind), probabilities(own, kind)
    rows = own.conditional_sample(holed(kind), n_samples=n, random_state=0)
    for row, found in zip(holed(kind), np.split(rows, len(HOLED)), strict=True):
        # One of some weighted draws has the distribution up to a share of 1 / n_draws.
        assert_frequent(found, X, given_known(p, X, row), bias=1 / n_draws)


@pytest.mark.parametrize("kind", ["bits", "mixed"])
@pytest.mark.parametrize("name", ["nade", "made"])
def test_conditional_samples_of_ensembles(name, kind):
    n, n_draws = 600, 100
    own = made(name, kind, n_orders=3, ordering=ORDER, n_draws=n_draws)
    X, p = states(kind), probabilities(own, kind)
    rows = own.conditional_sample(holed(kind)[1:3], n_samples=n, random_state=0)
    for row, found in zip(holed(kind)[1:3], np.split(rows, 2), strict=True):
        assert_frequent(found, X, given_known(p, X, row), bias=1 / n_draws)


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("name", CHAINS)
def test_a_single_draw_of_what_comes_last_is_exact(name, kind):
    own = made(name, kind, ordering=ORDER, n_draws=1)
    X, p = states(kind), probabilities(own, kind)
    row = np.array([[0.0, NAN, 1, NAN]])
    row = np.minimum(row, np.array(SIZES[kind]) - 1)
    rows = own.conditional_sample(row, n_samples=5000, random_state=0)
    assert_frequent(rows, X, given_known(p, X, row[0]))


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("name", CHAINS)
def test_modes_are_the_most_probable_rows(name, kind):
    own = made(name, kind, ordering=ORDER, n_draws=500)
    X, p = states(kind), probabilities(own, kind)
    found = own.impute(holed(kind), method="mode")
    for row, mode in zip(holed(kind), found):
        given = given_known(p, X, row)
        np.testing.assert_array_equal(mode, X[given.argmax()])
    np.testing.assert_array_equal(own.impute(holed(kind), method="mode"), found)


@pytest.mark.exhaustive(default=["gaussian-nade"])
@pytest.mark.parametrize("name", [*(n for n in FAMILIES if n != "fvbn"), "rnade"])
@pytest.mark.parametrize("shape", ["gaussian", "laplace"])
def test_samples_of_numbers_have_the_moments_of_the_density(name, shape):
    options = {"conditional": shape, "ordering": (1, 0), "scale": 0.4}
    options["min_variance"] = 0.05
    own = rnade(**options) if name == "rnade" else made(name, "real", **options)
    rows, X = own.sample(N, random_state=0), data("real")
    # The first column has the other missing, which comes later.
    u = np.linspace(-6, 6, 3001)
    grid = X[:, 1].mean() + X[:, 1].std() * np.sinh(u)
    width = X[:, 1].std() * np.cosh(u) * (u[1] - u[0])
    line = np.column_stack([np.full(len(grid), NAN), grid])
    p = np.exp(own.score_samples(line)) * width
    for function in (np.tanh, np.sin, lambda x: x > -3):
        assert_means(function(rows[:, 1]), p @ function(grid))
    # The other, given this one.
    at = X[0, 1]
    drawn = own.conditional_sample([[NAN, at]], n_samples=4000, random_state=0)
    assert (drawn[:, 1] == at).all()
    grid = X[:, 0].mean() + X[:, 0].std() * np.sinh(u)
    width = X[:, 0].std() * np.cosh(u) * (u[1] - u[0])
    line = np.column_stack([grid, np.full(len(grid), at)])
    p = np.exp(own.score_samples(line)) * width
    p /= p.sum()
    for function in (np.tanh, np.sin, lambda x: x > 1):
        assert_means(function(drawn[:, 0]), p @ function(grid))


@pytest.mark.exhaustive(default=["nade", "deep", "made"])
@pytest.mark.parametrize("name", FAMILIES)
def test_samples_of_tables(name):
    own = model(name, "table", ordering=(2, 1, 0), scale=0.4, min_variance=0.05)
    rows, X = own.sample(N, random_state=0), data("table")
    assert set(rows[:, 0]) == {0, 1}
    assert set(rows[:, 2]) == {0, 1, 2}
    u = np.linspace(-6, 6, 2001)
    grid = X[:, 1].mean() + X[:, 1].std() * np.sinh(u)
    width = X[:, 1].std() * np.cosh(u) * (u[1] - u[0])
    for bit in (0.0, 1.0):
        for code in (0.0, 1.0, 2.0):
            line = np.column_stack([0 * grid + bit, grid, 0 * grid + code])
            p = np.exp(own.score_samples(line)) * width
            here = (rows[:, 0] == bit) & (rows[:, 2] == code)
            for function in (np.ones_like, np.tanh, lambda x: x > 1):
                assert_means(here * function(rows[:, 1]), p @ function(grid))


@pytest.mark.parametrize("name", FAMILIES)
def test_draws_are_new_and_settled_by_a_seed(name):
    own = model(name, "mixed", n_orders=2)
    one = own.sample(50, random_state=0)
    np.testing.assert_array_equal(own.sample(50, random_state=0), one)
    assert (own.sample(50, random_state=1) != one).any()
    # More rows begin with the same ones.
    np.testing.assert_array_equal(own.sample(2500, random_state=0)[:50], one)
    X = np.repeat(holed("mixed")[:1], 50, axis=0)
    for method in ("mean", "mode"):
        assert len(np.unique(own.impute(X, method=method), axis=0)) == 1
    assert len(np.unique(own.impute(X, method="sample", random_state=0), axis=0)) > 5


@pytest.mark.parametrize("name", [CHAINS[0], ORDERLESS[0]])
def test_bad_methods_are_named(name):
    own = model(name, "bits")
    with pytest.raises(ValueError, match="'mean', 'mode' or 'sample', not 'median'"):
        own.impute(HOLED[:1], method="median")
    for n_samples in (0, 1.5):
        with pytest.raises((ValueError, TypeError), match="n_samples"):
            own.sample(n_samples)
        with pytest.raises((ValueError, TypeError), match="n_samples"):
            own.conditional_sample(HOLED[:1], n_samples=n_samples)


@pytest.mark.exhaustive(default=["nade", "deep", "fvbn"])
@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_known_stays(name):
    own = model(name, "table", n_orders=2)
    X = data("table")
    X[::2, 1], X[1::3, 0], X[2::5, 2] = NAN, NAN, NAN
    known = ~np.isnan(X)
    for method in ("mean", "mode", "sample"):
        found = own.impute(X, method=method)
        assert np.isfinite(found).all()
        np.testing.assert_array_equal(found[known], X[known])
        assert set(found[:, 2]) <= {0, 1, 2}
        if method != "mean":
            assert set(found[:, 0]) <= {0, 1}
    np.testing.assert_array_equal(own.impute(data("table")), data("table"))


@pytest.mark.exhaustive(default=["float64-float64"])
@pytest.mark.parametrize(
    "given, kept",
    [
        (np.float16, np.float32),
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.int16, np.float32),
        (np.int64, np.float64),
    ],
)
def test_known_numbers_stay_to_the_last_digit(given, kept, tmp_path):
    X = np.array([[2023.0, 1], [2024, 0], [2021, 1], [2020, 0]], np.float32)
    own = NADE(3, "gaussian", n_iter=1, random_state=0).fit(X)
    X = X.astype(given)
    if np.dtype(given).itemsize == 8:
        X[:, 0] = 20240115
    elif X.dtype.kind == "f":
        X[0, 1] = NAN
    np.save(tmp_path / "rows.npy", X)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    for rows in (X, mapped, sp.csr_array(X.astype(kept))):
        found = own.impute(rows)
        assert found.dtype == kept
        known = ~np.isnan(X)
        np.testing.assert_array_equal(found[known], X[known])
        assert np.isfinite(found).all()


def test_what_is_known_and_no_bit_is_seen_clipped_and_stays():
    own = model("nade", "bits")
    with pytest.warns(DataRangeWarning, match="clips them"):
        found = own.impute([[2, NAN, -1, 0.5]])
    np.testing.assert_array_equal(found[0, [0, 2, 3]], [2, -1, 0.5])
    assert found[0, 1] == own.impute([[1, NAN, 0, 0.5]])[0, 1]


class Rows:
    """What is an array, if asked."""

    def __array__(self, dtype=None, copy=None):
        return HOLED


@pytest.mark.parametrize(
    "convert",
    [
        np.ndarray.tolist,
        list,
        sp.coo_matrix,
        sp.dia_matrix,
        sp.csc_array,
        lambda _: Rows(),
    ],
)
def test_conditions_are_of_any_type_of_rows(convert):
    own = model("nade", "bits")
    drawn = own.conditional_sample(convert(HOLED), n_samples=3, random_state=0)
    expected = own.impute(np.repeat(HOLED, 3, axis=0), method="sample", random_state=0)
    np.testing.assert_array_equal(drawn, expected)


@pytest.mark.parametrize("wrong", [None, 1.5, "rows", [1, 2], HOLED[:0], HOLED[:, :2]])
def test_conditions_are_refused_as_other_rows_are(wrong):
    own = model("nade", "bits")
    with pytest.raises(ValueError) as expected:
        own.impute(wrong)
    with pytest.raises(ValueError) as found:
        own.conditional_sample(wrong)
    assert str(found.value) == str(expected.value)


def test_frames_keep_their_labels():
    pd = pytest.importorskip("pandas")
    rows = data("table")
    frame = pd.DataFrame(
        {"bit": rows[:, 0] > 0, "number": rows[:, 1], "code": rows[:, 2].astype(int)},
        index=np.arange(len(rows)) + 100,
    )
    own = NADE(3, "mixed", n_iter=1, random_state=0).fit(frame)
    part = frame.iloc[5:1:-1].astype({"bit": object, "code": float})
    part.iloc[0, 0], part.iloc[1, 2], part.iloc[2, 1] = None, NAN, NAN
    part.iloc[3, 2] = 1.4
    with pytest.warns(MissingDataWarning, match="not see in fit .* 1.4 in .*'code'"):
        found = own.impute(part)
    pd.testing.assert_index_equal(found.index, part.index)
    assert (found.dtypes == part.dtypes).all()
    assert not found.isna().any(axis=None)
    pd.testing.assert_frame_equal(found.where(part.notna()), part.where(part.notna()))
    pd.testing.assert_frame_equal(part.fillna(found), found)
    part.iloc[3, 2] = 1
    drawn = own.conditional_sample(part, n_samples=2, random_state=0)
    pd.testing.assert_index_equal(drawn.index, part.index.repeat(2))
    pd.testing.assert_frame_equal(own.impute(frame), frame)
    plain = pd.RangeIndex(4)
    assert own.sample(4, random_state=0).index.equals(plain)
    with pytest.warns(UserWarning, match="valid feature names"):
        found = own.impute(rows[:4])
    assert found.index.equals(plain)


def test_orders_are_of_numbers():
    with pytest.raises(ValueError, match="ordering must be"):
        NADE(3, ordering=(True, False)).fit(HOLED[:, :2])


@pytest.mark.parametrize("convert", [list, tuple, np.array])
@pytest.mark.parametrize("output", ["categorical", ("categorical",) * 4])
def test_room_for_categories_is_a_list_of_any_type(output, convert):
    room = convert([2, 3, 4, 5])
    own = NADE(3, Columns(output, min_categories=room), n_iter=1).fit(states("bits"))
    assert own._columns.sizes.tolist() == [2, 3, 4, 5]
    clone(own).fit(states("bits")).partial_fit([[1, 2, 3, 4]])
