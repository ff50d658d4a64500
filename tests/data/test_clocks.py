import datetime

import numpy as np
import pytest

from skdgm.data import Codec

pd = pytest.importorskip("pandas")

DAYS = ["2020-02-28", "2020-03-01", None, "2021-12-31"]
SECONDS = ["2020-01-01 10:00:01", "2020-01-01 00:00:00"]
COLUMNS = {
    "days": pd.Series(pd.to_datetime(DAYS)),
    "seconds": pd.Series(
        pd.to_datetime(["2020-01-01 10:00:01", None, "2020-01-01 00:00:00"])
    ),
    "nanoseconds": pd.Series(pd.to_datetime([1, 1_600_000_000_000_000_007], unit="ns")),
    "zone": pd.Series(pd.to_datetime(DAYS)).dt.tz_localize("Europe/Rome"),
    "objects of a zone": pd.Series(
        [*pd.to_datetime(DAYS).tz_localize("Europe/Rome")], dtype=object
    ),
    "durations": pd.Series(pd.to_timedelta(["1h", "90min", None, "3 days"])),
    "periods": pd.Series(pd.PeriodIndex(["2020-01", "2021-07"], freq="M")),
    "dates": pd.Series([datetime.date(2020, 2, 29), None, datetime.date(1950, 1, 1)]),
    "none": pd.Series([None, None], dtype="datetime64[s]"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_times_are_numbers_and_back(name):
    frame = COLUMNS[name].to_frame("x")
    codec = Codec.of(frame)
    assert codec.kinds == ("numeric",)
    X = codec.encode(frame)
    np.testing.assert_array_equal(np.isnan(X[:, 0]), frame["x"].isna())
    known = X[~np.isnan(X)]
    np.testing.assert_array_equal(known, np.rint(known))
    pd.testing.assert_frame_equal(codec.decode(X), frame)


def test_ticks_are_as_coarse_as_the_data():
    X = Codec.of(COLUMNS["days"].to_frame("x")).encode(COLUMNS["days"].to_frame("x"))
    np.testing.assert_array_equal(X[:, 0], [0, 1, np.nan, 336])
    frame = COLUMNS["durations"].to_frame("x")
    X = Codec.of(frame).encode(frame)
    np.testing.assert_array_equal(X[:, 0], [0, 1, np.nan, 142])


def test_later_times_need_not_be_ticks():
    frame = COLUMNS["days"].to_frame("x")
    codec = Codec.of(frame)
    later = pd.DataFrame(
        {"x": pd.to_datetime(["2020-02-29 12:00", "1990-01-01 00:00"])}
    )
    found = codec.encode(later)[:, 0]
    assert found[0] == pytest.approx(0.75)
    assert found[1] < 0
    seconds = later.astype("datetime64[s]")
    np.testing.assert_array_equal(codec.encode(seconds)[:, 0], found)


def test_changes_of_clocks():
    # At the end of March an hour is left out, in October one comes twice.
    start = pd.Timestamp("2021-01-01", tz="Europe/Rome")
    frame = pd.DataFrame({"x": pd.date_range(start, periods=24 * 365, freq="h")})
    codec = Codec.of(frame)
    X = codec.encode(frame)
    found = codec.decode(np.arange(X.max() + 1)[:, None])["x"]
    assert found.dtype == frame["x"].dtype
    assert found.notna().all()


@pytest.mark.parametrize("name", ["days", "durations", "periods"])
def test_times_must_stay_times(name):
    codec = Codec.of(COLUMNS[name].to_frame("x"))
    with pytest.raises(ValueError, match="Column 'x' was a .* when the model"):
        codec.encode(pd.DataFrame({"x": [1.0, 2.0]}))
    missing = pd.DataFrame({"x": [None, np.nan]}, dtype=object)
    assert np.isnan(codec.encode(missing)).all()


def test_other_zones_are_the_same_moments():
    given = COLUMNS["zone"].to_frame("x")
    codec, other = Codec.of(given), given["x"].dt.tz_convert("UTC").to_frame("x")
    np.testing.assert_array_equal(codec.encode(other), codec.encode(given))
    known = given["x"][1].tz_convert("Asia/Tokyo")
    assert codec.number(0, known, "x") == codec.encode(given)[1, 0]
    # Without a zone, times are local.
    assert codec.number(0, "2020-03-01", "x") == codec.encode(given)[1, 0]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Rome"])
def test_zones_of_arrow(zone):
    pytest.importorskip("pyarrow")
    moments = pd.Series(pd.to_datetime(["2020-01-01 00:00", None, "2020-07-01 10:00"]))
    given = moments.dt.tz_localize(zone).astype(f"timestamp[us, tz={zone}][pyarrow]")
    codec = Codec.of(given.to_frame("x"))
    found = codec.decode(codec.encode(given.to_frame("x")))
    pd.testing.assert_frame_equal(found, given.to_frame("x"))


def test_phases_are_of_years_weeks_and_days_that_a_column_spans():
    days = pd.Series(pd.date_range("2020-01-01", periods=1000))
    hours = pd.Series(pd.date_range("2020-01-01", periods=20 * 24, freq="h"))
    months = pd.Series(pd.period_range("2001-01", periods=40, freq="M"))
    year, week, day = [365.2425, 365.2425 / 2], [7, 7 / 2, 7 / 3], [24, 12]
    for column, expected in (
        (days, [*year, *week]),
        (days[:20], week),
        (days[:10], []),
        (days[::7], [own / 7 for own in year]),
        (hours, [7 * 24, 7 * 12, 7 * 8, *day]),
        (months, [12, 6]),
        (days - days[0], []),
        (days.where(days.isna()), []),
    ):
        (clock,) = Codec.of(column.to_frame("x")).clocks
        span = 0 if column.isna().all() else np.ptp(clock.encode(column))
        np.testing.assert_allclose(clock.waves(span), expected, rtol=1e-3)
