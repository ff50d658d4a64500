"""Conversion of number and time columns to quantities that can be added, and back."""

from functools import reduce
from operator import add

import numpy as np

from skdgm.data.clocks import form_of
from skdgm.data.conditions import spelled
from skdgm.data.series import as_bits, as_reals, brief, named, plain_type
from skdgm.utils.equations import NEAR, step_of


def quantity(column, subject):
    """Column as a quantity, a Series without labels: float64 for numbers and for
    ordinals of periods, datetime64 for dates in local time, timedelta64 for durations,
    NaN or NaT where missing.

    TypeError, which names the constraint ``subject``, if the column has neither numbers
    nor times; ValueError if numbers are infinite.
    """
    import pandas as pd

    form, column = form_of(column), column.reset_index(drop=True)
    if form == "period":
        ordinals = column.array.asi8.astype(np.float64)
        return pd.Series(np.where(column.isna(), np.nan, ordinals))
    if form == "duration":
        return pd.to_timedelta(column)
    if form is not None:
        values = pd.to_datetime(column)
        return values.dt.tz_localize(None) if values.dt.tz is not None else values
    observed = column.dropna()
    try:
        if len(observed) and pd.api.types.is_string_dtype(observed):
            raise TypeError("text")
        if pd.api.types.infer_dtype(observed) == "complex":
            raise TypeError("complex numbers")
        values = pd.Series(column.to_numpy(np.float64, na_value=np.nan))
    except (OverflowError, TypeError, ValueError) as error:
        raise TypeError(
            f"{subject!r}: column {column.name!r} has the dtype {column.dtype}, which "
            "is neither of numbers nor of dates or durations."
        ) from error
    if np.isinf(values).any():
        raise ValueError(f"{subject!r}: column {column.name!r} has infinite values.")
    return values


def total(columns, subject):
    """Sum of columns, as a quantity."""
    return reduce(add, (quantity(column, subject) for column in columns))


def check_alike(columns, subject, *, summed=False):
    """Raise TypeError unless columns can be compared or, if ``summed``, added."""
    kinds = [_sort(column, subject) for column in columns]
    if len(set(kinds)) > 1:
        names = [column.name for column in columns]
        raise TypeError(
            f"{subject!r}: columns {names} are of {', '.join(kinds)}, which do not "
            "compare."
        )
    if summed and kinds[0] not in ("numbers", "durations"):
        raise TypeError(f"{subject!r}: columns of {kinds[0]} cannot be added.")


def check_numbers(columns, subject):
    """Raise TypeError unless all columns have numbers."""
    for column in columns:
        if (kind := _sort(column, subject)) != "numbers":
            raise TypeError(
                f"{subject!r}: column {column.name!r} has {kind} instead of numbers."
            )


def _sort(column, subject):
    """Describe the type of a column: numbers, dates, durations or periods of a unit."""
    if hasattr(column.dtype, "categories"):
        raise TypeError(
            f"{subject!r}: column {column.name!r} has categories, which do not "
            "compare: make numbers or times of them."
        )
    if form_of(column) == "period":
        return f"periods ({column.dtype.name})"
    kind = quantity(column, subject).dtype.kind
    return {"M": "dates", "m": "durations"}.get(kind, "numbers")


def digits_of(columns, subject):
    """Number of decimals of the numbers in all columns; None for times, or if decimals
    are unlimited."""
    steps = []
    for column in columns:
        values = quantity(column, subject)
        if values.dtype.kind != "f":
            return None
        values = np.unique(values.dropna())
        if len(values):
            steps.append(step_of(values))
    if not steps or min(steps) == 0:
        return None
    return max(0, max(round(-np.log10(step)) for step in steps))


def rounded(values, digits):
    """Round a quantity to a number of decimals; None leaves it unchanged."""
    return values if digits is None else values.round(digits)


def rounded_alike(values, others, place):
    """Round each value to the number of decimals of ``others`` at its ``place``."""
    order, result = np.argsort(place, kind="stable"), values.copy()
    edges = np.searchsorted(place[order], np.arange(1, len(values)))
    for k, group in enumerate(np.split(others[order], edges)):
        step = step_of(group)
        result[k] = np.round(values[k], round(-np.log10(step))) if step else values[k]
    return result


