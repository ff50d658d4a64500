"""Draws, scores and fillings under constraints: laws by enumeration, and promises."""

from itertools import product

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.frozen import FrozenEstimator

from skdgm import FVBN, VAE, ConstrainedTable, EoNADE, GenerativeImputer
from skdgm.constraints import (
    FixedCombinations,
    Inequality,
    Range,
    Rule,
    Sum,
    Unique,
    _solving,
)
from skdgm.constraints._filling import _Filler
from skdgm.constraints._solving import Ways
from skdgm.exceptions import ConstraintError, ConstraintWarning

pd = pytest.importorskip("pandas")
from tests.checks import with_checks  # noqa: E402
from tests.constraints.tables import APART, SMALL, levels, loans, made  # noqa: E402

LOANS = loans()
ALL = [
    Inequality("start", "end"),
    Sum("sum", ["net", "fee"]),
    FixedCombinations(["city", "land"]),
    Range("age", 18, 90, closed="left"),
    Unique("client", numbered=True),
]
LEVELS = levels()
ORDER, JOINT = Inequality("a", "b"), FixedCombinations(["x", "y"])


@pytest.mark.exhaustive(default=["FVBN"])
@with_checks([ConstrainedTable(SMALL), ConstrainedTable(FVBN(column_types="gaussian"))])
def test_scikit_learns_checks(estimator, check):
    try:
        check(estimator)
    except pytest.skip.Exception as skipped:
        raise AssertionError(f"the check was skipped: {skipped}") from skipped


def grid():
    """All rows that levels can have."""
    pairs = [("p", "u"), ("p", "v"), ("q", "v"), ("r", "w")]
    rows = product(range(3), range(3), pairs)
    return pd.DataFrame(
        [(a, a + d, *pair) for a, d, pair in rows], columns=list("abxy")
    )


def assert_law(drawn, states, p):
    """Rows have these states with these probabilities, within standard errors."""
    known = pd.MultiIndex.from_frame(states)
    place = known.get_indexer(pd.MultiIndex.from_frame(drawn.astype(states.dtypes)))
    assert (place >= 0).all()
    p, n = np.asarray(p) / np.sum(p), len(drawn)
    found = np.bincount(place, minlength=len(states)) / n
    assert (abs(found - p) <= 4.5 * np.sqrt(p * (1 - p) / n) + 5 * (p > 0) / n).all()


def test_draws_are_the_models_own_of_low_and_difference():
    table = ConstrainedTable(SMALL, ALL, random_state=0).fit(LOANS)
    drawn = table.sample(300, random_state=3)
    seen = table.estimator_.sample(300, random_state=3)
    assert (drawn["start"] == seen["start"]).all()
    assert (drawn["end"] - drawn["start"] == seen["end"]).all()
    assert (drawn[["net", "fee", "age"]] == seen[["net", "fee", "age"]]).all(axis=None)
    assert list(seen) == ["start", "end", "net", "fee", "city", "age"]
    assert table.by_rejection_ == ()
    assert table.acceptance_rate(random_state=0) == 1


def test_draws_keep_to_the_constraints_and_to_the_types():
    table = ConstrainedTable(SMALL, ALL, random_state=0).fit(LOANS)
    drawn = table.sample(400, random_state=0)
    assert drawn.dtypes.equals(LOANS.dtypes)
    assert drawn.index.equals(pd.RangeIndex(400))
    assert (drawn["start"] <= drawn["end"]).all()
    assert (drawn["sum"] == (drawn["net"] + drawn["fee"]).round(2)).all()
    known = set(zip(LOANS["city"], LOANS["land"]))
    assert set(zip(drawn["city"], drawn["land"])) == known
    assert drawn["age"].between(18, 89).all()
    assert drawn["client"].tolist() == list(range(127, 527))
    pd.testing.assert_frame_equal(drawn, table.sample(400, random_state=0))
    assert np.isfinite(table.score_samples(drawn)).all()


