"""Declarations of constraints, and their steps for columns of all types."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skdgm import FVBN, ConstrainedTable
from skdgm.constraints import FixedCombinations, Inequality, Range, Rule, Sum, Unique
from skdgm.constraints._quantities import typed
from skdgm.constraints._solving import scores

pd = pytest.importorskip("pandas")
from tests.constraints.tables import SMALL, loans  # noqa: E402
from tests.options import grouped  # noqa: E402

N = 80
RNG = np.random.default_rng(0)
BASE, GAP = RNG.integers(0, 500, N), RNG.integers(1, 90, N)
DAYS = pd.to_datetime("2019-03-01") + pd.to_timedelta(BASE, "D")
LATER = DAYS + pd.to_timedelta(GAP, "D")

PAIRS = {
    "int": (BASE, BASE + GAP),
    "uint8": (np.uint8(GAP), np.uint8(GAP + 90)),
    "Int32": (
        pd.array(BASE, "Int32"),
        pd.array(np.where(GAP > 80, None, BASE + GAP), "Int32"),
    ),
    "float": (BASE / 7, BASE / 7 + GAP / 3),
    "cents": (BASE / 100, np.round(BASE / 100 + GAP / 100, 2)),
    "float32": (np.float32(BASE / 7), np.float32(BASE / 7) + np.float32(GAP)),
    "days": (DAYS, LATER),
    "seconds": (DAYS, LATER + pd.to_timedelta(BASE, "s")),
    "nanoseconds": (DAYS.as_unit("ns"), LATER.as_unit("ns")),
    "zone": (DAYS.tz_localize("Europe/Rome"), LATER.tz_localize("Europe/Rome")),
    "dates": (DAYS.date, LATER.date),
    "periods": (DAYS.to_period("D"), LATER.to_period("D")),
    "durations": (pd.to_timedelta(BASE, "h"), pd.to_timedelta(BASE + GAP, "h")),
}


def fitted(frame, *constraints, **options):
    """A constrained table of a small model."""
    return grouped(ConstrainedTable, SMALL, constraints, random_state=0, **options).fit(
        frame
    )


@pytest.mark.exhaustive(
    default=["int-", "Int32-", "float-", "zone-", "dates-", "periods-"]
)
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", PAIRS)
def test_inequalities_of_all_types(name, strict):
    frame = pd.DataFrame(dict(zip("lh", PAIRS[name])))
    table = fitted(frame, Inequality("l", "h", strict))
    assert table.by_rejection_ == ()
    drawn = table.sample(60, random_state=0)
    assert drawn.dtypes.equals(frame.dtypes)
    known = drawn.dropna()
    assert len(known) > 30
    assert ((known["l"] < known["h"]) if strict else (known["l"] <= known["h"])).all()
    # There and back, exactly.
    back = table._plan.backward(table._plan.forward(frame))
    if name in ("float", "float32"):
        pd.testing.assert_frame_equal(back, frame, rtol=1e-6)
    else:
        pd.testing.assert_frame_equal(back, frame)
    assert table.acceptance_rate(60, random_state=0) == 1


def test_missing_values_make_differences_missing():
    frame = pd.DataFrame({"l": BASE / 2, "h": BASE / 2 + GAP})
    frame.loc[:9, "l"] = np.nan
    frame.loc[5:19, "h"] = np.nan
    table = fitted(frame, Inequality("l", "h"))
    seen = table._plan.forward(frame)
    assert seen["h"].isna().tolist() == [True] * 20 + [False] * 60
    assert seen["l"].equals(frame["l"])
    filled = table.impute(frame)
    assert not filled.isna().any(axis=None)
    assert (filled["l"] <= filled["h"]).all()


def test_chains_and_trees_of_inequalities():
    frame = pd.DataFrame({"a": BASE, "b": BASE + GAP, "c": BASE + 2 * GAP})
    frame["d"] = frame["c"] + 3
    chain = [Inequality("c", "d"), Inequality("a", "b"), Inequality("b", "c")]
    table = fitted(frame, *chain)
    assert table.by_rejection_ == ()
    drawn = table.sample(100, random_state=0)
    assert (drawn.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    # Two below one: the second is learned as what it is less.
    tree = [Inequality("a", "c"), Inequality("b", "c")]
    table = fitted(frame[["a", "b", "c"]], *tree)
    assert table.by_rejection_ == ()
    drawn = table.sample(100, random_state=0)
    assert (drawn[["a", "b"]].max(axis=1) <= drawn["c"]).all()
    # What follows from others has no column left to replace, and is always kept.
    more = fitted(frame, *chain, Inequality("a", "c"))
    assert more.by_rejection_ == (Inequality("a", "c"),)
    assert more.acceptance_rate(random_state=0) == 1


def test_sums_and_what_remains():
    hours = pd.to_timedelta(BASE, "h"), pd.to_timedelta(GAP, "h")
    frame = pd.DataFrame({"p": hours[0], "q": hours[1], "t": hours[0] + hours[1]})
    drawn = fitted(frame, Sum("t", ["p", "q"])).sample(50, random_state=0)
    assert (drawn["t"] == drawn["p"] + drawn["q"]).all()
    frame = pd.DataFrame({"p": BASE, "q": GAP, "t": BASE + GAP + 5})
    within = Sum("t", ["p", "q"], within=True)
    table = fitted(frame, within, Inequality("p", "q"), handle_invalid="drop")
    drawn = table.sample(50, random_state=0)
    assert (drawn["t"] >= drawn["p"] + drawn["q"]).all()
    assert (drawn["p"] <= drawn["q"]).all()
    assert drawn.dtypes.equals(frame.dtypes)
    balanced = pd.DataFrame({"p": BASE / 10, "q": -BASE / 10 + GAP * 1e-9})
    balanced["t"] = balanced["p"] + balanced["q"]
    assert Sum("t", ("p", "q")).holds(balanced).all()
    assert not Sum("t", ("p", "q")).holds(balanced.assign(t=1.0)).any()


def test_parts_follow_from_totals():
    frame = loans(60)[["net", "fee", "sum"]]
    frame["rest"] = np.round(frame["sum"] / 2, 2)
    frame["whole"] = (frame["sum"] + frame["rest"]).round(2)
    exact = Sum("sum", ["net", "fee"]), Sum("whole", ["sum", "rest"])
    table = fitted(frame, *exact)
    holes = frame.copy()
    holes.loc[:9, "net"] = np.nan
    holes.loc[10:19, ["net", "fee"]] = np.nan
    holes.loc[20:29, ["sum", "rest"]] = np.nan
    found = table.impute(holes, method="sample", random_state=0)
    np.testing.assert_allclose(found["net"][:10], frame["net"][:10])
    np.testing.assert_allclose(found["sum"], frame["sum"])
    for own in exact:
        parts = found[list(own.parts)].sum(axis=1)
        np.testing.assert_allclose(found[own.total], parts, rtol=1e-6)


def test_combinations_meet_other_constraints():
    frame = pd.DataFrame({"k": BASE % 4, "m": (BASE % 4) ** 2, "n": BASE % 4 + GAP})
    first = FixedCombinations(["k", "m"]), Inequality("k", "n"), Range("m", 0, 9)
    table = fitted(frame, *first)
    assert table.by_rejection_ == ()
    drawn = table.sample(60, random_state=0)
    assert (drawn["m"] == drawn["k"] ** 2).all()
    assert (drawn["k"] <= drawn["n"]).all()
    # Columns that are replaced already: the combinations go by rejection.
    table = fitted(frame, Sum("n", ["k"], within=True), FixedCombinations(["m", "n"]))
    assert table.by_rejection_ == (FixedCombinations(["m", "n"]),)
    drawn = table.sample(20, random_state=0)
    known = set(zip(frame["m"], frame["n"]))
    assert set(zip(drawn["m"], drawn["n"])) <= known


def test_identifiers():
    frame = loans(60)[["client", "age", "net"]]
    frame["name"] = [f"x{k}" for k in range(60)]
    unique = Unique("name", numbered=True), Unique("client", numbered=True)
    drawn = fitted(frame, *unique).sample(3, random_state=0)
    assert drawn["name"].tolist() == ["name_0", "name_1", "name_2"]
    assert drawn["client"].tolist() == [67, 68, 69]
    with pytest.raises(TypeError, match="only integers and text are numbered"):
        fitted(frame.assign(net=np.arange(60) / 7), Unique("net", numbered=True))
    # A number that another column is made of is not replaced.
    table = fitted(frame, Inequality("client", "age"), unique[1], handle_invalid="drop")
    assert table.by_rejection_ == (unique[1],)


@pytest.mark.parametrize("closed", ["both", "left", "right", "neither"])
def test_ends_of_ranges(closed):
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan], "d": DAYS[[0, 0, 0, 0]]})
    expected = [closed in ("both", "left"), True, closed in ("both", "right"), True]
    assert Range("x", 1, 3, closed).holds(frame).tolist() == expected
    assert Range("x", None, 3, closed).holds(frame).tolist() == [True, *expected[1:]]
    day = str(DAYS[0])
    assert Range("d", day, None, closed).holds(frame).all() == expected[0]
    for column, low, high in (
        (DAYS.date, "2000-01-01", "2040-01-01"),
        (DAYS.to_period("D"), "2000-01-01", "2040-01-01"),
        (pd.to_timedelta(BASE, "h"), "-1h", "900D"),
        (DAYS.tz_localize("Europe/Rome"), "2000-01-01", "2040-01-01"),
    ):
        own = pd.DataFrame({"x": column})
        Range("x", low, high).check(own)
        assert Range("x", low, high).holds(own).all()
        assert not Range("x", high).holds(own).any()


@pytest.mark.parametrize(
    "make, error, told",
    [
        (lambda: Inequality("a", "a"), ValueError, "needs two columns"),
        (lambda: Sum("a", ["a", "b"]), ValueError, "a part of itself"),
        (lambda: Sum("a", "bc"), TypeError, "got the text 'bc'"),
        (lambda: Sum("a", []), ValueError, "needs 1 or more columns"),
        (lambda: FixedCombinations(["a"]), ValueError, "needs 2 or more columns"),
        (lambda: FixedCombinations(["a", "a"]), ValueError, "each once"),
        (lambda: Range("a"), ValueError, "has no end"),
        (lambda: Range("a", 1, closed="all"), ValueError, "closed must be"),
        (lambda: Unique(["a", "b"], numbered=True), ValueError, "Only one column"),
        (lambda: Rule("a < b"), TypeError, "needs a function"),
        (lambda: Inequality({}, "a"), TypeError, "names of columns; {} is none"),
        (lambda: Inequality(pd.NA, pd.NA), ValueError, "needs two columns"),
        (lambda: Sum([], ["a"]), TypeError, r"names of columns; \[\] is none"),
        (lambda: Sum("a", 3), TypeError, "sequence of names; got 3"),
        (lambda: Range(slice(2), 1), TypeError, "names of columns; slice"),
        (lambda: Unique([[]]), TypeError, "names of columns"),
        (lambda: FixedCombinations(3), TypeError, "sequence of names"),
        (lambda: Inequality("a", "b", 1), TypeError, "strict must be True or False"),
        (lambda: Sum("a", ["b"], within=np.eye(2)), TypeError, "within must be True"),
        (lambda: Unique("a", numbered="b"), TypeError, "numbered must be True or"),
    ],
    ids=range(20),
)
def test_declarations_are_checked(make, error, told):
    with pytest.raises(error, match=told):
        make()


FRAME = loans(30)


@pytest.mark.parametrize(
    "constraint, error, told",
    [
        (Inequality("start", "nobody"), ValueError, "names the column 'nobody', but"),
        (Inequality("start", "net"), TypeError, "of dates, numbers, which do not"),
        (Inequality("city", "net"), TypeError, "neither of numbers nor of dates"),
        (Sum("start", ["end"]), TypeError, "columns of dates cannot be added"),
        (Range("age", 9, 3), ValueError, "ends before it begins"),
        (Rule(lambda frame: 3), ValueError, "must return a bool for each of 30 rows"),
        (Rule(lambda f: f["age"]), ValueError, "an array of int64"),
    ],
    ids=range(7),
)
def test_columns_are_checked(constraint, error, told):
    with pytest.raises(error, match=told):
        fitted(FRAME, constraint)


@pytest.mark.parametrize(
    "constraint",
    [
        Inequality("a", "b", strict=True),
        Sum("t", ["p", "q"]),
        FixedCombinations(["p", "q"]),
        Range("x", 3, None, "left"),
        Unique("x"),
        Rule(len),
    ],
    ids=lambda own: type(own).__name__,
)
def test_they_are_records(constraint):
    assert pickle.loads(pickle.dumps(constraint)) == constraint
    table = clone(ConstrainedTable(constraints=[constraint]))
    assert table.constraints == [constraint]
    assert type(table.constraints[0]) is type(constraint)
    with pytest.raises(AttributeError):
        constraint.columns = ()


@pytest.mark.parametrize(
    "constraint, told",
    [
        (Inequality("text", "net"), "neither of numbers nor of dates"),
        (Inequality("turn", "net"), "neither of numbers nor of dates"),
        (Inequality("far", "net"), "'far' has infinite values"),
        (Inequality(pd.NA, "net"), "names the column <NA>, but"),
        (FixedCombinations(["none", "net"]), "no combination to learn"),
        (Inequality("kind", "net"), "'kind' has categories, which do not compare"),
        (Range("net", DAYS[0]), "no value of the column's type"),
    ],
    ids=range(7),
)
def test_odd_columns_are_refused(constraint, told):
    columns = {"text": FRAME["net"].astype(str), "turn": 1j, "far": np.inf}
    columns["kind"] = FRAME["net"].astype("category")
    with pytest.raises((TypeError, ValueError), match=told):
        fitted(FRAME.assign(**columns, none=None), constraint)


@pytest.mark.parametrize("call", ["impute", "score_samples"])
def test_types_of_other_rows_are_checked(call):
    frame = pd.DataFrame({"a": BASE + 0.5, "b": BASE + 1.5})
    table = fitted(frame, Inequality("a", "b"))
    other = frame.assign(a=DAYS[0])
    with pytest.raises(TypeError, match=r"Inequality.*of other types than when"):
        getattr(table, call)(other)


def test_rules_are_not_asked_of_missing_values():
    frame = pd.DataFrame({"x": [1.0, np.nan, 3.0]})
    assert Rule(lambda f: f["x"] < 2).holds(frame).tolist() == [True, True, False]
    assert Rule(lambda f: f["x"] < 2).holds(frame.iloc[[1]]).tolist() == [True]


@pytest.mark.parametrize(
    ("dtypes", "digits", "expected"),
    [
        (("int64", "Int8"), 0, "int64"),
        (("int64", "float64"), 0, "float64"),
        (("float32", "float32"), 0, "float32"),
        (("int64", "int64"), 1, "float64"),
    ],
)
def test_quantities_are_whole_if_all_that_they_are_made_of_are(
    dtypes, digits, expected
):
    columns = [pd.Series([1, 2]).astype(dtype) for dtype in dtypes]
    assert typed(pd.Series([3.0, 4.0]), columns, digits).dtype == expected


def test_rows_that_are_the_same_are_scored_once():
    asked = []

    class Model:
        def score_samples(self, rows):
            asked.append(len(rows))
            return rows["a"].to_numpy()

    seen = pd.DataFrame({"a": [2.0, 1, 2, 2], "b": [0, 0, 0, 1]})
    np.testing.assert_array_equal(scores(Model(), seen), seen["a"])
    assert asked == [3]


def test_ranges_of_real_columns_have_a_probability():
    rng = np.random.default_rng(0)
    a = np.abs(rng.normal(size=400))
    frame = pd.DataFrame({"a": a, "b": a + rng.normal(size=400)})
    model = FVBN(column_types="gaussian")
    table = ConstrainedTable(model, [Range("a", 0)], random_state=0).fit(frame)
    assert table.by_rejection_ == ()
    assert table.density_kind_ == "lower bound"
    assert (table.sample(500, random_state=0)["a"] >= 0).all()
    # The integral of densities is the probability of the range, which is the rate.
    grid = np.meshgrid(np.linspace(0, 8, 201), np.linspace(-8, 12, 201), indexing="ij")
    rows = pd.DataFrame(dict(zip("ab", map(np.ravel, grid))))
    density = np.exp(table.score_samples(rows)).reshape(201, 201)
    total = np.trapezoid(np.trapezoid(density, dx=0.1, axis=1), dx=0.04)
    rate = table.acceptance_rate(20_000, random_state=0)
    assert abs(rate - total) < 4 * np.sqrt(rate * (1 - rate) / 20_000) + 1e-3
    assert rate < 0.95
    # A range that a numeric column keeps by itself has probability 1.
    table = ConstrainedTable(FVBN(n_iter=5), [Range("a", 0)], random_state=0).fit(frame)
    assert (table.density_kind_, table.acceptance_rate()) == ("exact", 1)


@pytest.mark.parametrize(
    "closed, last", [("both", "2024-03-31 23:00"), ("left", "2024-02-29 23:00")]
)
def test_text_as_the_end_of_a_range_of_dates_includes_the_month(closed, last):
    frame = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=3000, freq="h")})
    kept = frame["t"][Range("t", high="2024-03", closed=closed).holds(frame)]
    assert kept.max() == pd.Timestamp(last)
    model = FVBN(column_types={"t": "gaussian"}, n_iter=1)
    table = ConstrainedTable(model, [Range("t", "2024-02", "2024-03", closed)])
    table.set_params(handle_invalid="drop", random_state=0).fit(frame)
    assert table.sample(500, random_state=0)["t"].between("2024-02-01", last).all()
