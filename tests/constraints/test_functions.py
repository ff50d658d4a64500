"""Columns that are functions of others: exact in draws, scores and imputed rows."""

import numpy as np
import pandas as pd
import pytest

from skdgm import ConstrainedTable, EoNADE
from skdgm.constraints import (
    FixedCombinations,
    Function,
    Linear,
    Product,
    Range,
    Sum,
    find_constraints,
)
from skdgm.exceptions import ConstraintError
from tests.constraints.tables import APART
from tests.options import grouped

MODEL = grouped(EoNADE, (8,), n_iter=2, n_orderings=2)


def orders(n=400, seed=0):
    """Orders with functions of all kinds between columns."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"month": rng.integers(1, 36, n)})
    frame["ads"] = rng.normal(50, 20, 36).round(2)[frame["month"]]
    frame["price"] = rng.integers(100, 999, n) / 100
    frame["number"] = rng.integers(1, 9, n)
    frame["total"] = (frame["price"] * frame["number"]).round(2)
    frame["net"], frame["tax"] = rng.gamma(2, 9, (2, n)).round(2)
    frame["gross"] = (frame["net"] + frame["tax"]).round(2)
    frame["celsius"] = rng.normal(15, 9, n).round(1)
    frame["fahrenheit"] = (1.8 * frame["celsius"] + 32).round()
    frame["age"] = rng.integers(17, 90, n)
    frame["group"] = np.array(["young", "old"])[(frame["age"] > 45).astype(int)]
    frame["date"] = pd.Timestamp("2015-01-01") + pd.to_timedelta(
        rng.integers(0, 2500, n), "D"
    )
    seasons = np.array(["winter", "spring", "summer", "fall"])
    frame["season"] = seasons[frame["date"].dt.month % 12 // 3]
    frame["city"] = rng.choice(list("abcdefgh"), n)
    frame["land"] = frame["city"].map(dict(zip("abcdefgh", "xxyyzzzz")))
    return frame


FOUND = {
    Function("season", "date", "month"),
    Sum("gross", ["net", "tax"]),
    Linear("fahrenheit", ["celsius"], [1.8], 32),
    Product("total", ["price", "number"]),
    FixedCombinations(["month", "ads"]),
    FixedCombinations(["city", "land"]),
    Function("group", "age"),
}


def holds(constraints, train, rows):
    return [bool(c.steps(train)[0].holds(rows).all()) for c in constraints]


def learned(constraints):
    return [c for c in constraints if not isinstance(c, Sum)]


def sums(rows):
    return bool(np.isclose(rows["gross"], rows["net"] + rows["tax"]).all())


def test_all_kinds_are_found_and_kept():
    X = orders()
    assert set(find_constraints(X)) == FOUND
    table = ConstrainedTable(MODEL, "auto", random_state=0).fit(X)
    assert set(table.constraints_) == FOUND
    assert table.by_rejection_ == ()
    drawn = table.sample(500, random_state=0)
    assert (drawn.dtypes == X.dtypes).all()
    assert drawn.notna().all(axis=None)
    assert all(holds(learned(FOUND), X, drawn))
    assert sums(drawn)
    assert np.isfinite(table.score_samples(X)).all()
    assert table.acceptance_rate(100, random_state=0) == 1


def test_missing_values_neither_hide_functions_nor_break_them():
    X = orders(1500)
    holed = X.mask(np.random.default_rng(1).random(X.shape) < 0.15)
    assert set(find_constraints(holed)) == FOUND
    table = ConstrainedTable(MODEL, "auto", random_state=0).fit(holed)
    imputed = table.impute(holed[:300], method="sample", random_state=0)
    assert imputed.notna().all(axis=None)
    known = holed[:300].notna()
    assert ((imputed == X[:300]) | ~known).all(axis=None)
    assert all(holds(learned(FOUND), X, imputed))
    assert sums(imputed)


def without(frame, names):
    """A table without the values of some columns."""
    hidden = frame.columns.isin(names)[None].repeat(len(frame), axis=0)
    return frame.mask(hidden)


def test_entries_that_follow_from_others():
    X = orders()
    table = ConstrainedTable(MODEL, "auto", random_state=0).fit(X)
    whole = ["ads", "total", "gross", "fahrenheit", "group", "season", "land"]
    filled = table.impute(without(X, whole))
    pd.testing.assert_frame_equal(filled, X, check_dtype=False)
    parts = X[:100]
    filled = table.impute(without(parts, ["number", "tax"]))
    pd.testing.assert_frame_equal(filled, parts, check_dtype=False)
    # The source is one of those that have the known target.
    sources = ["city", "date", "age", "celsius", "month"]
    filled = table.impute(without(parts, sources), method="sample", random_state=0)
    assert filled.notna().all(axis=None)
    assert all(holds(learned(FOUND), X, filled))
    assert filled.drop(columns=sources).equals(parts.drop(columns=sources))


@pytest.mark.parametrize("part", [None, "month"])
def test_scores_are_those_of_the_other_columns(part):
    X = orders()[["date", "season", "city", "land"]]
    constraints = [
        Function("season", "date", part),
        FixedCombinations(["city", "land"]),
    ]
    table = ConstrainedTable(APART, constraints).fit(X)
    others = table.estimator_.score_samples(table._plan.forward(X))
    np.testing.assert_allclose(table.score_samples(X), others)
    assert list(table._plan.forward(X)) == ["date", "city"]
    # Rows that break a function have probability 0.
    broken = X[:2].copy()
    broken.loc[0, "season"] = "fall" if X.loc[0, "season"] != "fall" else "winter"
    broken.loc[1, "land"] = "x" if X.loc[1, "land"] != "x" else "y"
    assert np.isneginf(table.score_samples(broken)).all()
    # A missing target says nothing, and a missing root is a sum.
    missing = X[:9].assign(season=None, land=None)
    np.testing.assert_allclose(table.score_samples(missing), others[:9])


def test_functions_of_numbers_names_and_dates():
    frame = pd.DataFrame({"x": [1, 2, 3, 7, 8, 9], "y": list("aaabbb")})
    step = Function("y", "x").steps(frame)[0]
    rows = pd.DataFrame({"x": [0, 4, 5, 6, 20, 5, 5], "y": list("aaabbab")})
    assert step.holds(rows).all()
    found = step.backward({}, rows, codec_of(frame))["y"]
    assert found.tolist() == list("aaabbaa")
    other = rows.assign(y=list("bbbaacc"))
    assert step.holds(other).tolist() == [False, True, True, True, False, False, False]
    named = Function("x", "y").steps(frame.drop(index=[1, 2, 4, 5]))[0]
    rows = pd.DataFrame({"x": [1.0, 7, 7, np.nan, 3], "y": ["a", "b", "a", "a", "c"]})
    assert named.holds(rows).tolist() == [True, True, False, True, False]
    dates = pd.DataFrame(
        {"d": pd.to_datetime(["2020-01-05", "2020-02-07"]), "y": ["a", "b"]}
    )
    step = Function("y", "d", "month").steps(dates)[0]
    rows = pd.DataFrame(
        {"d": pd.to_datetime(["2021-01-31", "2021-02-01", "2021-03-01", None])}
    )
    assert step.holds(rows.assign(y=["a", "b", "b", "b"])).tolist() == [1, 1, 0, 1]
    periods = dates.assign(d=dates["d"].dt.to_period("D"))
    assert Function("y", "d", "month").holds(periods).all()
    assert (
        Function("y", "d", "day_of_week")
        .holds(dates.assign(d=dates["d"].dt.date))
        .all()
    )


def codec_of(frame):
    from skdgm.data.frames import Codec

    return Codec.of(frame)


def test_products_and_linear_combinations_are_solved():
    frame = pd.DataFrame({"a": [2.0, 3, 4], "b": [0.5, 0.25, 2], "t": [1.0, 0.75, 8]})
    step = Product("t", ["b", "a"]).steps(frame)[0]
    assert step.parts == ("a", "b")
    assert step.holds(frame).all()
    assert not step.holds(frame.assign(t=5.0)).any()
    codec = codec_of(frame)
    holed = frame.assign(b=np.nan)
    assert step.completed(dict(holed), codec)["b"].tolist() == [0.5, 0.25, 2]
    zero = holed.assign(a=0.0, t=0.0)
    assert step.completed(dict(zero), codec)["b"].isna().all()
    # A square has a root, and a sum of both factors none.
    square = Product("s", ["a", "a"]).steps(frame.assign(s=frame["a"] ** 2))[0]
    assert square.solved("a", {"s": 9.0}) == 3
    frame["t"] = 2 * frame["a"] - 4 * frame["b"] + 1
    step = Linear("t", ["a", "b"], [2, -4], 1).steps(frame)[0]
    assert step.holds(frame).all()
    assert not step.holds(frame.assign(t=9.0)).any()
    assert step.completed(dict(frame.assign(b=np.nan)), codec)["b"].equals(frame["b"])
    given = frame.assign(a=np.nan, b=np.nan)
    drawn = dict(frame.assign(a=frame["a"] + 2))
    changed = step.adjusted(drawn, given, codec)
    assert changed["b"].tolist() == (frame["b"] + 1).tolist()
    assert "a" not in changed


@pytest.mark.parametrize(
    "make, error, told",
    [
        (lambda: Function("a", "a"), ValueError, "twice"),
        (lambda: Function("a", ["b"]), TypeError, "names of columns"),
        (lambda: Function("a", "b", "century"), ValueError, "part"),
        (lambda: Linear("a", ["b"], [1, 2]), ValueError, "weight for each"),
        (lambda: Linear("a", ["b"], [np.nan]), ValueError, "finite"),
        (lambda: Linear("a", ["b"], [1], np.inf), ValueError, "finite"),
        (lambda: Linear("a", ["b"], [0]), ValueError, "weight 0"),
        (lambda: Linear("a", ["a"], [1]), ValueError, "part of itself"),
        (lambda: Product("a", ["b"]), ValueError, "two or more"),
        (lambda: Product("a", "bc"), ValueError, "1 or more"),
        (lambda: Product("a", ["a", "b"]), ValueError, "part of itself"),
    ],
)
def test_declarations_are_checked(make, error, told):
    with pytest.raises(error, match=told):
        make()


@pytest.mark.parametrize(
    "constraint, told",
    [
        (Function("season", "city", "month"), "not of dates"),
        (Linear("total", ["date"], [1]), "instead of numbers"),
        (Product("total", ["price", "city"]), "neither of numbers"),
    ],
)
def test_types_are_checked(constraint, told):
    with pytest.raises(TypeError, match=told):
        ConstrainedTable(MODEL, [constraint]).fit(orders(40))


@pytest.mark.parametrize("name", ["season", "land", "total", "fahrenheit"])
def test_rows_that_break_functions(name):
    X = orders(200)
    broken = X.copy()
    broken.loc[7, name] = X[name][X[name] != X.loc[7, name]].iloc[0]
    constraint = next(c for c in FOUND if name in c.columns and not isinstance(c, Sum))
    if isinstance(constraint, FixedCombinations):
        constraint = Function("land", "city")
    with pytest.raises(ConstraintError, match="1 of 200 rows break"):
        ConstrainedTable(MODEL, [constraint]).fit(broken)
    table = ConstrainedTable(MODEL, [constraint], handle_invalid="drop").fit(broken)
    assert np.isneginf(table.score_samples(broken)[7])
    assert np.isfinite(table.score_samples(X)).all()


def test_unlisted_relations_and_tables():
    with pytest.raises(TypeError, match="pd.DataFrame"):
        find_constraints(np.zeros((3, 2)))
    with pytest.raises(TypeError, match="pd.DataFrame"):
        ConstrainedTable(MODEL, "auto").fit(np.zeros((30, 2)))
    with pytest.raises(ValueError, match="constraints"):
        ConstrainedTable(MODEL, "automatic").fit(orders(40))
    assert find_constraints(orders(3)) == [] == find_constraints(orders(9)[:0])
    wide = pd.DataFrame(np.zeros((9, 300)))
    assert find_constraints(wide) == []
    # A table without functions is fitted as it is.
    X = orders(60)[["net", "celsius"]]
    plain = ConstrainedTable(MODEL, "auto", random_state=0).fit(X)
    assert plain.constraints_ == ()
    assert len(plain.sample(3, random_state=0)) == 3
    assert np.isfinite(plain.score_samples(X)).all()


def test_relations_that_cannot_all_be_enforced_are_named():
    """The columns b and c have a common function, and neither determines the other."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 40, (2, 900))
    X = pd.DataFrame(
        {"a": a.astype(str), "b": b.astype(str), "other": rng.normal(size=900)}
    )
    X["c"] = X["a"].map({str(k): str(k % 3) for k in range(40)})
    assert find_constraints(X) == [FixedCombinations(["a", "c"])]
    constraints = [FixedCombinations(["a", "c"]), FixedCombinations(["b", "c"])]
    table = ConstrainedTable(MODEL, constraints).fit(X)
    assert table.by_rejection_ == (constraints[1],)
    assert table.constraints_ == tuple(constraints)
    assert Range("other", 0) not in table.constraints_


def test_polars():
    polars = pytest.importorskip("polars")
    X = orders()
    assert set(find_constraints(polars.from_pandas(X))) == FOUND
