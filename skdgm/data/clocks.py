"""Conversion of dates, times and durations in pandas columns to integers and back."""

from numbers import Real
from typing import NamedTuple

import numpy as np

# Values of a column of each form, for messages.
_TAKES = {
    "datetime": "dates and times",
    "date": "dates",
    "duration": "durations",
    "period": "periods",
}

# Seconds of a year, a week and a day, and the number of harmonics of each.
_PERIODS = (365.2425 * 86_400, 2), (7 * 86_400, 3), (86_400, 2)
# Minimum number of periods in a column whose phases are read.
_SEVERAL = 2


def named_span(given):
    """Start of the month, day, or other period of the calendar that a string names, and
    of the next period; None for other values."""
    import pandas as pd

    if not isinstance(given, str):
        return None
    try:
        period, time = pd.Period(given), pd.Timestamp(given)
        if time is pd.NaT or time.tz is not None:
            return None
        start, beyond = period.start_time, (period + 1).start_time
    except (ValueError, OverflowError):
        return None
    # Periods of a time without a date are in the year 1.
    return (start, beyond) if start <= time < beyond else None


def last_time(given):
    """Last time of the period of the calendar that a string names; other values remain
    unchanged."""
    import pandas as pd

    span = named_span(given)
    return given if span is None else span[1] - pd.Timedelta(1, "ns")


class Tick(float):
    """Number of ticks of a column, which a ``text`` names."""

    text: str

    def __new__(cls, number, text):
        """Make the number, which is shown as the text."""
        tick = super().__new__(cls, number)
        tick.text = text
        return tick

    def __repr__(self):
        return repr(self.text)


class ColumnClock(NamedTuple):
    """A column of dates, times or durations as multiples of a tick.

    ``form`` is "datetime", "duration", "period" or "date" (Python's dates). ``unit`` is
    the unit of the integers that represent values, or the frequency of a period.
    ``origin`` is the minimum, and ``tick`` the greatest common divisor of the
    differences from it; both are 0 if no value was seen, so that none is drawn.
    ``zone`` is the time zone, if any: ticks count local time.
    """

    form: str
    unit: str
    origin: int
    tick: int
    zone: str | None = None

    @classmethod
    def of(cls, column):
        """Learn the clock of a column; None if it has no times."""
        form = form_of(column)
        if form is None:
            return None
        if form == "period":
            unit = column.dtype.name.removeprefix("period[").removesuffix("]")
        else:
            unit = getattr(column.dtype, "unit", None) or _unit(column, form)
        zone = _zone(column) if form == "datetime" else None
        integers, missing = _whole(column, form, unit, zone)
        known = integers[~missing]
        if not len(known):
            return cls(form, unit, 0, 0, zone)
        origin = int(known.min())
        tick = int(np.gcd.reduce(known - origin)) or 1
        return cls(form, unit, origin, tick, zone)

    def encode(self, column):
        """Convert values to numbers of ticks, in float64, NaN where missing.

        Raise ValueError for values of another form.
        """
        if form_of(column) != self.form and column.notna().any():
            raise ValueError(
                f"Column {column.name!r} was a {self.form} when the model was fitted, "
                f"and has the dtype {column.dtype} now."
            )
        if not column.notna().any():
            return np.full(len(column), np.nan)
        if self.form == "datetime":
            self._check_zone(column)
        integers, missing = _whole(column, self.form, self.unit, self.zone)
        ticks = np.where(missing, self.origin, integers) - self.origin
        ticks = ticks / max(self.tick, 1)
        return np.where(missing, np.nan, ticks)

    def waves(self, span):
        """Periods, in ticks, whose phases are inputs of nets: year, week and day if
        ``span`` contains several of them, and their harmonics longer than two ticks.
        Durations have none."""
        if self.form == "duration" or not self.tick:
            return ()
        seconds = self.tick * _seconds(self.form, self.unit)
        return tuple(
            period / seconds / part
            for period, parts in _PERIODS
            for part in range(1, parts + 1)
            if period / seconds * _SEVERAL <= span and period / seconds / part > 2
        )

    @property
    def takes(self):
        """Description of the values that the column accepts."""
        zone = f" in time zones (its own is {self.zone})" if self.zone else ""
        return _TAKES[self.form] + zone

    def value(self, given):
        """Convert a string or time to a value of this form. Strings without a time zone
        are local time."""
        import pandas as pd

        if isinstance(given, Real) and not isinstance(given, np.timedelta64):
            raise TypeError("it is a number")
        if self.form == "period":
            return pd.Period(given, freq=self.unit)
        if self.form == "duration":
            return pd.Timedelta(given)
        time = pd.Timestamp(given)
        if time is pd.NaT:
            return time
        if self.form == "date":
            if time != time.normalize() or time.tz is not None:
                raise ValueError("it has a time of day")
            return time.date()
        if self.zone and time.tz is None and isinstance(given, str):
            options = {"ambiguous": False, "nonexistent": "shift_forward"}
            time = time.tz_localize(self.zone, **options)
        return time

    def span(self, given):
        """First time of the month, day, or other period of the calendar that a string
        names, and the first time after it, as strings; None for other values."""
        span = None if self.form == "duration" else named_span(given)
        return span and tuple(map(str, span))

    def _check_zone(self, column):
        """Raise ValueError if only one of the column and the clock has a time zone."""
        zone = _zone(column)
        if (zone is None) != (self.zone is None):
            own = self.zone
            remedy = f"tz_localize({own!r})" if own else "tz_convert(None)"
            raise ValueError(
                f"Column {column.name!r} had the time zone {own} when the model was "
                f"fitted, and has {zone} now: convert it, as by .dt.{remedy}."
            )

    def decode(self, ticks, dtype):
        """Convert numbers of ticks, NaN where missing, to a column of a dtype."""
        import pandas as pd

        missing = np.isnan(ticks) | (self.tick == 0)
        integers = np.rint(np.where(missing, 0, ticks)).astype(np.int64)
        integers = integers * self.tick + self.origin
        if self.form == "period":
            column = pd.Series(pd.PeriodIndex.from_ordinals(integers, freq=self.unit))
            return column.mask(missing).astype(dtype)
        if self.form == "duration":
            column = pd.Series(integers.view(f"m8[{self.unit}]")).mask(missing)
            return column.astype(dtype)
        column = pd.Series(integers.view(f"M8[{self.unit}]")).mask(missing)
        if self.form == "date":
            return column.dt.date.astype(object).where(~missing, None)
        if self.zone is not None:
            # Ambiguous times are standard time; nonexistent times move forward.
            column = column.dt.tz_localize(
                self.zone,
                ambiguous=np.zeros(len(column), bool),
                nonexistent="shift_forward",
            )
        return column.astype(dtype)


