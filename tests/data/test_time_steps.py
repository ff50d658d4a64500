"""Dates in order within sequences, read as steps and put back."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import skdgm
from skdgm import RNNNADE
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


def test_dates_that_decrease_are_named():
    hours = pd.Series(pd.date_range("2024-01-01", periods=60, freq="h"))
    twice = hours.copy()
    twice[40] = hours[20]
    shuffled = hours.sample(frac=1, random_state=0).reset_index(drop=True)
    for dates, row in (
        (twice, 40),
        (shuffled, (shuffled.diff() < pd.Timedelta(0)).argmax()),
    ):
        with pytest.warns(OrderWarning, match=f"'day' decrease, first in row {row}:"):
            assert not TimeSteps.of(dates.to_frame("day"), np.array([60])).columns


def test_dates_that_are_no_times_of_rows_are_not():
    rng, n = np.random.default_rng(0), 60
    births = pd.Timestamp("1980-01-01") + pd.to_timedelta(rng.integers(0, 30, n), "D")
    starts = pd.DatetimeIndex(np.tile(pd.date_range("2024-01-01", periods=20), 3))
    for dates, lengths in (births, [60]), (starts, [20, 20, 20]):
        frame = pd.DataFrame({"day": dates})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            TimeSteps.of(frame, np.array(lengths))
