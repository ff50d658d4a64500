"""Columns of tables that are compared: their kinds, and values of all tables.

DataFrames of pandas, polars and other libraries, and Arrow tables, are read by
narwhals. Values of all tables become numbers together: categories are codes of one
list, dates and durations are numbers of one unit, and missing values are NaN.
"""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import narwhals as nw
import numpy as np

from skdgm.utils.domains import as_numbers, is_frame, refuse_huge

KINDS = "numerical", "categorical", "boolean", "datetime"
_TIMES = date | time | timedelta


class Column(NamedTuple):
    """Values of a column in several tables.

    ``kind`` is one of :data:`KINDS`; ``parts`` are the values in each table, float64,
    NaN where missing: numbers, codes of ``categories``, in the order of first
    appearance, 0 or 1 of booleans, and numbers of the ``unit``, a dtype, of dates and
    durations.
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
        """Number of values of a discrete column."""
        return 2 if self.kind == "boolean" else len(self.categories)

    def take(self, rows):
        """The same column with selected rows of each table."""
        parts = (part[own] for part, own in zip(self.parts, rows, strict=True))
        return self._replace(parts=tuple(parts))

    def of(self, tables):
        """The same column of some of the tables, given by number."""
        return self._replace(parts=tuple(self.parts[table] for table in tables))


def as_frame(table, name="X"):
    """A DataFrame or an Arrow table as one of narwhals; None for anything else.

    Raise ValueError if several columns have the same name, TypeError if it is None.
    """
    if table is None:
        raise TypeError(f"{name} is None, and must be rows.")
    names = list(getattr(table, "columns" if is_frame(table) else "column_names", ()))
    twice = [own for own in dict.fromkeys(names) if names.count(own) > 1]
    if twice:
        raise ValueError(
            f"{name} has several columns of the names {twice}: rename them."
        )
    found = nw.from_native(table, eager_only=True, pass_through=True)
    return found if isinstance(found, nw.DataFrame) else None


def series_of(tables, names):
    """Columns of each table by name, in the order of the first DataFrame: a list of
    dicts of Series of narwhals or, of arrays, ndarrays.

    Columns of arrays have the names of those of the first DataFrame, else x0, x1 and so
    on. ValueError if columns differ, or several have the same name.
    """
    frames = [as_frame(table, name) for table, name in zip(tables, names)]
    columns = next((list(f.columns) for f in frames if f is not None), None)
    found = []
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
            found.append(dict(zip(columns, X.T)))
            continue
        if set(frame.columns) != set(columns):
            raise ValueError(
                f"{name} has the columns {list(frame.columns)}, where {columns} are "
                "expected: all DataFrames must have the same ones."
            )
        found.append({own: frame.get_column(own) for own in columns})
    return found


def kind_of(series):
    """Kind of a column; None if all is missing.

    Raise TypeError if it has none, as lists and complex numbers.
    """
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
        given = series.filter(~series.is_null()).to_list()
        for kind, types in (("boolean", bool | np.bool_), ("datetime", _TIMES)):
            if all(isinstance(value, types) for value in given):
                return kind
        return "categorical"
    native = getattr(series.to_native(), "dtype", dtype)
    # Sparse numbers and bits of pandas.
    plain = getattr(getattr(native, "subtype", None), "kind", None)
    if plain in ("f", "i", "u", "b") and str(native).startswith("Sparse"):
        return "boolean" if plain == "b" else "numerical"
    raise TypeError(
        f"Column {series.name!r} has the dtype {native}, which is neither of numbers, "
        "dates nor categories: make such of it, or drop it."
    )


def read(tables, names, column_types=None):
    """Columns of several tables, a list of Column; ``column_types`` are kinds of some
    by name, where these differ from those of their types.

    ValueError if columns differ, several have the same name, a number is infinite, or
    ``column_types`` names an unknown column or kind; TypeError if a column has a type
    of no known kind, or other values in one of the tables.
    """
    found = series_of(tables, names)
    column_types = {} if column_types is None else column_types
    known = list(found[0])
    for name, kind in column_types.items():
        if name not in known or kind not in KINDS:
            raise ValueError(
                f"column_types must have some of {list(KINDS)} for some of the columns "
                f"{known}; got {kind!r} for {name!r}."
            )
    return [
        _column([series[name] for series in found], names, name, column_types.get(name))
        for name in known
    ]


def _column(parts, names, name, kind):
    """A column of all tables; its kind is that in the first that has any value."""
    kinds = [kind_of(part) for part in parts]
    kind = kind or next((own for own in kinds if own), "numerical")
    if kind == "categorical":
        return _coded(parts, name)
    values = []
    for part, own, table in zip(parts, kinds, names):
        try:
            if own is None:
                values.append(np.full(len(part), np.nan))
            elif (own == "datetime") != (kind == "datetime"):
                raise TypeError(f"they are {own}")
            else:
                values.append(_times(part) if own == "datetime" else _numbers(part))
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
    """Float64 values of a column of numbers, bits, or categories that are numbers."""
    if isinstance(series, np.ndarray):
        return series
    if series.dtype.is_numeric() or series.dtype == nw.Boolean:
        return series.cast(nw.Float64).to_numpy().astype(np.float64)
    missing, given = series.is_null().to_numpy(), series.to_list()
    return np.array([np.nan if m else float(v) for v, m in zip(given, missing)])


def _times(series):
    """NumPy's dates or durations of a column of such; floats of times of day."""
    values = series.to_numpy()
    if values.dtype.kind in "mM":
        return values
    missing = series.is_null().to_numpy()
    given = [None if m else v for v, m in zip(series.to_list(), missing)]
    kinds = {type(v) for v in given if v is not None}
    if all(issubclass(own, time) for own in kinds):
        midnight = datetime.min
        given = [v and datetime.combine(midnight, v) - midnight for v in given]
    if any(isinstance(v, timedelta) for v in given):
        return np.array(given, "timedelta64[us]")
    return np.array(given, "datetime64[us]")


def _unit(values, name):
    """The finest type of dates or durations of all tables; None if all is missing."""
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
    """A column of categories, as codes of those of all tables."""
    codes, found = {}, []
    for part in parts:
        given = part.tolist() if isinstance(part, np.ndarray) else part.to_list()
        absent = np.isnan(part) if isinstance(part, np.ndarray) else part.is_null()
        try:
            own = [
                np.nan
                if skip or value != value
                else codes.setdefault(value, len(codes))
                for value, skip in zip(given, np.asarray(absent).tolist())
            ]
        except TypeError as error:
            raise TypeError(
                f"Column {name!r} has values that cannot be categories ({error}): make "
                "numbers or strings of it, or drop it."
            ) from error
        found.append(np.array(own, np.float64))
    return Column(name, "categorical", tuple(found), tuple(codes))


def numbers(frame):
    """Array of the values of a DataFrame of narwhals with numbers and bits only."""
    return np.column_stack([_numbers(frame.get_column(own)) for own in frame.columns])
