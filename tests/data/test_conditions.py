"""Conditions of every sort, on columns of every type, in all models that take some."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache

import numpy as np
import pytest

from skdgm import (
    FVBN,
    GAN,
    MADE,
    NADE,
    VAE,
    BidirectionalHelmholtzMachine,
    ConstrainedTable,
    EoNADE,
    SigmoidBeliefNetwork,
)
from skdgm.constraints import FixedCombinations, Inequality, Rule

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
N = 120
START = pd.Timestamp("2020-01-01")
DAYS = START + pd.to_timedelta(RNG.integers(0, 200, N), "D")
TABLE = pd.DataFrame(
    {
        "real": RNG.normal(size=N),
        "whole": RNG.integers(0, 1000, N),
        "few": RNG.choice([1, 2, 5], N),
        "bit": RNG.random(N) < 0.5,
        "text": RNG.choice(["a", "b", "c"], N),
        "cut": pd.cut(pd.Series(RNG.normal(size=N)), [-9, 0, 1, 9]),
        "day": DAYS,
        "zoned": DAYS.tz_localize("Europe/Berlin"),
        "date": DAYS.date,
        "length": pd.to_timedelta(RNG.integers(0, 100, N), "h"),
        "month": DAYS.to_period("M"),
        "gaussian": RNG.normal(size=N),
    }
)
TYPES = {"gaussian": "gaussian"}
CONDITIONS = [
    *(0, 1, 2, 5, True, 0.5, -1, 10**30, 10**400, -(10**30), 1e300, 2 + 3j),
    *(None, np.nan, np.inf, pd.NaT, pd.NA, Decimal("1.5")),
    *("a", "word", "", "2020-02-01", "2020-02-01 12:00", "2020-02-01T00:00+02:00"),
    *("2020-02", "5 h", b"a", "99999-01-01", "1"),
    *(pd.Timestamp("2020-02-01"), pd.Timestamp("2020-02-01", tz="Asia/Tokyo")),
    *(date(2020, 2, 1), datetime(2020, 2, 1, 3), timedelta(hours=5)),
    *(np.datetime64("2020-02-01"), np.timedelta64(5, "h"), pd.Timedelta(days=1)),
    *(pd.Period("2020-02", "M"), pd.Interval(0, 1), pd.Interval(START, DAYS.max())),
    *([], {}, (), set(), [1, 2], [1, 3], ["a", "z"], {1, "a"}, ("a", 1), [[1], [2]]),
    *({"a": 1}, range(3), range(0), range(10**12), np.arange(3), np.array(1)),
    *(np.ones((2, 2)), pd.Series([1, 2]), pd.Series(["a", "b"]), TABLE, [None], [{}]),
    *(slice(None), slice(0, 1), slice(1, 0), slice("a", "b"), slice("a", "z")),
    *(slice(0, 10, 2), slice({}, []), slice("2020-02-01", "2020-03-01")),
    *(slice("2020-02-01", None), slice(10**400), slice(np.nan, 3), slice(None, "word")),
    *(pd.Interval(-9, 0), pd.IntervalIndex.from_breaks([0, 1, 2]), object(), int, list),
]
WRONG = ["real", ["real", 1], [("real", 1)], 5, "real", {"real"}, np.zeros(3)]
MODELS = {
    "NADE": NADE(2, TYPES, n_iter=0, random_state=0),
    "EoNADE": EoNADE((4,), column_types=TYPES, n_iter=0, random_state=0),
    "MADE": MADE((4,), column_types=TYPES, n_iter=0, random_state=0),
    "VAE": VAE(2, (4,), column_types="mixed", n_iter=0, random_state=0),
    "SBN": SigmoidBeliefNetwork((4,), column_types="mixed", n_iter=0, random_state=0),
    "BHM": BidirectionalHelmholtzMachine(
        (4,), column_types="mixed", n_iter=0, random_state=0
    ),
    # By rejection, by combinations, and by the model within.
    "rejection": ConstrainedTable(
        GAN(2, (4,), column_types="mixed", n_iter=1, random_state=0),
        [Inequality("day", "later")],
    ),
    "combinations": ConstrainedTable(
        NADE(2, "mixed", n_iter=0, random_state=0),
        [FixedCombinations(["few", "text", "bit"]), Inequality("day", "later")],
    ),
}


@cache
def fitted(name):
    X = TABLE
    if "later" in str(MODELS[name]):
        X = TABLE.assign(later=TABLE["day"] + TABLE["length"])
    return MODELS[name].fit(X)


def raw_errors(model, cases):
    """Errors that do not say which column has a wrong condition, and kept ones that
    give no table."""
    for name, condition in cases:
        try:
            found = model.sample(2, random_state=0, conditions={name: condition})
        except (TypeError, ValueError) as error:
            words = "takes", "probability", "one of its", "before it begins", "no cat"
            words += "a step", "values: give", "time zone", "satisfy the constraints"
            told = repr(name) in str(error) and len(str(error)) < 700
            if not told or not any(word in str(error) for word in words):
                yield name, str(condition)[:60], error
        except Exception as error:
            yield name, str(condition)[:60], error
        else:
            if found.isna().any(axis=None) or len(found) != 2:
                yield name, str(condition)[:60], found


@pytest.mark.release
@pytest.mark.filterwarnings("ignore::skdgm.exceptions.ConstraintWarning")
@pytest.mark.filterwarnings("ignore::skdgm.exceptions.FewDrawsWarning")
@pytest.mark.parametrize("name", MODELS)
def test_conditions_are_kept_or_refused_by_name(name):
    model = fitted(name)
    columns = list(TABLE) if name in ("NADE", "combinations") else ["few", "zoned"]
    cases = [(column, own) for column in columns for own in CONDITIONS]
    wrong = list(raw_errors(model, cases))
    assert not wrong, wrong
    for conditions in WRONG:
        with pytest.raises(TypeError, match="conditions must be a dict by the name"):
            model.sample(2, conditions=conditions)
    with pytest.raises(ValueError, match="names 'street', but the columns are"):
        model.sample(2, conditions={"street": 1})


@pytest.mark.filterwarnings("ignore::skdgm.exceptions.FewDrawsWarning")
def test_conditions_on_arrays():
    X = TABLE[["real", "whole", "few"]].to_numpy()
    kinds = "gaussian", "numeric", "categorical"
    model = NADE(2, kinds, n_iter=0, random_state=0).fit(X)
    for j in range(3):
        for own in CONDITIONS:
            try:
                found = model.sample(2, random_state=0, conditions={j: own})
            except ValueError as error:
                found = str(error)
            right = (
                not np.isnan(found).any() if len(found) == 2 else f"column {j}" in found
            )
            assert right, (j, own, found)


@pytest.mark.parametrize("condition", [["a", "z"], {"z", "b"}, ("z", "a", None)])
def test_unknown_values_among_several_are_named(condition):
    with pytest.raises(ValueError, match=r"\['z'(, None)?\] on column 'text' has no"):
        fitted("NADE").sample(2, conditions={"text": condition})


def test_values_that_are_categories_are_no_ranges():
    interval = TABLE["cut"].cat.categories[1]
    found = fitted("NADE").sample(5, conditions={"cut": interval})
    assert (found["cut"] == interval).all()
    X = pd.DataFrame({"pair": [("a", 1), ("b", 2)] * 20})
    model = FVBN("mixed", n_iter=0, random_state=0).fit(X)
    assert (model.sample(3, conditions={"pair": ("b", 2)})["pair"] == ("b", 2)).all()


def test_ranges_of_python_are_values():
    drawn = fitted("NADE").sample(50, random_state=0, conditions={"whole": range(9)})
    assert drawn["whole"].isin(range(9)).all()


def test_time_zones_are_neither_lost_nor_made():
    model = fitted("NADE")
    aware = pd.Timestamp("2020-02-01 01:00", tz="Asia/Tokyo")
    for name, value, told in (
        ("day", aware, "had the time zone None .* has Asia/Tokyo now"),
        ("day", "2020-02-01T00:00Z", "had the time zone None .* has UTC now"),
        ("zoned", START, "had the time zone Europe/Berlin .* has None now"),
    ):
        for own in (value, [value, value], slice(value, None)):
            with pytest.raises(ValueError, match=f"'{name}' {told}"):
                model.sample(2, conditions={name: own})
    # The same moment in another zone, and local time as text.
    noon = pd.Timestamp("2020-02-01", tz="Europe/Berlin")
    for own in (noon, noon.tz_convert("UTC"), "2020-02-01"):
        assert (model.sample(2, conditions={"zoned": own})["zoned"] == noon).all()
    for name, column, told in (
        ("day", TABLE["day"].dt.tz_localize("UTC"), r"tz_convert\(None\)"),
        ("zoned", TABLE["zoned"].dt.tz_localize(None), r"tz_localize\('Europe/Berlin"),
    ):
        X = TABLE.assign(**{name: column})
        for method in (model.score_samples, model.impute, model.partial_fit):
            with pytest.raises(ValueError, match=f"Column '{name}' .*{told}"):
                method(X)


def test_mixed_time_zones_name_the_column():
    zones = ["Europe/Berlin", "Asia/Tokyo"] * 10
    mixed = [pd.Timestamp("2020-01-01", tz=zone) for zone in zones]
    X = pd.DataFrame({"when": pd.Series(mixed, dtype=object)})
    with pytest.raises(ValueError, match="Column 'when' has dates that do not go toge"):
        NADE(2, "mixed", n_iter=0).fit(X)


def test_ranges_of_categories_end_at_known_ones():
    frame = pd.DataFrame(
        {"size": pd.Categorical(list("sml" * 8), ["s", "m", "l"], ordered=True)}
    )
    frame["x"] = np.arange(24.0)
    model = FVBN("mixed", n_iter=1, random_state=0).fit(frame)
    drawn = model.sample(30, conditions={"size": slice("s", "m")}, random_state=0)
    assert set(drawn["size"]) == {"s", "m"}
    for ends in ("s", "z"), ("z", "l"):
        with pytest.raises(ValueError, match="ends at a value that is not one"):
            model.sample(2, conditions={"size": slice(*ends)})


@pytest.mark.filterwarnings("ignore::skdgm.exceptions.FewDrawsWarning")
@pytest.mark.parametrize("name", ["NADE", "rejection"])
def test_pairs_that_may_be_ranges(name):
    """A tuple of two increasing numbers or dates is refused, and no other tuple."""
    model = fitted(name)
    few = (1, 2) if name == "NADE" else (2, 5)
    days = pd.Timestamp("2020-02-01"), pd.Timestamp("2020-03-01")
    for column, pair in ("whole", (10, 20)), ("few", few), ("day", days):
        advice = f"'{column}' may be a range .* slice\\({re.escape(repr(pair[0]))}, "
        with pytest.raises(ValueError, match=advice):
            model.sample(2, conditions={column: pair})
    drawn = model.sample(20, random_state=0, conditions={"few": [1, 2]})
    assert set(drawn["few"]) <= {1, 2}
    drawn = model.sample(20, random_state=0, conditions={"text": ("a", "b")})
    assert set(drawn["text"]) <= {"a", "b"}
    drawn = model.sample(20, random_state=0, conditions={"few": (1, 2, 5)})
    assert len(drawn) == 20


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize(
    "condition, first, last",
    [
        ("2024-03", "2024-03-01 00", "2024-03-31 23"),
        ("2024-03-01", "2024-03-01 00", "2024-03-01 23"),
        ("2024-03-01 05", "2024-03-01 05", "2024-03-01 05"),
        ("2024-03-01 05:00", "2024-03-01 05", "2024-03-01 05"),
        (slice("2024-03", "2024-04"), "2024-03-01 00", "2024-04-30 23"),
        (slice(None, "2024-02-01"), "2024-01-01 00", "2024-02-01 23"),
        (slice("2024-12-31", None), "2024-12-31 00", "2024-12-31 23"),
        (pd.Timestamp("2024-03-01"), "2024-03-01 00", "2024-03-01 00"),
    ],
)
def test_text_stands_for_all_times_that_it_names(condition, first, last, zone):
    hours = pd.date_range("2024-01-01", "2024-12-31 23:00", freq="h", tz=zone)
    if zone and isinstance(condition, pd.Timestamp):
        condition = condition.tz_localize(zone)
    model = FVBN(n_iter=1, random_state=0).fit(pd.DataFrame({"when": hours}))
    drawn = model.sample(400, random_state=0, conditions={"when": condition})["when"]
    ends = [pd.Timestamp(f"{end}:00", tz=zone) for end in (first, last)]
    assert drawn.between(*ends).all()
    if ends[1] - ends[0] < pd.Timedelta(days=2):
        assert set(ends) <= set(drawn)
    # By rejection, too.
    table = ConstrainedTable(GAN(n_iter=1), [Rule(_all)], random_state=0)
    table.fit(pd.DataFrame({"when": hours}))
    _, evaluate = table._drawing(np.random.RandomState(0), {"when": condition}, ())
    (_, _), (_, met) = evaluate(pd.DataFrame({"when": hours}))
    np.testing.assert_array_equal(met, hours.to_series().between(*ends))


@pytest.mark.parametrize(
    "condition, first, last",
    [
        ("2024-03", "2024-03-01", "2024-03-31"),
        (slice("2024-03", "2024-03-31"), "2024-03-01", "2024-03-31"),
        (slice("2024-03", "9999-12-31"), "2024-03-01", "2099-01-01"),
    ],
)
def test_rounded_draws_of_real_dates_remain_in_the_month(condition, first, last):
    days = pd.DataFrame({"day": pd.date_range("2024-01-01", "2024-12-31")})
    model = FVBN(column_types={"day": "gaussian"}, random_state=0).fit(days)
    drawn = model.sample(3000, random_state=0, conditions={"day": condition})["day"]
    assert drawn.between(first, last).all()
    assert drawn.min() == pd.Timestamp(first)


@pytest.mark.parametrize(
    "freq, condition, first, last",
    [
        ("Y", slice("2012", "2014-06"), "2012", "2014"),
        ("Y", "2012", "2012", "2012"),
        ("Q", slice("2012-01", "2012-04"), "2012Q1", "2012Q2"),
        ("Q", "2012", "2012Q1", "2012Q4"),
        ("M", slice("2010-03-05", "2010-03-10"), "2010-03", "2010-03"),
        ("M", slice("2010-03", "2010-05-10"), "2010-03", "2010-05"),
    ],
)
def test_text_on_periods_includes_the_period_of_the_end(freq, condition, first, last):
    periods = pd.DataFrame({"p": pd.period_range("2010", periods=40, freq=freq)})
    model = FVBN(n_iter=1, random_state=0).fit(periods)
    drawn = model.sample(300, random_state=0, conditions={"p": condition})["p"]
    assert (drawn.min(), drawn.max()) == (pd.Period(first, freq), pd.Period(last, freq))


def test_text_names_times_of_the_column_and_lists_have_single_times():
    noons = pd.DataFrame({"t": pd.date_range("2024-01-01 12:00", periods=200)})
    model = FVBN(n_iter=1, random_state=0).fit(noons)
    draws = model.sample(9, random_state=0, conditions={"t": "2024-03-01"})["t"]
    assert set(draws) == {pd.Timestamp("2024-03-01 12:00")}
    with pytest.raises(ValueError, match=r"\['2024-03-01'\].* has no probability"):
        model.sample(9, conditions={"t": ["2024-03-01"]})
    with pytest.raises(ValueError, match="'2023-05', before it begins, at '2024-03'"):
        model.sample(9, conditions={"t": slice("2024-03", "2023-05")})
    # A time without a date is that of today.
    assert len(model.sample(9, random_state=0, conditions={"t": slice(None, "10:30")}))


def _all(frame):
    return np.ones(len(frame), bool)
