"""Dates in order within sequences: read as the time since the row before, and back.

A model draws differences, which stay within the range seen, and are equal where all
steps were: so what follows a sequence lies after it, in the same rhythm.
"""

from typing import NamedTuple

import numpy as np

from skdgm.data.clocks import Clock, form_of
from skdgm.data.filling import filled_column
from skdgm.data.foreign import Schema, as_pandas, is_foreign, native, schema_of
from skdgm.utils import addresses
from skdgm.utils.domains import is_frame
from skdgm.utils.random import stream

# Random stream of first rows; steps from which on dates in order are no chance.
_BEGUN, _STEPS = addresses.TIME_STEPS, 8
# How dates are counted besides as they are: as moments, where a time zone changes its
# clocks; in months, by the same time of each, from its beginning or before its end.
_MOMENTS, _MONTHS, _ENDS = "moments", "months", "ends of months"


class Times(NamedTuple):
    """A column of dates in order within sequences, with its name and place.

    A ``clock`` counts them in ticks: as they are, or as ``ruler`` says. ``offset`` is
    the time since the beginning, or the last day, of each month, in nanoseconds, and
    ``zone`` the time zone. ``low`` and ``typical`` are the least and the median step,
    ``first`` the least and the largest value that a sequence begins with, in ticks.
    """

    name: object
    place: int
    dtype: object
    clock: Clock
    ruler: str = None
    offset: int = 0
    zone: str = None
    low: float = 0.0
    typical: float = 0.0
    first: tuple = (0.0, 0.0)

    def ticks(self, column):
        """Ticks of values, float64, NaN where missing."""
        return self.clock.encode(_counted(column, self.ruler))

    def steps(self, ticks, starts):
        """Column of differences to the row before, missing in the rows ``starts``:
        durations, or numbers of periods."""
        import pandas as pd

        steps = np.diff(ticks, prepend=np.nan)
        steps[starts] = np.nan
        lost = np.isnan(steps)
        whole = np.where(lost, 0, steps).astype(np.int64) * max(self.clock.tick, 1)
        if self.clock.form == "period":
            return pd.Series(pd.arrays.IntegerArray(whole, lost))
        return pd.Series(whole.view(f"m8[{self.clock.unit}]")).mask(lost)

    def taken(self, column):
        """Ticks of a column of :meth:`steps`, of at least the least step seen; where
        missing the typical one."""
        if self.clock.form == "period":
            whole = column.to_numpy(np.float64, na_value=np.nan)
        else:
            whole = column.to_numpy().astype(f"m8[{self.clock.unit}]")
            whole = np.where(np.isnat(whole), np.nan, whole.view(np.int64))
        steps = np.asarray(whole, np.float64) / max(self.clock.tick, 1)
        return np.where(np.isnan(steps), self.typical, steps).clip(self.low)

    def begun(self, n, seed=None):
        """Ticks of the first row of n sequences, drawn between the least and the
        largest one seen; without a seed the middle."""
        u = np.full(n, 0.5)
        if seed is not None:
            # One place for all columns, as of panels that begin on one day.
            u = stream(seed).fold(_BEGUN).rows(n).uniform(1)[:, 0]
        low, high = self.first
        return np.rint(low + (high - low) * u)

    def column(self, ticks):
        """Column of ticks, of the type that was learned."""
        import pandas as pd

        if self.ruler is None:
            return self.clock.decode(ticks, self.dtype)
        if self.ruler == _MOMENTS:
            found = self.clock.decode(ticks, pd.DatetimeTZDtype("ns", "UTC"))
            return found.dt.tz_convert(self.zone).astype(self.dtype)
        found = self.clock.decode(ticks, pd.PeriodDtype("M"))
        found = _begins(found, self.ruler) + np.timedelta64(self.offset, "ns")
        if self.zone is not None:
            later = np.zeros(len(found), bool)
            found = found.dt.tz_localize(
                self.zone, ambiguous=later, nonexistent="shift_forward"
            )
        if self.dtype == object:  # Dates of Python.
            return found.dt.date.astype(object).where(found.notna(), None)
        return found.astype(self.dtype)