def form_of(column):
    """Form of a column's times, or None."""
    import pandas as pd

    types, dtype = pd.api.types, column.dtype
    if isinstance(dtype, pd.PeriodDtype):
        return "period"
    if types.is_datetime64_any_dtype(dtype):
        return "datetime"
    if types.is_timedelta64_dtype(dtype) or getattr(dtype, "kind", "") == "m":
        return "duration"
    if types.is_object_dtype(dtype):
        inferred = types.infer_dtype(column, skipna=True)
        return {"date": "date", "datetime": "datetime", "timedelta": "duration"}.get(
            inferred
        )
    return None


def _seconds(form, unit):
    """Mean length of a unit, in seconds."""
    import pandas as pd

    if form != "period":
        return np.timedelta64(1, unit) / np.timedelta64(1, "s")
    # 48 months, quarters or years are whole years and contain leap years.
    ends = [pd.Period(ordinal=n, freq=unit).start_time for n in (0, 48)]
    return (ends[1] - ends[0]).total_seconds() / 48


def _unit(column, form):
    """Finest unit of the values, if the dtype has none."""
    return "s" if form == "date" else np.datetime_data(_plain(column, form).dtype)[0]


def _zone(column):
    """Name of the time zone of a column of dates; "UTC" for a zone without a name, None
    without a zone."""
    import pandas as pd

    zone = _dates(column).dt.tz
    if zone is None:
        return None
    try:
        return str(pd.DatetimeTZDtype("ns", str(zone)).tz)
    except TypeError:
        return "UTC"


def _dates(column):
    """Column of dates with a single dtype; ValueError if the dates have none in
    common."""
    import pandas as pd

    try:
        return pd.to_datetime(column)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Column {column.name!r} has dates that do not go together ({error}): give "
            "all of them one time zone, as by pandas.to_datetime(column, utc=True)."
        ) from error


def _plain(column, form, zone=None):
    """NumPy array of dates (local time if they have a zone) or durations."""
    import pandas as pd

    if form == "period":
        return column.array.asi8
    if form == "duration":
        return pd.to_timedelta(column).to_numpy()
    dates = _dates(column)
    if dates.dt.tz is not None:
        # Convert times to the zone of the clock.
        dates = dates if zone is None else dates.dt.tz_convert(zone)
        dates = dates.dt.tz_localize(None)
    return dates.to_numpy()


def _whole(column, form, unit, zone=None):
    """Integers that represent values, and a mask of the missing values."""
    missing, values = column.isna().to_numpy(bool), _plain(column, form, zone)
    if form == "period":
        return values, missing
    kind = "m8" if form == "duration" else "M8"
    return values.astype(f"{kind}[{unit}]").view(np.int64), missing