def test_probabilities_are_those_of_what_the_model_sees():
    table, states = made(LEVELS, [ORDER, JOINT]), grid()
    p = np.exp(table.score_samples(states))
    # A share is left for levels, and combinations, that were not seen.
    known = np.exp(table.estimator_._columns.log_known.sum())
    assert p.sum() == pytest.approx(known, rel=1e-5)
    drawn = table.sample(8000, random_state=0)
    assert_law(drawn, states, p)
    assert table.score(states) == pytest.approx(np.log(p).mean())
    broken = states.assign(b=states["a"] - 1)
    assert np.isneginf(table.score_samples(broken)).all()
    assert table.density_kind_ == "exact"


def test_rejection_gives_the_conditional_law():
    rule = Rule(lambda frame: (frame["a"] + frame["b"]) % 2 == 0)
    frame = LEVELS[(LEVELS["a"] + LEVELS["b"]) % 2 == 0]
    table, states = made(frame, [JOINT, rule, ORDER]), grid()
    states = states[(states["a"] + states["b"]) % 2 == 0]
    log_p = table.score_samples(states)
    p = np.exp(log_p)
    drawn = table.sample(8000, random_state=1)
    assert_law(drawn, states, p)
    assert table.by_rejection_ == (rule,)
    rate = table.acceptance_rate(4000, random_state=0)
    assert rate == pytest.approx(p.sum(), abs=0.03)
    assert table.density_kind_ == "lower bound"


@pytest.mark.parametrize(
    "conditions",
    [
        {"a": [0, 2]},
        {"x": "p"},
        {"x": ["p", "q"], "y": "v"},
        {"b": 2},
        {"b": slice(None, 2), "y": {"v", "w"}},
        {"b": pd.Interval(1, 3, closed="left")},
    ],
    ids=",".join,
)
def test_conditions_give_the_conditional_law(conditions):
    table, states = made(LEVELS, [ORDER, JOINT]), grid()
    p = np.exp(table.score_samples(states))
    for name, condition in conditions.items():
        own = states[name]
        if isinstance(condition, slice):
            p = p * (own <= condition.stop)
        elif isinstance(condition, pd.Interval):
            p = p * [value in condition for value in own]
        else:
            several = isinstance(condition, list | set)
            p = p * own.isin(condition if several else [condition])
    drawn = table.sample(2000, random_state=0, conditions=conditions)
    assert_law(drawn, states, p)


def holed(row, n=1000):
    """Copies of a row of levels with holes."""
    frame = pd.DataFrame([row] * n, columns=list("abxy"))
    return frame.astype({"a": float, "b": float})


@pytest.mark.exhaustive(default=["(1, None, 'p', None)"])
@pytest.mark.parametrize(
    "row", [(None, 3, "p", "u"), (1, None, "p", None), (None, 2, None, "v")], ids=str
)
def test_filling_gives_the_conditional_law(row):
    table, states = ConstrainedTable(APART, [ORDER, JOINT]).fit(LEVELS), grid()
    p = np.exp(table.score_samples(states))
    for name, value in zip("abxy", row):
        p = p * (True if value is None else (states[name] == value).to_numpy())
    given = holed(row)
    found = table.impute(given, method="sample", random_state=0)
    # Weights of 64 draws are right but for a bias far below these errors.
    assert_law(found, states, p)


@pytest.mark.exhaustive(default=["mode"])
@pytest.mark.parametrize("method", ["mean", "mode", "sample"])
def test_filling_leaves_what_is_known(method):
    rule = Rule(lambda frame: frame["net"] > frame["fee"])
    frame = LOANS[LOANS["net"] > LOANS["fee"]]
    table = ConstrainedTable(SMALL, [*ALL, rule], random_state=0).fit(frame)
    rng = np.random.default_rng(0)
    holes = frame.mask(rng.random(frame.shape) < 0.3)
    holes.index = rng.permutation(len(holes)) // 2
    found = table.impute(holes, method=method, random_state=1)
    assert found.index.equals(holes.index)
    assert not found.isna().any(axis=None)
    assert ((found == holes) | holes.isna()).all(axis=None)
    assert (found["start"] <= found["end"]).all()
    assert (found["sum"] == (found["net"] + found["fee"]).round(2)).all()
    known = set(zip(LOANS["city"], LOANS["land"]))
    assert set(zip(found["city"], found["land"])) <= known
    assert (found["net"] > found["fee"]).all()
    again = table.impute(holes, method=method, random_state=1)
    pd.testing.assert_frame_equal(found, again)
    if method == "mean":
        pd.testing.assert_frame_equal(table.impute(holes), table.impute(holes))


