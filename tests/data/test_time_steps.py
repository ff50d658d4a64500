"""Dates in order within sequences, read as steps and put back."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import skdgm
from skdgm import RNNNADE, VRNN
from skdgm.data.time_steps import TimeSteps
from skdgm.exceptions import OrderWarning

DAYS = pd.date_range("2024-02-25", periods=10)
ENDS = pd.date_range("2023-11-30", periods=10, freq="ME")
CLOCKS = pd.date_range("2024-10-26 20:00", periods=20, freq="30min", tz="Europe/Berlin")
RHYTHMS = {
    "days": DAYS,
    "dates": pd.Series(DAYS.date),
    "durations": pd.Series(pd.to_timedelta(np.arange(10) * 5, "min")),
    "periods": pd.period_range("2023-11", periods=10, freq="Q"),
    "ends of months": ENDS + pd.Timedelta("17h"),
    "ends of quarters": pd.date_range("2023-12-31", periods=10, freq="QE"),
    "the 15th": pd.date_range("2023-11-01", periods=10, freq="MS")
    + pd.Timedelta("14D"),
    "years": pd.date_range("2020-03-01", periods=10, freq="YS-MAR", tz="Europe/Berlin"),
    "days of clocks": pd.date_range(CLOCKS[0], periods=10),
    "moments": CLOCKS,
}


@pytest.mark.parametrize("days", RHYTHMS.values(), ids=RHYTHMS)
def test_steps_of_a_rhythm_are_equal(days):
    """What was read is put back, and goes on, from an earlier or a later row."""
    days, n = pd.Series(days), 7
    frame, lengths = pd.DataFrame({"x": 0.0, "day": days[:n]}), np.array([n])
    twice = pd.concat([pd.DataFrame({"x": 0.0, "day": days})] * 2)
    steps = TimeSteps.of(twice, np.array([len(days)] * 2))
    read = steps.encoded(frame, lengths)
    assert read["day"].isna().tolist() == [True] + [False] * (n - 1)
    assert read["day"].nunique() == 1
    future = pd.concat([read[1:2]] * (len(days) - n))
    found = steps.continued(future, len(future), 0, frame, lengths)
    assert found["day"].tolist() == days[n:].tolist()
    assert found["day"].dtype == days.dtype
    read = pd.concat([read[1:2]] * n)
    for lost in [0, 1], [2, 3, 5], [5, 6], []:
        holed = frame.copy()
        holed.loc[lost, "day"] = None
        filled = steps.filled(read.copy(), holed, lengths)
        assert filled["day"].tolist() == days[:n].tolist()
    # Without any, they begin as the sequences did.
    filled = steps.filled(read.copy(), frame.assign(day=None), lengths)
    assert filled["day"].tolist() == days[:n].tolist()


def test_gaps_of_other_sizes_are_filled_in_proportion():
    hours = np.array([0, 1, 3, 4, 7, 9, 10, 12, 13, 17])
    days = DAYS[0] + pd.to_timedelta(hours, "h")
    frame = pd.DataFrame({"day": days})
    steps, lengths = TimeSteps.of(frame, np.array([10])), np.array([10])
    holed = frame.copy()
    holed.loc[[1, 2, 3], "day"] = pd.NaT
    read = steps.encoded(frame, lengths)
    read.loc[[1, 2, 3, 4], "day"] = pd.to_timedelta([1, 1, 1, 4], "h")
    found = steps.filled(read, holed, lengths)["day"]
    assert (
        found.tolist()
        == (DAYS[0] + pd.to_timedelta([0, 1, 2, 3, *hours[4:]], "h")).tolist()
    )


def test_frames_of_other_libraries_and_files(tmp_path):
    pl = pytest.importorskip("polars")
    part = pl.DataFrame({"day": DAYS.date.tolist(), "x": np.arange(10.0)})
    model = RNNNADE(2, n_recurrent=2, column_types="mixed", n_iter=1, random_state=0)
    skdgm.save(model.fit(part), tmp_path / "model.skdgm")
    model = skdgm.load(tmp_path / "model.skdgm")
    (drawn,) = model.sample_sequences(3, prefix=part[:4], random_state=0)
    assert drawn["day"].to_list() == DAYS[4:7].date.tolist()
    assert drawn.schema == part.schema
    holed = part.with_columns(day=pl.when(pl.col("x") == 5).then(None).otherwise("day"))
    assert model.impute(holed).equals(part)


def test_columns_of_times_are_no_others():
    steps = TimeSteps((SimpleNamespace(place=2), SimpleNamespace(place=0)))
    mask = np.array([True, True, True, False])
    np.testing.assert_array_equal(steps.others(mask), [False, True, False, False])
    np.testing.assert_array_equal(mask, [True, True, True, False])


def test_predicted_dates_are_a_step_after_the_row_before():
    """Unknown ones between known ones; the first of a sequence is as it was."""
    days, moves = pd.Series(DAYS[:10]), np.tile([0, 2, 1, 1, 3], 4)
    frame = pd.DataFrame({"day": [*days, *days], "x": 0.0})
    lengths = np.array([10, 10])
    steps = TimeSteps.of(frame, lengths)
    read = steps.encoded(frame, lengths)
    read["day"] = pd.to_timedelta(moves, "D")
    expected = pd.Series([*days, *days]).shift(1)
    # Steps are no shorter than those seen, which are of a day.
    expected = expected + pd.to_timedelta(np.maximum(moves, 1), "D")
    expected[[0, 10]] = days[0]
    frame.loc[2, "day"] = None
    found = steps.predicted(read, frame, lengths)
    assert found["day"].tolist() == expected.tolist()
    none = TimeSteps()
    assert none.predicted(read, frame, lengths) is read


HOURS = pd.date_range("2024-01-01", periods=40, freq="h")


@pytest.mark.parametrize("model", [RNNNADE, VRNN])
def test_few_dates_out_of_order_are_missing(model):
    """A warning names the column and the row, and forecasts have later dates."""
    frame = pd.DataFrame({"day": HOURS, "x": np.arange(40.0) % 3})
    frame.loc[30, "day"] = HOURS[10]
    model = model(random_state=0, n_iter=1)
    text = r"'day' is not in .* row 30 \(2024-01-01 10:00:00\) is read as missing"
    with pytest.warns(OrderWarning, match=text):
        model.fit(frame)
    with pytest.warns(OrderWarning, match=text):
        (drawn,) = model.sample_sequences(3, prefix=[frame], random_state=0)
    expected = pd.date_range(HOURS[-1], periods=4, freq="h")[1:]
    assert drawn["day"].tolist() == expected.tolist()
    with pytest.warns(OrderWarning, match=text):
        assert model.impute(frame)["day"].tolist() == frame["day"].tolist()


def test_last_date_out_of_order_is_not_continued():
    frame = pd.DataFrame({"day": HOURS, "x": 0.0})
    lengths, late = np.array([40]), frame.copy()
    steps = TimeSteps.of(frame, lengths)
    late.loc[39, "day"] = HOURS[0]
    read = steps.encoded(frame, lengths)
    found = steps.continued(read[1:3], 2, 0, late, lengths)["day"]
    expected = pd.date_range(HOURS[-1], periods=3, freq="h")[1:]
    assert found.tolist() == expected.tolist()
    # The known date is kept, and a missing one follows the dates in order.
    late.loc[38, "day"] = pd.NaT
    found = steps.filled(read, late, lengths)["day"]
    assert found.tolist()[37:] == [HOURS[37], HOURS[38], HOURS[0]]


def test_clocks_set_back_in_autumn():
    """Local times without a zone repeat an hour."""
    local = pd.Series(CLOCKS.tz_localize(None))
    frame = pd.DataFrame({"day": local})
    lengths = np.array([20])
    with pytest.warns(OrderWarning, match="row 13 .* is read as missing"):
        read = TimeSteps.of(frame, lengths).encoded(frame, lengths)
    assert read["day"].dropna().unique().tolist() == [pd.Timedelta("30min")]


def test_rows_out_of_order_are_not_read_as_steps():
    mixed = pd.DataFrame({"x": 0.0, "day": HOURS}).sample(frac=1, random_state=0)
    row = int(np.argmax(mixed["day"].diff() < pd.Timedelta(0)))
    with pytest.warns(OrderWarning, match=f"'day' .* row {row} .* Sort the rows"):
        assert not TimeSteps.of(mixed, np.array([40])).columns
    # Shops one after another, without groups; with groups, the row is of a series.
    shops = pd.DataFrame({"day": [*HOURS, *HOURS]})
    with pytest.warns(OrderWarning, match="row 40 .* groups"):
        assert not TimeSteps.of(shops, np.array([80])).columns
    assert TimeSteps.of(shops, np.array([40, 40])).columns
    shops.loc[50, "day"] = HOURS[0]
    steps = TimeSteps.of(shops, np.array([40, 40]))
    with pytest.warns(OrderWarning, match="row 10 of series 1 "):
        steps.encoded(shops, np.array([40, 40]))


def test_dates_that_are_no_times_of_rows_are_not():
    rng, n = np.random.default_rng(0), 60
    births = pd.Timestamp("1980-01-01") + pd.to_timedelta(rng.integers(0, 30, n), "D")
    starts = pd.DatetimeIndex(np.tile(pd.date_range("2024-01-01", periods=20), 3))
    for dates, lengths in (births, [60]), (starts, [20, 20, 20]):
        frame = pd.DataFrame({"day": dates})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            TimeSteps.of(frame, np.array(lengths))


@pytest.mark.filterwarnings("error")
def test_other_dates_need_no_order():
    """If one column orders the rows, others may have any order or be constant."""
    days = pd.Series(HOURS)
    shuffled = days.sample(frac=1, random_state=0).to_list()
    frame = pd.DataFrame({"day": days, "due": shuffled, "birth": days[0]})
    assert [c.name for c in TimeSteps.of(frame, np.array([40])).columns] == ["day"]
    assert not TimeSteps.of(frame[["birth"]], np.array([40])).columns
    assert not TimeSteps.of(frame[["due"]], np.ones(40, int)).columns


def test_few_rows():
    """Equal steps of three rows are enough; other steps are too few."""
    frame = pd.DataFrame({"day": HOURS})
    for n in 3, 5:
        assert TimeSteps.of(frame[:n], np.array([n])).columns
    with pytest.warns(OrderWarning, match="2 steps in time are too few"):
        assert not TimeSteps.of(frame.iloc[[0, 1, 3]], np.array([3])).columns
