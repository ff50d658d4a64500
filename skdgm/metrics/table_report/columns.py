"""Columns of tables that are compared: their types and values in all tables.

Narwhals reads DataFrames of pandas, polars and other libraries, and Arrow tables.
Columns become numbers that are consistent across tables: codes of categories, dates and
durations in one unit, and NaN for missing values.
"""

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import narwhals as nw
import numpy as np

from skdgm.utils.domains import as_numbers, is_frame, refuse_huge

KINDS = "numerical", "categorical", "boolean", "datetime"
_TIMES = date | time | timedelta


class Column(NamedTuple):
    """Values of a column in several tables.

    ``kind`` is one of :data:`KINDS`. ``parts`` are the values in each table, float64,
    NaN where missing. They are numbers, codes of ``categories`` in the order of first
    appearance, 0 or 1 for booleans, or dates and durations in the ``unit``, a dtype.
    """

    name: object
    kind: str
    parts: tuple
    categories: tuple = ()
    unit: np.dtype | None = None

    @property
    def is_discrete(self):
        """True for categories and booleans."""
        return self.kind in ("categorical", "boolean")

    @property
    def size(self):
        """Number of possible values of a discrete column."""
        return 2 if self.kind == "boolean" else len(self.categories)

    def take(self, rows):
        """The column with selected rows of each table."""
        parts = (part[index] for part, index in zip(self.parts, rows, strict=True))
        return self._replace(parts=tuple(parts))

    def of(self, tables):
        """The column of selected tables, given by number."""
        return self._replace(parts=tuple(self.parts[table] for table in tables))


def as_frame(table, name="X"):
    """Convert a DataFrame or an Arrow table to a narwhals DataFrame; None for other
    input. ValueError if names are not unique; TypeError if the table is None."""
    if table is None:
        raise TypeError(f"{name} is None, and must be rows.")
    names = list(getattr(table, "columns" if is_frame(table) else "column_names", ()))
    repeated = [column for column, number in Counter(names).items() if number > 1]
    if repeated:
        raise ValueError(
            f"{name} has several columns of the names {repeated}: rename them."
        )
    frame = nw.from_native(table, eager_only=True, pass_through=True)
    return frame if isinstance(frame, nw.DataFrame) else None


def series_of(tables, names):
    """Columns of each table by name, in the order of the first DataFrame: a list of
    dicts of narwhals Series, or ndarrays for arrays.

    Columns of arrays have the names of the first DataFrame, or x0, x1 and so on.
    ValueError if columns differ or names are not unique.
    """
    frames = [as_frame(table, name) for table, name in zip(tables, names)]
    columns = next((list(f.columns) for f in frames if f is not None), None)
    series = []
    for table, frame, name in zip(tables, frames, names):
        if frame is None:
            options = {"ensure_all_finite": "allow-nan"}
            X = as_numbers(table, name, "the comparison", **options)
            columns = columns or [f"x{j}" for j in range(X.shape[1])]
            if len(columns) != X.shape[1]:
                raise ValueError(
                    f"{name} has {X.shape[1]} columns, where {len(columns)} are "
                    "expected: all tables must have the same ones."
                )
            series.append(dict(zip(columns, X.T)))
            continue
        if set(frame.columns) != set(columns):
            raise ValueError(
                f"{name} has the columns {list(frame.columns)}, where {columns} are "
                "expected: all DataFrames must have the same ones."
            )
        series.append({column: frame.get_column(column) for column in columns})
    return series


def kind_of(series):
    """Type of a column; None if all values are missing. TypeError if it has no type, as
    for lists and complex numbers."""
    if isinstance(series, np.ndarray) or series.dtype.is_numeric():
        return "numerical"
    dtype = series.dtype
    if dtype == nw.Boolean:
        return "boolean"
    if dtype.is_temporal():
        return "datetime"
    if series.is_null().all():
        return None
    if isinstance(dtype, nw.String | nw.Categorical | nw.Enum):
        return "categorical"
    if isinstance(dtype, nw.Object):
        values = series.filter(~series.is_null()).to_list()
        for kind, types in (("boolean", bool | np.bool_), ("datetime", _TIMES)):
            if all(isinstance(value, types) for value in values):
                return kind
        return "categorical"
    native = getattr(series.to_native(), "dtype", dtype)
    # Sparse numbers and booleans of pandas.
    subtype_kind = getattr(getattr(native, "subtype", None), "kind", None)
    if subtype_kind in ("f", "i", "u", "b") and str(native).startswith("Sparse"):
        return "boolean" if subtype_kind == "b" else "numerical"
    raise TypeError(
        f"Column {series.name!r} has the dtype {native}, which is neither of numbers, "
        "dates nor categories: make such of it, or drop it."
    )