def test_filling_names_what_cannot_be_and_fills_the_rest():
    table = ConstrainedTable(SMALL, ALL, random_state=0).fit(LOANS)
    broken = LOANS.iloc[:4].assign(net=[None] * 4)
    broken.loc[2, "end"] = broken.loc[2, "start"] - pd.Timedelta("1D")
    told = "1 of 4 rows are not filled, .* break Inequality.*row 2"
    with pytest.warns(ConstraintWarning, match=told):
        found = table.impute(broken)
    rest = [0, 1, 3]
    pd.testing.assert_frame_equal(found.iloc[[2]], broken.iloc[[2]], check_dtype=False)
    assert not found.iloc[rest].isna().any(axis=None)
    assert np.isneginf(table.score_samples(broken)).tolist() == [0, 0, 1, 0]
    broken = LOANS.iloc[:2].copy()
    broken.loc[0, "city"], broken.loc[0, "land"] = "Paris", None
    with pytest.warns(ConstraintWarning, match="break FixedCombinations"):
        assert table.impute(broken)["land"].isna().tolist() == [True, False]
    asked = []
    hard = made(LEVELS, [Rule(lambda f: f["a"] < (0 if asked else 9))], max_tries=3)
    asked.append("now")
    holes = LEVELS[:2].assign(b=[1.0, None]).set_axis(["y", "z"])
    told = "2 of 2 rows are not filled, as none of 3 draws .*row 0 .*'z'"
    with pytest.warns(ConstraintWarning, match=told):
        found = hard.impute(holes.iloc[[1, 1]].assign(b=[None, None]))
    assert found["b"].isna().all()