def near(target, result, size, unit):
    """Mask of rows in which a result, the sum of terms with magnitudes that sum to
    ``size``, equals a target rounded to a unit; True for missing values."""
    error = (target - result).abs()
    room = NEAR * np.maximum(target.abs(), size) + 0.5 * unit * (1 + NEAR)
    return ~(error > room).to_numpy(bool)


def typed(values, columns, digits):
    """Convert a quantity to a column for the model, with integers or float32 if all
    source columns have this type."""
    if values.dtype.kind != "f" or any(
        form_of(column) == "period" for column in columns
    ):
        return values
    kinds = np.array([plain_type(column.dtype).kind for column in columns])
    if np.isin(kinds, ("i", "u", "b")).all() and digits == 0:
        return values.astype("Int64" if values.isna().any() else "int64")
    is_single = all(plain_type(column.dtype) == np.float32 for column in columns)
    return values.astype(np.float32) if is_single else values


def restored(values, codec, j):
    """Convert a quantity to the type of column j of a codec."""
    import pandas as pd

    dtype, clock, missing = codec.dtypes[j], codec.clocks[j], values.isna()
    if clock is None:
        convert = as_bits if pd.api.types.is_bool_dtype(dtype) else as_reals
        return convert(values.to_numpy(np.float64), dtype)
    if clock.form == "period":
        ordinals = np.rint(values.fillna(0)).astype(np.int64)
        periods = pd.PeriodIndex.from_ordinals(ordinals, freq=clock.unit)
        return pd.Series(periods).mask(missing).astype(dtype)
    if clock.form == "date":
        return values.dt.date.astype(object).where(~missing, None)
    zone = getattr(dtype, "tz", None)
    if zone is not None:
        # Hours that a change of clocks skips or repeats become the later hour.
        values = values.dt.tz_localize(
            zone, ambiguous=np.zeros(len(values), bool), nonexistent="shift_forward"
        )
    return values.astype(dtype)


def length_of(clock):
    """Nanoseconds per tick of a clock, or units per tick for periods; 1 if the clock is
    None."""
    if clock is None or clock.form == "period":
        return 1 if clock is None else max(1, clock.tick)
    return max(1, clock.tick) * int(
        np.timedelta64(1, clock.unit) // np.timedelta64(1, "ns")
    )


def encoded(codec, j, column):
    """Encode column j as numbers, as :class:`~skdgm.data.Codec` does; -1 for unknown
    categories."""
    names = "columns", "dtypes", "kinds", "categories", "clocks"
    column_codec = codec._replace(
        **{name: getattr(codec, name)[j : j + 1] for name in names}
    )
    frame = column.reset_index(drop=True).to_frame()
    frame.columns = column_codec.columns
    return column_codec.encode(frame, strict=False)[:, 0].astype(np.float64)


def meets(codec, j, column, condition, subject):
    """Mask of the values of column j that satisfy a condition of ``sample``; False
    where missing. ValueError if a range ends before it begins, or values are not in the
    column's domain."""
    x, name = encoded(codec, j, column), codec.names[j]

    def number(value, default):
        code = default if value is None else codec.number(j, value, name)
        if codec.categories[j] is not None and code == -1:
            raise ValueError(
                f"{subject}: {brief(value)} is no category of column {name!r}, which "
                f"has {named(codec.categories[j].tolist())}."
            )
        return code

    ends, values = spelled(condition, name, subject, codec.categories[j])
    ends, values = codec.whole_spans(j, condition, ends, values)
    if ends is None:
        return np.isin(x, [number(value, np.nan) for value in values]) & (x == x)
    low, high, with_low, with_high = ends
    low, high = number(low, -np.inf), number(high, np.inf)
    if not low <= high:
        raise ValueError(
            f"The range {brief(condition)} of {name!r} ends before it begins."
        )
    above = x >= low if with_low else x > low
    return above & (x <= high if with_high else x < high)