def read(tables, names, column_types=None):
    """Columns of several tables, a list of Column. ``column_types`` are types by name,
    where they differ from the inferred types.

    ValueError if columns differ, names are not unique, a number is infinite, or
    ``column_types`` has an unknown column or type. TypeError if the type of a column
    has no type, or differs between tables.
    """
    tables_of_series = series_of(tables, names)
    column_types = {} if column_types is None else column_types
    columns = list(tables_of_series[0])
    for name, kind in column_types.items():
        if name not in columns or kind not in KINDS:
            raise ValueError(
                f"column_types must have some of {list(KINDS)} for some of the columns "
                f"{columns}; got {kind!r} for {name!r}."
            )
    return [
        _column(
            [series[name] for series in tables_of_series],
            names,
            name,
            column_types.get(name),
        )
        for name in columns
    ]


def _column(parts, names, name, kind):
    """A column of all tables, whose kind is that of the first table with values."""
    kinds = [kind_of(part) for part in parts]
    kind = kind or next((kind_here for kind_here in kinds if kind_here), "numerical")
    if kind == "categorical":
        return _coded(parts, name)
    values = []
    for part, kind_here, table in zip(parts, kinds, names):
        try:
            if kind_here is None:
                values.append(np.full(len(part), np.nan))
            elif (kind_here == "datetime") != (kind == "datetime"):
                raise TypeError(f"they are {kind_here}")
            else:
                values.append(
                    _times(part) if kind_here == "datetime" else _numbers(part)
                )
        except (OverflowError, TypeError, ValueError) as error:
            raise TypeError(
                f"Column {name!r} is {kind}, but {table} has other values in it "
                f"({error}): give it the same type in all tables."
            ) from error
    unit = _unit(values, name) if kind == "datetime" else None
    if unit is not None:
        values = [_count(part, unit) for part in values]
    for part, table in zip(values, names):
        if np.isinf(part).any():
            raise ValueError(f"{table} has infinite values in column {name!r}.")
        refuse_huge(part, f"Column {name!r} of {table}")
        if kind == "boolean" and not np.isin(part[~np.isnan(part)], (0, 1)).all():
            raise TypeError(
                f"Column {name!r} is boolean, but {table} has other values."
            )
    return Column(name, kind, tuple(values), unit=unit)


def _numbers(series):
    """Float64 values of a column of numbers, booleans, or numeric categories."""
    if isinstance(series, np.ndarray):
        return series
    if series.dtype.is_numeric() or series.dtype == nw.Boolean:
        return series.cast(nw.Float64).to_numpy().astype(np.float64)
    missing, values = series.is_null().to_numpy(), series.to_list()
    return np.array([np.nan if m else float(v) for v, m in zip(values, missing)])


def _times(series):
    """NumPy dates or durations of a column; floats if it is all missing."""
    values = series.to_numpy()
    if values.dtype.kind in "mM":
        return values
    missing = series.is_null().to_numpy()
    moments = [None if m else v for v, m in zip(series.to_list(), missing)]
    kinds = {type(v) for v in moments if v is not None}
    if all(issubclass(time_type, time) for time_type in kinds):
        midnight = datetime.min
        moments = [v and datetime.combine(midnight, v) - midnight for v in moments]
    if any(isinstance(v, timedelta) for v in moments):
        return np.array(moments, "timedelta64[us]")
    return np.array(moments, "datetime64[us]")


def _unit(values, name):
    """Finest dtype of dates or durations of all tables; None if all are missing."""
    known = [part.dtype for part in values if part.dtype.kind in "mM"]
    if len({dtype.kind for dtype in known}) > 1:
        raise TypeError(
            f"Column {name!r} has dates in one table, and durations in another."
        )
    return np.result_type(*known) if known else None


def _count(part, unit):
    """Dates or durations as numbers of a unit, NaN where missing."""
    if part.dtype.kind == "f":
        return part
    return np.where(np.isnat(part), np.nan, part.astype(unit).astype(np.int64))


def _coded(parts, name):
    """A column of categories as codes that are consistent across tables."""
    codes, parts_of_codes = {}, []
    for part in parts:
        values = part.tolist() if isinstance(part, np.ndarray) else part.to_list()
        absent = np.isnan(part) if isinstance(part, np.ndarray) else part.is_null()
        try:
            part_codes = [
                np.nan
                if skip or value != value
                else codes.setdefault(value, len(codes))
                for value, skip in zip(values, np.asarray(absent).tolist())
            ]
        except TypeError as error:
            raise TypeError(
                f"Column {name!r} has values that cannot be categories ({error}): make "
                "numbers or strings of it, or drop it."
            ) from error
        parts_of_codes.append(np.array(part_codes, np.float64))
    return Column(name, "categorical", tuple(parts_of_codes), tuple(codes))


def numbers(frame):
    """Array of the values of a narwhals DataFrame with only numbers and booleans."""
    return np.column_stack([_numbers(frame.get_column(name)) for name in frame.columns])