class TimeSteps(NamedTuple):
    """Columns of a DataFrame that are times of the rows of sequences, perhaps none, and
    the schema of the DataFrame in another library than pandas."""

    columns: tuple = ()
    schema: Schema = None

    @classmethod
    def of(cls, X, lengths):
        """Learn the columns of dates that are in order within all sequences of a table,
        one after the other."""
        plain, found = as_pandas(X), []
        if not is_frame(plain) or not plain.columns.is_unique:
            return cls()
        for j, name in enumerate(plain.columns):
            if (own := _times_of(plain[name], j, lengths)) is not None:
                found.append(own)
        return cls(tuple(found), schema_of(X) if found and is_foreign(X) else None)

    def encoded(self, X, lengths):
        """DataFrame of pandas with steps in the place of dates; X if it is none, or has
        no dates."""
        frame = as_pandas(X) if self.columns else X
        if not self.columns or not is_frame(frame):
            return X
        frame, starts = frame.copy(deep=False), np.cumsum(lengths) - lengths
        for own in self.columns:
            if own.name in frame.columns:
                steps = own.steps(own.ticks(frame[own.name]), starts)
                _replace(frame, own.name, steps)
        return frame

    def others(self, mask):
        """Mask of columns without those that are read as steps."""
        found = mask.copy()
        found[[own.place for own in self.columns]] = False
        return found

    def settled(self, v, starts):
        """Dense rows in which the steps of first rows, which nobody asks for, count as
        known."""
        if not self.columns:
            return v
        v = v.copy()
        v[np.ix_(starts, [own.place for own in self.columns])] = 0
        return v

    def continued(self, frame, n_steps, seed, X=None, lengths=None):
        """DataFrame of steps of sequences of ``n_steps`` rows, with dates: after each
        of some prefixes, or from drawn ones on."""
        if not self.columns:
            return frame
        for own in self.columns:
            steps = own.taken(frame[own.name]).reshape(-1, n_steps)
            if X is None:
                begun = own.begun(len(steps), seed) - steps[:, 0]
            else:
                begun = own.begun(len(lengths), seed)
                last = _last(self._known(own, X), lengths, own.typical, begun)
                begun = np.repeat(last, len(steps) // len(lengths))
            ticks = begun[:, None] + steps.cumsum(axis=1)
            _replace(frame, own.name, own.column(ticks.ravel()))
        return native(frame, self.schema)

    def filled(self, frame, X, lengths, seed=None):
        """DataFrame of steps, filled, with the dates of X, and missing ones between
        those that are known, as far apart as the steps are."""
        if not self.columns:
            return frame
        plain = as_pandas(X)
        for own in self.columns:
            ticks = self._known(own, X, len(frame))
            steps, begun = own.taken(frame[own.name]), own.begun(len(lengths), seed)
            found = own.column(_between(ticks, steps, lengths, begun))
            if is_frame(plain) and own.name in plain.columns:
                column = plain[own.name].reset_index(drop=True)
                found = filled_column(column, found)
            _replace(frame, own.name, found)
        if not is_foreign(X):
            return frame if is_frame(plain) else native(frame, self.schema)
        complete = len(plain.columns) == len(frame.columns)
        return native(frame, schema_of(X) if complete else self.schema)

    def predicted(self, frame, X, lengths):
        """DataFrame of steps, each from the row before of X, with dates."""
        if not self.columns:
            return frame
        starts = np.cumsum(lengths) - lengths
        for own in self.columns:
            ticks, begun = self._known(own, X, len(frame)), own.begun(len(lengths))
            typical = np.full(len(ticks), own.typical)
            ticks = _between(ticks, typical, lengths, begun)
            found = np.roll(ticks, 1) + own.taken(frame[own.name])
            found[starts] = ticks[starts]
            _replace(frame, own.name, own.column(found))
        return native(frame, self.schema)

    def _known(self, own, X, n_rows=0):
        """Ticks of the dates of X, NaN where missing; all of them if X has none."""
        plain = as_pandas(X)
        if not is_frame(plain) or own.name not in plain.columns:
            return np.full(len(plain) if is_frame(plain) else n_rows, np.nan)
        return own.ticks(plain[own.name])


def steps_of(columns):
    """Time steps of statistics of columns."""
    codec = getattr(columns, "codec", None)
    return TimeSteps() if codec is None or codec.steps is None else codec.steps


def _counted(column, ruler):
    """Column as it is counted."""
    import pandas as pd

    if ruler is None or form_of(column) not in ("datetime", "date"):
        return column
    found = pd.to_datetime(column)
    if ruler == _MOMENTS:
        return found if found.dt.tz is None else found.dt.tz_convert("UTC")
    found = found if found.dt.tz is None else found.dt.tz_localize(None)
    return found.dt.to_period("M")


def _times_of(column, place, lengths):
    """Times of a column of dates, or of durations, in order within all sequences: as
    they are or as moments, whichever is regular, else in months where they suit."""
    form = form_of(column)
    if form is None:
        return None
    whole = Times(column.name, place, column.dtype, Clock.of(column))
    plain = getattr(column.dtype, "kind", "O") == "M" or form == "date"
    found = []
    for ruler in (None, _MOMENTS, _MONTHS, _ENDS) if plain else (None,):
        own = whole if ruler is None else _by(ruler, whole, column)
        if own is None:
            continue
        ticks = own.ticks(column)
        steps, number = _steps(ticks, lengths)
        if len(steps) < _STEPS or (steps < 0).any() or not steps.any():
            continue
        found.append((_regular(steps, number), ruler in (_MONTHS, _ENDS), own, ticks))
    if not found:
        return None
    *_, own, ticks = max(found, key=lambda known: known[:2])
    steps, _ = _steps(ticks, lengths)
    first = ticks[np.cumsum(lengths) - lengths]
    first = first[~np.isnan(first)]
    first = first if len(first) else ticks[~np.isnan(ticks)]
    return own._replace(
        low=float(steps.min()),
        typical=float(np.quantile(steps, 0.5, method="lower")),
        first=(float(first.min()), float(first.max())),
    )


def _by(ruler, times, column):
    """Times counted by a ruler, or None where this does not suit the column."""
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
    clock = Clock.of(_counted(column, ruler))
    return times._replace(clock=clock, ruler=ruler, offset=offset, zone=zone)


def _begins(months, ruler):
    """First day of months, or the last one, as a ruler says."""
    if ruler == _MONTHS:
        return months.dt.to_timestamp()
    return (months + 1).dt.to_timestamp() - np.timedelta64(1, "D")


def _steps(ticks, lengths):
    """Known differences to the row before, and the number of the sequence of each."""
    number = np.repeat(np.arange(len(lengths)), lengths)
    steps = np.diff(ticks)
    known = (number[1:] == number[:-1]) & ~np.isnan(steps)
    return steps[known], number[1:][known]


def _regular(steps, number):
    """Return whether the steps of each sequence are equal."""
    return bool((np.diff(steps)[np.diff(number) == 0] == 0).all())


def _last(ticks, lengths, typical, unknown):
    """Ticks of the last row of each sequence, by typical steps from the last one that
    is known; as if the first was the unknown one where none is."""
    found = np.empty(len(lengths))
    for s, (stop, n) in enumerate(zip(np.cumsum(lengths), lengths)):
        own = ticks[stop - n : stop]
        known = np.flatnonzero(~np.isnan(own))
        last = known[-1] if known.size else 0
        begin = own[last] if known.size else unknown[s]
        found[s] = begin + (n - 1 - last) * typical
    return found


def _between(ticks, steps, lengths, begun):
    """Ticks with missing ones filled by steps, which gaps between known ones stretch or
    shrink to what is there."""
    found = ticks.copy()
    for s, (stop, n) in enumerate(zip(np.cumsum(lengths), lengths)):
        own, path = found[stop - n : stop], steps[stop - n : stop].cumsum()
        known = np.flatnonzero(~np.isnan(own))
        if not known.size:
            own[:] = begun[s] + path - path[0]
            continue
        first, last = known[0], known[-1]
        own[:first] = own[first] + path[:first] - path[first]
        own[last:] = own[last] + path[last:] - path[last]
        place = path if (np.diff(path) > 0).all() else np.arange(float(n))
        inner = slice(first, last + 1)
        own[inner] = np.interp(place[inner], place[known], own[known])
    return found


def _replace(frame, name, column):
    """Set a column of a DataFrame, by position."""
    frame.isetitem(frame.columns.get_loc(name), column.array)
