"""Dates in chronological order within sequences, read as the time since the previous
row.

A model draws differences, which stay within the observed range, and are equal if all
observed steps were. Continuations of a sequence therefore have later dates in the same
rhythm.
"""

from bisect import bisect_right
from typing import Any, NamedTuple

import numpy as np

from skdgm.data.clocks import ColumnClock, form_of
from skdgm.data.filling import filled_column
from skdgm.data.foreign import Schema, as_pandas, is_foreign, native, schema_of
from skdgm.exceptions import OrderWarning
from skdgm.utils import addresses
from skdgm.utils.domains import is_frame
from skdgm.utils.random import stream
from skdgm.utils.threading.callers import warn

# Random stream of first rows; minimum number of steps, and of equal steps.
_BEGUN, _STEPS, _EQUAL_STEPS = addresses.TIME_STEPS, 8, 2
# Maximum share of dates out of order, which are read as missing.
_DISORDER = 0.1
# Text that begins as a date.
_DATE = r"\d{4}[-/.]\d{1,2}\b"
# Rulers: moments (UTC), for zones with daylight saving time; months, for dates with a
# constant offset from the beginning or the end of their month.
_MOMENTS, _MONTHS, _ENDS = "moments", "months", "ends of months"


class Times(NamedTuple):
    """A column of dates in chronological order within sequences, with its name and
    index.

    A ``clock`` counts the dates in ticks, directly or as ``ruler`` says. ``offset`` is
    the time since the beginning, or the last day, of each month, in nanoseconds.
    ``zone`` is the time zone, if any. ``low`` and ``typical`` are the minimum and the
    median step. ``first`` has the minimum and maximum of the first dates of sequences,
    in ticks.
    """

    name: object
    place: int
    dtype: object
    clock: Any
    ruler: str | None = None
    offset: int = 0
    zone: str | None = None
    low: float = 0.0
    typical: float = 0.0
    first: tuple = (0.0, 0.0)

    def ticks(self, column):
        """Ticks of values, float64, NaN where missing."""
        return self.clock.encode(_counted(column, self.ruler))

    def steps(self, ticks, starts):
        """Column of differences to the previous row, missing in the rows ``starts``, as
        durations or numbers of periods."""
        import pandas as pd

        steps = np.diff(ticks, prepend=np.nan)
        steps[starts] = np.nan
        lost = np.isnan(steps)
        whole = np.where(lost, 0, steps).astype(np.int64) * max(self.clock.tick, 1)
        if self.clock.form == "period":
            return pd.Series(pd.arrays.IntegerArray(whole, lost))
        return pd.Series(whole.view(f"m8[{self.clock.unit}]")).mask(lost)

    def taken(self, column):
        """Ticks of a column of :meth:`steps`, at least the minimum step; the typical
        step where missing."""
        if self.clock.form == "period":
            integers = column.to_numpy(np.float64, na_value=np.nan)
        else:
            integers = column.to_numpy().astype(f"m8[{self.clock.unit}]")
            integers = np.where(np.isnat(integers), np.nan, integers.view(np.int64))
        steps = np.asarray(integers, np.float64) / max(self.clock.tick, 1)
        return np.where(np.isnan(steps), self.typical, steps).clip(self.low)

    def begun(self, n, seed=None):
        """Ticks of the first row of n sequences, drawn from the observed range; the
        middle of the range without a seed."""
        u = np.full(n, 0.5)
        if seed is not None:
            # The same u for all columns, since panels begin on one day.
            u = stream(seed).fold(_BEGUN).rows(n).uniform(1)[:, 0]
        low, high = self.first
        return np.rint(low + (high - low) * u)

    def column(self, ticks):
        """Column for ticks, with the learned type."""
        import pandas as pd

        if self.ruler is None:
            return self.clock.decode(ticks, self.dtype)
        if self.ruler == _MOMENTS:
            column = self.clock.decode(ticks, pd.DatetimeTZDtype("ns", "UTC"))
            return column.dt.tz_convert(self.zone).astype(self.dtype)
        column = self.clock.decode(ticks, pd.PeriodDtype("M"))
        column = _begins(column, self.ruler) + np.timedelta64(self.offset, "ns")
        if self.zone is not None:
            is_dst = np.zeros(len(column), bool)
            column = column.dt.tz_localize(
                self.zone, ambiguous=is_dst, nonexistent="shift_forward"
            )
        if self.dtype == object:  # Dates of Python.
            return column.dt.date.astype(object).where(column.notna(), None)
        return column.astype(self.dtype)


