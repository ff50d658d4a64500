"""Pairs of tables to be compared: validation, and DataFrames as numbers."""

import sys
from numbers import Real

from sklearn.utils.validation import check_scalar

from skdgm.exceptions import DataRangeWarning
from skdgm.metrics._tabular.columns import as_frame, kind_of, numbers, read, series_of
from skdgm.metrics._tabular.encodings import encoded
from skdgm.utils.domains import as_numbers, is_frame, refuse_huge
from skdgm.utils.threading.callers import warn

# Ratio of the largest absolute values of two tables above which a warning is given.
_FACTOR = 8
_GREATEST = sys.float_info.max


def check_pair(first, second, names, who="the comparison", **options):
    """Validated tables of float64 with the same number of columns and no missing
    values.

    ValueError, with the arguments' names, if a value is missing, not finite or no
    number, rows are too few, or numbers of columns differ; TypeError, which names the
    caller ``who``, if a table is None; DataRangeWarning if the largest absolute
    value of one table is more than eight times that of the other. Options are those of
    :func:`sklearn.utils.check_array`.
    """
    first, second = (
        as_numbers(table, name, who, **options)
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
            f"{names[1]} from {second.min():g} to {second.max():g}. If they are not on "
            "the same scale, bring them there: the comparison is meaningless else.",
            DataRangeWarning,
        )
    return first, second


def check_number(value, name, **options):
    """Check that a value is a finite real number within bounds, as of
    :func:`sklearn.utils.check_scalar`, which itself accepts NaN."""
    check_scalar(value, name, Real, **options)
    # NumPy has no integers as large as Python's.
    if abs(value) > _GREATEST or value != value:
        raise ValueError(f"{name} must be a finite number, but it is {value}.")


def as_tables(tables, names):
    """Numeric tables with the same columns: encoded, or where all columns are of
    numbers or bits the given ones, DataFrames with their columns in the order of the
    first.

    ValueError if DataFrames of categories or dates are mixed with other tables, columns
    differ or have the same name; TypeError if one holds neither numbers, dates nor
    categories.
    """
    tables, names = list(tables), list(names)
    frames = [as_frame(table, name) for table, name in zip(tables, names)]
    given = [place for place, frame in enumerate(frames) if frame is not None]
    if not given:
        return tables
    series = series_of(
        [tables[place] for place in given], [names[place] for place in given]
    )
    columns = list(series[0])
    plain = {"numerical", "boolean", None}
    other = [c for c in columns if not {kind_of(own[c]) for own in series} <= plain]
    if len(given) < len(tables):
        if other:
            name = next(n for n, frame in zip(names, frames) if frame is None)
            raise ValueError(
                f"Column {other[0]!r} has {_told(series[0][other[0]])}, but {name} is "
                "no DataFrame: give all as DataFrames."
            )
        return tables
    if other:
        return encoded(read(tables, names))
    frames = [frame.select(columns) for frame in frames]
    return [
        frame.to_native() if is_frame(table) else numbers(frame)
        for frame, table in zip(frames, tables)
    ]


def _told(series):
    return "dates" if kind_of(series) == "datetime" else "categories"
