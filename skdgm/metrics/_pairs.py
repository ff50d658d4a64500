"""Validation of tables that are compared, and conversion of DataFrames to numbers."""

import sys
from numbers import Real
from typing import Any

from sklearn.utils.validation import check_scalar

from skdgm.exceptions import DataRangeWarning
from skdgm.metrics.table_report.columns import (
    as_frame,
    kind_of,
    numbers,
    read,
    series_of,
)
from skdgm.metrics.table_report.encodings import encoded
from skdgm.utils.domains import as_numbers, is_frame, refuse_huge
from skdgm.utils.threading.callers import warn

# Ratio of the maximum absolute values of two tables above which there is a warning.
_FACTOR = 8
_GREATEST = sys.float_info.max


def check_pair(first, second, names, subject="the comparison", **options):
    """Validate two tables: float64, the same number of columns, no missing values.

    A table that is None raises a TypeError that names the caller ``subject``. Values
    that are missing, not finite or no numbers, too few rows, and different numbers of
    columns raise a ValueError that names the table. DataRangeWarning is issued if the
    maximum absolute value of one table is more than eight times that of the other.
    Options are those of :func:`sklearn.utils.check_array`.
    """
    first, second = (
        as_numbers(table, name, subject, **options)
        for table, name in zip((first, second), names)
    )
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"{names[0]} has {first.shape[1]} features, but {names[1]} has "
            f"{second.shape[1]}: both must have the same columns."
        )
    sizes = [max(-table.min(), table.max()) for table in (first, second)]
    refuse_huge(first, names[0])
    refuse_huge(second, names[1])
    if 0 < _FACTOR * min(sizes) < max(sizes):
        warn(
            f"{names[0]} has values from {first.min():g} to {first.max():g}, but "
            f"{names[1]} from {second.min():g} to {second.max():g}. The comparison is "
            "meaningless unless both are on the same scale.",
            DataRangeWarning,
        )
    return first, second


def check_number(value, name, **options):
    """Check that a value is a finite real number within bounds. Options are those of
    :func:`sklearn.utils.check_scalar`, which itself accepts NaN."""
    check_scalar(value, name, Real, **options)
    # NumPy has no integers as large as Python's.
    if abs(value) > _GREATEST or value != value:
        raise ValueError(f"{name} must be a finite number, but it is {value}.")


def as_tables(tables, names):
    """Convert tables to numeric tables with the same columns.

    Tables whose columns are all numbers or bits are returned as they are, with the
    columns of DataFrames in the order of the first DataFrame; other DataFrames are
    encoded. ValueError if DataFrames of categories or dates are mixed with other
    tables, if columns differ, or if names are not unique. TypeError for a column that
    holds neither numbers, dates nor categories.
    """
    tables, names = list(tables), list(names)
    frames: list[Any] = [as_frame(table, name) for table, name in zip(tables, names)]
    frame_places = [place for place, frame in enumerate(frames) if frame is not None]
    if not frame_places:
        return tables
    series = series_of(
        [tables[place] for place in frame_places],
        [names[place] for place in frame_places],
    )
    columns = list(series[0])
    plain = {"numerical", "boolean", None}
    other = [
        c
        for c in columns
        if not {kind_of(frame_series[c]) for frame_series in series} <= plain
    ]
    if len(frame_places) < len(tables):
        if other:
            name = next(n for n, frame in zip(names, frames) if frame is None)
            raise ValueError(
                f"Column {other[0]!r} has {_contents(series[0][other[0]])}, but {name} "
                "is no DataFrame: give all as DataFrames."
            )
        return tables
    if other:
        return encoded(read(tables, names))
    frames = [frame.select(columns) for frame in frames]
    return [
        frame.to_native() if is_frame(table) else numbers(frame)
        for frame, table in zip(frames, tables)
    ]


def _contents(series):
    return "dates" if kind_of(series) == "datetime" else "categories"