class TimeSteps(NamedTuple):
    """Columns of a DataFrame that date the rows of sequences, if any, and the schema of
    a DataFrame of a library other than pandas."""

    columns: tuple = ()
    schema: Schema | None = None

    @classmethod
    def of(cls, X, lengths):
        """Learn which columns of dates are in chronological order in all sequences,
        apart from a tenth of the dates. OrderWarning if no column of dates is."""
        frame, columns, unordered = as_pandas(X), [], []
        if not is_frame(frame) or not frame.columns.is_unique:
            return cls()
        for j, name in enumerate(frame.columns):
            times, reason = _times_of(frame[name], j, lengths)
            if times is not None:
                columns.append(times)
            elif reason:
                unordered.append(reason)
        if unordered and not columns:
            warn(unordered[0], OrderWarning)
        return cls(tuple(columns), schema_of(X) if columns and is_foreign(X) else None)

    def encoded(self, X, lengths):
        """DataFrame of pandas in which steps replace dates; other data unchanged. Dates
        out of order are missing, with an OrderWarning."""
        frame = as_pandas(X) if self.columns else X
        if not self.columns or not is_frame(frame):
            return X
        frame, starts = frame.copy(deep=False), np.cumsum(lengths) - lengths
        for times in self.columns:
            if times.name in frame.columns:
                column = frame[times.name]
                ticks, late = _ordered(times.ticks(column), lengths)
                _warn_of_disorder(column, late, lengths)
                _replace(frame, times.name, times.steps(ticks, starts))
        return frame

    def others(self, mask):
        """Mask without the columns that are read as steps."""
        result = mask.copy()
        result[[times.place for times in self.columns]] = False
        return result

    def without_first_steps(self, v, starts):
        """Dense rows in which the irrelevant steps of first rows are not missing."""
        if not self.columns:
            return v
        v = v.copy()
        v[np.ix_(starts, [times.place for times in self.columns])] = 0
        return v

    def continued(self, frame, n_steps, seed, X=None, lengths=None):
        """DataFrame with dates, given a DataFrame of steps for sequences of ``n_steps``
        rows. The sequences continue X, or are new."""
        if not self.columns:
            return frame
        for times in self.columns:
            steps = times.taken(frame[times.name]).reshape(-1, n_steps)
            if X is None or lengths is None:
                begun = times.begun(len(steps), seed) - steps[:, 0]
            else:
                begun = times.begun(len(lengths), seed)
                known = self._known(times, X, lengths)
                last = _last(known, lengths, times.typical, begun)
                begun = np.repeat(last, len(steps) // len(lengths))
            ticks = begun[:, None] + steps.cumsum(axis=1)
            _replace(frame, times.name, times.column(ticks.ravel()))
        return native(frame, self.schema)

    def filled(self, frame, X, lengths, seed=None):
        """DataFrame with the dates of X, given a DataFrame of imputed steps. Missing
        dates are interpolated in proportion to the steps."""
        if not self.columns:
            return frame
        given = as_pandas(X)
        for times in self.columns:
            ticks = self._known(times, X, lengths)
            steps = times.taken(frame[times.name])
            begun = times.begun(len(lengths), seed)
            dates = times.column(_between(ticks, steps, lengths, begun))
            if is_frame(given) and times.name in given.columns:
                column = given[times.name].reset_index(drop=True)
                dates = filled_column(column, dates)
            _replace(frame, times.name, dates)
        if not is_foreign(X):
            return frame if is_frame(given) else native(frame, self.schema)
        complete = len(given.columns) == len(frame.columns)
        return native(frame, schema_of(X) if complete else self.schema)

    def predicted(self, frame, X, lengths):
        """DataFrame with dates, given a DataFrame of steps from the previous row of
        X."""
        if not self.columns:
            return frame
        starts = np.cumsum(lengths) - lengths
        for times in self.columns:
            ticks, begun = self._known(times, X, lengths), times.begun(len(lengths))
            typical = np.full(len(ticks), times.typical)
            ticks = _between(ticks, typical, lengths, begun)
            dates = np.roll(ticks, 1) + times.taken(frame[times.name])
            dates[starts] = ticks[starts]
            _replace(frame, times.name, times.column(dates))
        return native(frame, self.schema)

    def _known(self, clock, X, lengths):
        """Ticks of the dates of X, NaN where missing or out of order; all NaN if X has
        no dates."""
        plain = as_pandas(X)
        if not is_frame(plain) or clock.name not in plain.columns:
            return np.full(lengths.sum(), np.nan)
        return _ordered(clock.ticks(plain[clock.name]), lengths)[0]


def steps_of(columns):
    """TimeSteps in the statistics of columns."""
    codec = getattr(columns, "codec", None)
    return TimeSteps() if codec is None or codec.steps is None else codec.steps


def _counted(column, ruler):
    """Column as counted by a ruler."""
    import pandas as pd

    if ruler is None or form_of(column) not in ("datetime", "date"):
        return column
    dates = pd.to_datetime(column)
    if ruler == _MOMENTS:
        return dates if dates.dt.tz is None else dates.dt.tz_convert("UTC")
    dates = dates if dates.dt.tz is None else dates.dt.tz_localize(None)
    return dates.dt.to_period("M")


def _times_of(column, place, lengths):
    """Times of a column of dates or durations in chronological order within all
    sequences, or None; and the reason if a column of dates is not. The dates are
    counted directly or as moments, whichever is regular, or else in months if
    possible."""
    form = form_of(column)
    if form is None:
        _refuse_text(column, lengths)
        return None, ""
    direct = Times(column.name, place, column.dtype, ColumnClock.of(column))
    is_date = getattr(column.dtype, "kind", "O") == "M" or form == "date"
    candidates = []
    for ruler in (None, _MOMENTS, _MONTHS, _ENDS) if is_date else (None,):
        clock = direct if ruler is None else _by(ruler, direct, column)
        if clock is None:
            continue
        ticks, late = _ordered(clock.ticks(column), lengths)
        steps, number = _steps(ticks, lengths)
        if not _is_ordered(column, late) or not _suffice(steps):
            continue
        qualities = -late.sum(), _regular(steps, number), ruler in (_MONTHS, _ENDS)
        candidates.append((qualities, clock, ticks))
    if not candidates:
        is_date = is_date or form == "period"
        return None, _reason(column, direct, lengths) if is_date else ""
    _, clock, ticks = max(candidates, key=lambda known: known[0])
    steps, _ = _steps(ticks, lengths)
    first = ticks[np.cumsum(lengths) - lengths]
    first = first[~np.isnan(first)]
    first = first if len(first) else ticks[~np.isnan(ticks)]
    clock = clock._replace(
        low=float(steps.min()),
        typical=float(np.quantile(steps, 0.5, method="lower")),
        first=(float(first.min()), float(first.max())),
    )
    return clock, ""


def _suffice(steps):
    """Return whether steps, which are not negative, are enough to learn from."""
    few = len(steps) < _STEPS
    if few and (len(steps) < _EQUAL_STEPS or np.ptp(steps)):
        return False
    return bool(steps.any())


def _reason(column, times, lengths):
    """Text of a warning that dates are not read as steps; empty if they are probably no
    times of rows, because they do not vary within sequences, or are out of order and
    repeated."""
    ticks = times.ticks(column)
    steps, _ = _steps(ticks, lengths)
    known = ticks[~np.isnan(ticks)]
    repeats = len(np.unique(known)) < len(known)
    if not steps.any() or (repeats and (steps < 0).mean() > _DISORDER):
        return ""
    about = f"Column {column.name!r} has dates, which are read as numbers, because "
    advice = "Forecasts will not have later dates. "
    if (steps >= 0).all():
        return (
            f"{about}{len(steps)} steps in time are too few to learn. {advice}Fit "
            f"at least {_STEPS + 1} rows, or drop the column."
        )
    previous = np.roll(ticks, 1)
    previous[np.cumsum(lengths) - lengths] = np.nan
    row = int(np.flatnonzero(ticks < previous)[0])
    return (
        f"{about}they are not in chronological order: {_row(row, lengths)} "
        f"({column.iloc[row]}) is earlier than the row before "
        f"({column.iloc[row - 1]}). {advice}Sort the rows of each series by this "
        "column, and pass several series with groups, lengths, or as a list; or drop "
        "the column."
    )


def _warn_of_disorder(column, late, lengths):
    """Warn of the first date out of order, if any."""
    if not late.any():
        return
    row, n = int(late.argmax()), int(late.sum())
    others, verb = (f" and {n - 1} more", "are") if n > 1 else ("", "is")
    warn(
        f"Column {column.name!r} is not in chronological order: the date of "
        f"{_row(row, lengths)} ({column.iloc[row]}){others} {verb} read as missing. "
        "Sort the rows of each series by this column, and correct or drop rows with "
        "wrong dates.",
        OrderWarning,
    )


def _row(row, lengths):
    """Words for a row of a table of series."""
    if len(lengths) == 1:
        return f"row {row}"
    series = np.searchsorted(np.cumsum(lengths), row, side="right")
    return f"row {row - lengths[:series].sum()} of series {series}"


def _ordered(ticks, lengths):
    """Ticks in which dates out of order are NaN, and the mask of these dates: all that
    are not in a longest nondecreasing subsequence of their sequence."""
    late = np.zeros(len(ticks), bool)
    for stop, n in zip(np.cumsum(lengths), lengths):
        known = stop - n + np.flatnonzero(~np.isnan(ticks[stop - n : stop]))
        if (np.diff(ticks[known]) >= 0).all():
            continue
        tails, last_rows, before = [], [], np.full(len(known), -1)
        for i, tick in enumerate(ticks[known].tolist()):
            size = bisect_right(tails, tick)
            before[i] = last_rows[size - 1] if size else -1
            tails[size : size + 1], last_rows[size : size + 1] = [tick], [i]
        late[known], i = True, last_rows[-1]
        while i >= 0:
            late[known[i]], i = False, before[i]
    return (np.where(late, np.nan, ticks), late) if late.any() else (ticks, late)


def _is_ordered(column, late):
    """Return whether few dates of a column are out of order."""
    return late.sum() <= _DISORDER * column.notna().sum()


def _refuse_text(column, lengths):
    """Raise ValueError for a column of text that are dates in chronological order."""
    import pandas as pd

    is_text = pd.api.types.infer_dtype(column, skipna=False) == "string"
    if not is_text or len(column) <= _STEPS or not column.str.match(_DATE).all():
        return
    try:
        dates = pd.to_datetime(column)
    except ValueError:
        return
    ticks, late = _ordered(dates.to_numpy("M8[s]").astype(np.float64), lengths)
    steps, _ = _steps(ticks, lengths)
    if _is_ordered(column, late) and steps.any():
        raise ValueError(
            f"Column {column.name!r} has dates as text, of which each would be a "
            "category: convert them by pandas.to_datetime, or drop the column."
        )


def _by(ruler, times, column):
    """Times counted by a ruler, or None if it does not suit the column."""
    import pandas as pd

    zone, known = times.clock.zone, column.dropna()
    if (ruler == _MOMENTS and zone is None) or not len(known):
        return None
    offset = 0
    if ruler != _MOMENTS:
        local = pd.to_datetime(known)
        local = local if zone is None else local.dt.tz_localize(None)
        begin = _begins(local.dt.to_period("M"), ruler)
        offsets = (local - begin).to_numpy().astype("m8[ns]").view(np.int64)
        if np.ptp(offsets):
            return None
        offset = int(offsets[0])
    clock = ColumnClock.of(_counted(column, ruler))
    return times._replace(clock=clock, ruler=ruler, offset=offset, zone=zone)


def _begins(months, ruler):
    """First or last day of months, by the ruler."""
    if ruler == _MONTHS:
        return months.dt.to_timestamp()
    return (months + 1).dt.to_timestamp() - np.timedelta64(1, "D")


def _steps(ticks, lengths):
    """Known differences to the previous row, and the index of the sequence of each."""
    number = np.repeat(np.arange(len(lengths)), lengths)
    steps = np.diff(ticks)
    known = (number[1:] == number[:-1]) & ~np.isnan(steps)
    return steps[known], number[1:][known]


def _regular(steps, number):
    """Return whether the steps of each sequence are equal."""
    return bool((np.diff(steps)[np.diff(number) == 0] == 0).all())


def _last(ticks, lengths, typical, unknown):
    """Ticks of the last row of each sequence, extrapolated by typical steps from the
    last known row, or from ``unknown`` at the first row if no row is known."""
    last_ticks = np.empty(len(lengths))
    for s, (stop, n) in enumerate(zip(np.cumsum(lengths), lengths)):
        sequence = ticks[stop - n : stop]
        known = np.flatnonzero(~np.isnan(sequence))
        last = known[-1] if known.size else 0
        begin = sequence[last] if known.size else unknown[s]
        last_ticks[s] = begin + (n - 1 - last) * typical
    return last_ticks


def _between(ticks, steps, lengths, begun):
    """Ticks in which steps replace missing values; steps in a gap are rescaled to its
    length."""
    result = ticks.copy()
    for s, (stop, n) in enumerate(zip(np.cumsum(lengths), lengths)):
        sequence, path = result[stop - n : stop], steps[stop - n : stop].cumsum()
        known = np.flatnonzero(~np.isnan(sequence))
        if not known.size:
            sequence[:] = begun[s] + path - path[0]
            continue
        first, last = known[0], known[-1]
        sequence[:first] = sequence[first] + path[:first] - path[first]
        sequence[last:] = sequence[last] + path[last:] - path[last]
        position = path if (np.diff(path) > 0).all() else np.arange(float(n))
        inner = slice(first, last + 1)
        sequence[inner] = np.interp(position[inner], position[known], sequence[known])
    return result


def _replace(frame, name, column):
    """Set a column of a DataFrame in place."""
    frame.isetitem(frame.columns.get_loc(name), column.array)