def orders(n=300, seed=0):
    """Days of three steps, one soon after the other, in a long time; parts and sum."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.integers(0, 400, n)})
    frame["b"] = frame["a"] + rng.poisson(1, n).clip(0, 3)
    frame["c"] = frame["b"] + rng.poisson(1, n).clip(0, 3)
    frame["net"], frame["fee"] = rng.integers(100, 400, n), rng.integers(0, 4, n)
    frame["sum"] = frame["net"] + frame["fee"]
    days = pd.to_timedelta(frame["a"], "D") + pd.Timestamp("2023-01-01")
    frame["sent"] = days + pd.to_timedelta(3 * rng.integers(0, 3, n), "D")
    frame["when"] = days
    return frame


MISSING = ["a"], ["a", "b"], ["b"], ["net"], ["fee", "net"], ["when"]


@pytest.mark.exhaustive(default=["when"])
@pytest.mark.parametrize("missing", MISSING, ids=",".join)
def test_what_follows_from_known_entries_has_its_law_where_others_are_broad(missing):
    frame, day = orders(), pd.Timedelta("1D")
    rules = [Inequality("a", "b"), Inequality("b", "c"), Sum("sum", ["net", "fee"])]
    table = ConstrainedTable(APART, [*rules, Inequality("when", "sent")]).fit(frame)
    row = frame[frame["a"].between(150, 250)].iloc[[0]]
    near = {"a": 7, "b": 7, "when": 7, "fee": 4, "net": 4}
    steps = {"when": day}
    grids = [
        row[name].iloc[0] + np.arange(-near[name], near[name] + 1) * steps.get(name, 1)
        for name in missing
    ]
    states = pd.DataFrame(list(product(*grids)), columns=missing)
    whole = row.iloc[np.zeros(len(states), int)].reset_index(drop=True)
    whole[missing] = states.astype(frame[missing].dtypes)
    log_p = table.score_samples(whole)
    learned, seen = map(table._plan.forward, (frame, whole))
    for name in ("b", "c", "fee", "sent"):
        # Other levels have a probability, and are never drawn.
        log_p[~seen[name].isin(learned[name])] = -np.inf
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    holes = row.iloc[np.zeros(800, int)].copy()
    for name in missing:
        holes[name] = pd.NaT if name == "when" else np.nan
    drawn = table.impute(holes, method="sample", random_state=0)
    assert_law(drawn[missing], whole[missing], p)
    mean, mode = (table.impute(holes[:1], method=own) for own in ("mean", "mode"))
    assert table.score_samples(mode)[0] > log_p.max() - 0.7
    for name in missing:
        low, one = whole[name].min(), steps.get(name, 1)
        x, found = (whole[name] - low) / one, (mean[name] - low) / one
        # Weights of draws, then rounded.
        error = 0.5 + 5 * np.sqrt(p @ (x - p @ x) ** 2 / 20)
        assert abs(found.iloc[0] - p @ x) < error


@pytest.mark.exhaustive(default=["sample"])
@pytest.mark.parametrize("method", ["mean", "mode", "sample"])
def test_rows_are_filled_as_they_are_alone(method):
    frame, rule = orders(), Rule(lambda own: (own["c"] + own["net"]) % 3 == 0)
    frame = frame[rule.holds(frame)].reset_index(drop=True).astype({"sum": float})
    rules = [Inequality("a", "b"), Inequality("b", "c"), Sum("sum", ["net", "fee"])]
    table = ConstrainedTable(APART, [*rules, rule]).fit(frame)
    holes = frame[:15].astype(dict.fromkeys(["a", "b", "net", "fee"], float))
    for row, names in enumerate([*MISSING[:4], ["net", "sum"]] * 3):
        holes.loc[row, names] = np.nan
    found = table.impute(holes, method=method, random_state=0)
    # Draws are of a row's number, all else of its content.
    draws = method == "sample"
    order = np.arange(9) if draws else np.random.default_rng(0).permutation(15)[:9]
    again = table.impute(holes.iloc[order], method=method, random_state=0)
    pd.testing.assert_frame_equal(again, found.iloc[order])


def test_combinations_are_filled_by_what_follows_from_their_values():
    frame = pd.DataFrame({"k": list("uv") * 150, "low": np.arange(300) % 6 * 1.0})
    frame["high"] = frame["low"] + np.arange(300) % 2
    rules = [FixedCombinations(["k", "low"]), Inequality("low", "high")]
    table = ConstrainedTable(APART, rules).fit(frame)
    holes = frame.iloc[np.arange(600) % 6].assign(low=np.nan)
    for method in ("mean", "mode", "sample"):
        found = table.impute(holes, method=method, random_state=0)
        assert found["low"].notna().all()
        assert (found["high"] - found["low"]).isin([0, 1]).all()
    # Of the known high and k, one low has a gap that occurs.
    assert (found["low"] == frame["low"].iloc[np.arange(600) % 6].to_numpy()).all()


def test_few_draws_are_told_and_none_is_an_error():
    table, states = made(LEVELS, [ORDER, JOINT], max_tries=300), grid()
    p = np.exp(table.score_samples(states))
    b = int(np.bincount(states["b"], p).argmin())
    rate = p[states["b"] == b].sum()
    assert rate < 0.1
    found = table.acceptance_rate(4000, random_state=0, conditions={"b": b})
    assert found == pytest.approx(rate, abs=4.5 * np.sqrt(rate / 4000))
    with pytest.warns(ConstraintWarning, match="of the draws satisfy .* on 'b'"):
        drawn = table.sample(20, random_state=0, conditions={"b": b})
    assert drawn["b"].tolist() == [b] * 20
    table.set_params(max_tries=2)
    with pytest.raises(ConstraintError, match="Raise max_tries, now 2, or"):
        table.sample(50, random_state=0, conditions={"b": b})
    with pytest.raises(ConstraintError, match="0 of 2 draws satisfy"):
        table.sample(1, random_state=0, conditions={"b": 40})


def test_conditions_that_cannot_be():
    table = ConstrainedTable(SMALL, ALL, random_state=0).fit(LOANS)
    for conditions, told in (
        ({"nobody": 3}, "names 'nobody', but the columns are 'client'"),
        ({"client": 3}, "column 'client' is numbered"),
        ({"city": "Rome", "land": "DE"}, "meets no combination that occurs"),
        ({"end": slice("2022-01-01", "2021-01-01")}, "ends before it begins"),
        ({"age": 200}, "has no probability: its values are from 18"),
        ({"city": slice("A", "Z", 2)}, r"^ConstrainedTable.* on column 'city' has a"),
        ({"age": slice(20, 30, 2)}, r"^\w+: the condition .* on column 'age' has a"),
    ):
        with pytest.raises(ValueError, match=told):
            table.sample(3, conditions=conditions)
    drawn = table.sample(
        40,
        random_state=0,
        conditions={"end": slice("2021-06-01", None), "land": "CH", "age": [20, 21]},
    )
    assert (drawn["end"] >= "2021-06-01").all()
    assert set(drawn["city"]) == {"Bonn"}
    assert set(drawn["age"]) <= {20, 21}


def test_rows_that_break_constraints():
    broken = LOANS.copy()
    broken.loc[[5, 9], "end"] = broken["start"] - pd.Timedelta("2D")
    broken.loc[9, "age"] = 3
    broken.index = [f"row {k}" for k in range(len(broken))]
    table = ConstrainedTable(SMALL, ALL, random_state=0)
    told = r"2 of 120 rows break Inequality\(low='start', .* row 5 .*'row 5'\)"
    with pytest.raises(ConstraintError, match=told):
        table.fit(broken)
    assert not hasattr(table, "estimator_")
    dropping = clone(table).set_params(handle_invalid="drop")
    weight = np.arange(1.0, 121)
    found = dropping.fit(broken, sample_weight=weight).sample(5, random_state=0)
    keep = np.delete(np.arange(120), [5, 9])
    table.fit(LOANS.iloc[keep], sample_weight=weight[keep])
    pd.testing.assert_frame_equal(found, table.sample(5, random_state=0))
    with pytest.raises(ConstraintError, match="no row keeps to all"):
        dropping.set_params(constraints=[Range("age", 99)]).fit(LOANS)
    twice = LOANS.assign(client=1)
    with pytest.raises(ConstraintError, match=r"119 of 120 rows break Unique"):
        table.fit(twice)


def test_unique_rows():
    frame = pd.DataFrame(list(product(range(5), range(5))), columns=["u", "v"])
    frame["w"] = np.arange(25) % 3
    unique = Unique(["u", "v"])
    table = ConstrainedTable(SMALL, [unique], random_state=0).fit(frame)
    assert table.by_rejection_ == (unique,)
    drawn = table.sample(20, random_state=0)
    assert len(drawn) == 20
    assert not drawn.duplicated(["u", "v"]).any()
    assert 0 < table.acceptance_rate(20, random_state=0) < 1
    with pytest.raises(ConstraintError, match="26 rows cannot satisfy Unique"):
        table.sample(26, random_state=0)


def test_open_columns_have_conditions():
    inner = LOANS[["net", "fee", "age"]]
    model = clone(SMALL).set_params(column_types={"age": "gaussian"})
    table = ConstrainedTable(model, [Range("age", 18, 90)], random_state=0).fit(inner)
    assert table.by_rejection_ == ()
    assert 0.5 < table.acceptance_rate(random_state=0) < 1
    assert table.sample(500, random_state=0)["age"].between(18, 90).all()
    gaussian = VAE(2, (8,), column_types="gaussian", n_iter=3)
    order = [Inequality("fee", "net"), Range("age", 18, 90)]
    table = ConstrainedTable(gaussian, order, handle_invalid="drop", random_state=0)
    table.fit(inner)
    assert table.by_rejection_ == (order[1],)
    drawn = table.sample(100, random_state=0)
    assert (drawn["fee"] <= drawn["net"]).all()
    assert drawn["age"].between(18, 90).all()
    assert drawn.dtypes.equals(inner.dtypes)


@pytest.mark.exhaustive(default=["default"])
@pytest.mark.parametrize(
    "model",
    [
        None,
        VAE(2, (8,), column_types="mixed", n_iter=2),
        FVBN(column_types="mixed", n_iter=1),
    ],
    ids=["default", "VAE", "FVBN"],
)
def test_any_model_of_tables(model):
    model = EoNADE((8,), column_types="mixed", n_iter=1) if model is None else model
    table = ConstrainedTable(model, ALL, random_state=0).fit(LOANS)
    drawn = table.sample(30, random_state=0, conditions={"city": "Bonn"})
    assert set(drawn["city"]) == {"Bonn"}
    assert (drawn["start"] <= drawn["end"]).all()
    holes = LOANS[:9].assign(start=pd.NaT, land=None)
    found = table.impute(holes)
    assert (found["start"] <= LOANS["end"][:9]).all()


def test_models_that_are_fitted_already_and_none():
    table = made(LEVELS, [ORDER])
    again = ConstrainedTable(FrozenEstimator(table.estimator_), [ORDER]).fit(LEVELS)
    seen = [own.sample(9, random_state=0) for own in (again, table)]
    pd.testing.assert_frame_equal(*seen)
    plain = ConstrainedTable(APART).fit(LEVELS)
    own = clone(APART).fit(LEVELS)
    pd.testing.assert_frame_equal(
        plain.sample(9, 0, conditions={"x": "p"}),
        own.sample(9, 0, conditions={"x": "p"}),
    )
    assert plain.acceptance_rate() == 1
    assert plain.by_rejection_ == ()
    holes = LEVELS[:5].assign(x=None)
    pd.testing.assert_frame_equal(plain.impute(holes), own.impute(holes))
    assert plain.score(LEVELS) == own.score(LEVELS)
    with pytest.raises(ValueError, match="estimator"):
        ConstrainedTable(KMeans(2)).fit(LEVELS)


def test_an_imputer_of_constrained_tables():
    table = ConstrainedTable(SMALL, ALL, random_state=0)
    holes = LOANS.mask(np.random.default_rng(0).random(LOANS.shape) < 0.1)
    holes["client"] = LOANS["client"]
    found = GenerativeImputer(table, method="sample", random_state=0).fit_transform(
        holes
    )
    assert (found["start"] <= found["end"]).all()
    assert ((found == holes) | holes.isna()).all(axis=None)


def test_metadata_routing():
    with config_context(enable_metadata_routing=True):
        model = clone(SMALL).set_params(random_state=0)
        model.set_fit_request(sample_weight=True)
        weight = np.arange(600.0)
        routed = ConstrainedTable(model, [ORDER]).fit(LEVELS, sample_weight=weight)
    plain = ConstrainedTable(clone(model), [ORDER]).fit(LEVELS, sample_weight=weight)
    assert routed.score(LEVELS) == plain.score(LEVELS)


def test_columns_are_those_of_fit():
    table = made(LEVELS, [ORDER, JOINT])
    with pytest.raises(TypeError, match="X is an ndarray"):
        table.score_samples(LEVELS.to_numpy())
    with pytest.raises(ValueError, match="order"):
        table.score_samples(LEVELS[["b", "a", "x", "y"]])
    found = table.impute(LEVELS[["a", "b"]][:6])
    assert list(found) == list("abxy")
    with pytest.raises(TypeError, match="constraints name columns of a DataFrame"):
        ConstrainedTable(SMALL, [ORDER]).fit(np.zeros((9, 2)))
    with pytest.raises(TypeError, match="not a constraint of skdgm.constraints"):
        ConstrainedTable(SMALL, ["a < b"]).fit(LEVELS)
    with pytest.raises(ValueError, match="several columns of the names"):
        ConstrainedTable(SMALL, [ORDER]).fit(LEVELS.set_axis(list("abxx"), axis=1))


def test_numbers_as_names():
    frame = LEVELS.set_axis([0, 1, 5, 3], axis=1)
    table = made(frame, [Inequality(0, 1), FixedCombinations([5, 3])])
    drawn = table.sample(50, random_state=0, conditions={0: 2, 3: "v"})
    assert (drawn[0] == 2).all()
    assert (drawn[3] == "v").all()
    assert list(drawn) == [0, 1, 5, 3]


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_other_libraries(library):
    module = pytest.importorskip(library)
    frame = LOANS.drop(columns="client").assign(land=LOANS["land"].astype(str))
    if library == "polars":
        given = module.DataFrame(frame.to_dict("list"))
    else:
        given = module.Table.from_pandas(frame)
    table = ConstrainedTable(SMALL, ALL[:4], random_state=0).fit(given)
    drawn = table.sample(20, random_state=0)
    assert type(drawn) is type(given)
    found = table.impute(given)
    assert type(found) is type(given)
    assert np.isfinite(table.score_samples(drawn)).all()


def test_draws_are_numbered_one_after_another_until_enough_are_kept(monkeypatch):
    """Each row has every number once, so that no draw comes twice."""
    asked, numbers, draws = [], {}, _Filler._draws

    def noted(self, rows, places, turns, method):
        for place in places.tolist():
            numbers.setdefault(place, []).extend(turns.tolist())
        return draws(self, rows, places, turns, method)

    monkeypatch.setattr(_Filler, "_draws", noted)
    rule = Rule(lambda f: np.full(len(f), not asked))
    table = made(LEVELS, [rule], max_tries=70)
    asked.append("now")
    with pytest.warns(ConstraintWarning, match="none of 70 draws"):
        table.impute(LEVELS[:3].assign(b=None))
    assert numbers == {row: list(range(70)) for row in range(3)}


def test_draws_that_the_model_never_makes_count_only_where_a_row_has_no_others(
    monkeypatch,
):
    table = ConstrainedTable(SMALL, [ORDER]).fit(LEVELS)
    holes = LEVELS[:2].assign(a=np.nan)
    ways = Ways(table._plan, holes)
    assert ways.number.all()
    monkeypatch.setattr(
        _solving,
        "cells_of",
        lambda plan, model, name, column: (np.zeros(len(column)), column > 0),
    )
    monkeypatch.setattr(_solving, "scores", lambda model, seen: np.zeros(len(seen)))
    seen = pd.DataFrame({name: [1.0, 0.0, 1.0, 1.0] for name in "ab"})
    rows = np.array([0, 0, 1, 1])
    log_w, _ = ways.log_weights(None, seen, rows, np.arange(2))
    np.testing.assert_array_equal(np.isfinite(log_w), [False, True, True, True])


def test_more_rows_than_distinct_values():
    """Sampling stops before the first draw, and says how identifiers are numbered."""
    frame = pd.DataFrame(
        {
            "id": np.random.default_rng(0).permutation(60) + 100,
            "name": [f"n{i}" for i in range(60)],
            "few": np.arange(60) % 3,
            "real": np.random.default_rng(1).normal(size=60),
        }
    )
    for columns, size in ("id", 60), ("name", 60), (["name", "few"], 180):
        table = made(frame, [Unique(columns)])
        table.estimator_.sample = None
        with pytest.raises(ConstraintError, match=f"at most {size} distinct") as error:
            table.sample(size + 1)
        advice = f"Unique({columns!r}, numbered=True) numbers"
        assert (advice in str(error.value)) == isinstance(columns, str)
    table = made(frame, [Unique("real")])
    assert len(table.sample(70, random_state=0)) == 70
    table = made(frame, [Unique("id")], max_tries=2)
    with pytest.raises(ConstraintError, match=r"draws satisfy .*numbered=True"):
        table.sample(60, random_state=0)


def test_labels_of_rows_are_plain():
    frame = pd.DataFrame({"x": [1, 2], "y": [2, 1]}, index=[1952, 7])
    with pytest.raises(ConstraintError, match=r"row 1 \(with the label 7\)"):
        made(frame, [Inequality("x", "y")])
