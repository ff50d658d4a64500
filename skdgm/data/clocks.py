"""Dates, times and durations in columns of pandas, as whole numbers and back."""

from numbers import Real
from typing import NamedTuple

import numpy as np

# Values that a column of each form takes, for messages.
_TAKES = {
    "datetime": "dates and times",
    "date": "dates",
    "duration": "durations",
    "period": "periods",
}

# Seconds of a year, a week and a day, and the waves of each: as many parts of it.
_PERIODS = (365.2425 * 86_400, 2), (7 * 86_400, 3), (86_400, 2)
# Number of periods that a column spans if their phases are read.
_SEVERAL = 2


class Clock(NamedTuple):
    """A column of dates, times or durations as multiples of a tick.

    ``form`` is "datetime", "duration", "period" or "date", of Python's dates; ``unit``
    that of the whole numbers that represent values, or the frequency of a period.
    ``origin`` is the least value seen and ``tick`` the largest number of which all
    others are multiples from there; 0 if no value was seen, and then none is drawn.
    ``zone`` is the time zone of the values, whose local time is counted, if they have
    one.
    """

    form: str
    unit: str
    origin: int
    tick: int
    zone: str = None

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
        whole, missing = _whole(column, form, unit, zone)
        known = whole[~missing]
        if not len(known):
            return cls(form, unit, 0, 0, zone)
        origin = int(known.min())
        tick = int(np.gcd.reduce(known - origin)) or 1
        return cls(form, unit, origin, tick, zone)

    def encode(self, column):
        """Convert values to numbers of ticks, float64, NaN where missing.

        Raise ValueError if these are no values of this form.
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
        whole, missing = _whole(column, self.form, self.unit, self.zone)
        ticks = np.where(missing, self.origin, whole) - self.origin
        ticks = ticks / max(self.tick, 1)
        return np.where(missing, np.nan, ticks)

    def waves(self, span):
        """Periods, in ticks, of which the phases of values matter: of the year, the
        week and the day, as far as ``span`` ticks have several of them, and their parts
        that are longer than two ticks. None of durations."""
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
        """Values of the column, in words."""
        zone = f" in time zones (its own is {self.zone})" if self.zone else ""
        return _TAKES[self.form] + zone

    def value(self, given):
        """Value of the column's form that text or a time stands for. Text without a
        time zone is local time."""
        import pandas as pd

        if isinstance(given, Real) and not isinstance(given, np.timedelta64):
            raise TypeError("a number is none")
        if self.form == "period":
            return pd.Period(given, freq=self.unit)
        if self.form == "duration":
            return pd.Timedelta(given)
        found = pd.Timestamp(given)
        if found is pd.NaT:
            return found
        if self.form == "date":
            if found != found.normalize() or found.tz is not None:
                raise ValueError("it has a time of day")
            return found.date()
        if self.zone and found.tz is None and isinstance(given, str):
            how = {"ambiguous": False, "nonexistent": "shift_forward"}
            found = found.tz_localize(self.zone, **how)
        return found

    def _check_zone(self, column):
        """Raise ValueError if just one of the column and the clock has a time zone."""
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
        whole = np.rint(np.where(missing, 0, ticks)).astype(np.int64)
        whole = whole * self.tick + self.origin
        if self.form == "period":
            found = pd.Series(pd.PeriodIndex.from_ordinals(whole, freq=self.unit))
            return found.mask(missing).astype(dtype)
        if self.form == "duration":
            found = pd.Series(whole.view(f"m8[{self.unit}]")).mask(missing)
            return found.astype(dtype)
        found = pd.Series(whole.view(f"M8[{self.unit}]")).mask(missing)
        if self.form == "date":
            return found.dt.date.astype(object).where(~missing, None)
        if self.zone is not None:
            # The later of the hours that a change of clocks leaves out or repeats.
            later = {"ambiguous": np.zeros(len(found), bool)}
            later["nonexistent"] = "shift_forward"
            found = found.dt.tz_localize(self.zone, **later)
        return found.astype(dtype)


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
        found = types.infer_dtype(column, skipna=True)
        return {"date": "date", "datetime": "datetime", "timedelta": "duration"}.get(
            found
        )
    return None


def _seconds(form, unit):
    """Mean length of a whole number's unit, in seconds."""
    import pandas as pd

    if form != "period":
        return np.timedelta64(1, unit) / np.timedelta64(1, "s")
    # So many months, quarters or years are whole years, with leap years.
    ends = [pd.Period(ordinal=n, freq=unit).start_time for n in (0, 48)]
    return (ends[1] - ends[0]).total_seconds() / 48


def _unit(column, form):
    """Finest unit of objects, and of columns whose dtype has none."""
    return "s" if form == "date" else np.datetime_data(_plain(column, form).dtype)[0]


def _zone(column):
    """Name of the time zone of a column of dates; "UTC" if it has one without a name,
    and None if it has none."""
    import pandas as pd

    zone = _dates(column).dt.tz
    if zone is None:
        return None
    try:
        return str(pd.DatetimeTZDtype("ns", str(zone)).tz)
    except TypeError:
        return "UTC"


def _dates(column):
    """Column of dates with one dtype; ValueError if there is none for all of them."""
    import pandas as pd

    try:
        return pd.to_datetime(column)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Column {column.name!r} has dates that do not go together ({error}): give "
            "all of them one time zone, as by pandas.to_datetime(column, utc=True)."
        ) from error


def _plain(column, form, zone=None):
    """Array of NumPy's dates or durations; of dates with a zone, their local time."""
    import pandas as pd

    if form == "period":
        return column.array.asi8
    if form == "duration":
        return pd.to_timedelta(column).to_numpy()
    found = _dates(column)
    if found.dt.tz is not None:
        # Times of another zone are the same moments in that of the clock.
        found = found if zone is None else found.dt.tz_convert(zone)
        found = found.dt.tz_localize(None)
    return found.to_numpy()


def _whole(column, form, unit, zone=None):
    """Whole numbers that represent values, and a mask of the missing ones."""
    missing, values = column.isna().to_numpy(bool), _plain(column, form, zone)
    if form == "period":
        return values, missing
    kind = "m8" if form == "duration" else "M8"
    return values.astype(f"{kind}[{unit}]").view(np.int64), missing
