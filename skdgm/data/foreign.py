"""DataFrames of libraries other than pandas, converted to pandas and back by narwhals.

A column of polars or Arrow becomes a pandas column of the corresponding type, which
models read. Draws and imputed columns are converted back to the original types.
"""

from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import narwhals as nw
import narwhals.stable.v1 as stable
import numpy as np

from skdgm.data.arrow import flattened
from skdgm.utils.domains import is_frame

# Nanoseconds in a day.
_DAY = 24 * 3600 * 10**9


class Schema(NamedTuple):
    """Library of a DataFrame, such as "polars", and names and types of its columns.

    A type is a tuple: the name of the type in narwhals and its parameters (unit and
    time zone, categories, or digits). ``own`` has names of the more detailed types of
    Arrow, or None.
    """

    library: str
    names: tuple
    types: tuple
    own: tuple = ()


def is_foreign(X):
    """Return whether X is a DataFrame in memory, of a library other than pandas."""
    if is_frame(X) or isinstance(X, np.ndarray | list | tuple):
        return False
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    return isinstance(frame, nw.DataFrame)


def schema_of(X):
    """The :class:`Schema` of a DataFrame."""
    frame = nw.from_native(flattened(X), eager_only=True)
    types = tuple(_described(frame[name]) for name in frame.columns)
    library, arrow_names = frame.implementation.name.lower(), ()
    if library == "pyarrow":
        arrow_names = tuple(map(_arrow_names, frame.to_native().schema.types))
    return Schema(library, tuple(frame.columns), types, arrow_names)


def _arrow_names(kind):
    """Names from which Arrow can create a type: its own, or those of the indices and
    values of a dictionary; None if it has other parameters."""
    import pyarrow as pa

    names = (str(kind),)
    if isinstance(kind, pa.DictionaryType):
        names = str(kind.index_type), str(kind.value_type), kind.ordered
    try:
        return names if _arrow_type(names) == kind else None
    except ValueError:
        return None


def _arrow_type(names):
    """Arrow type with these names."""
    import pyarrow as pa

    parts = list(map(pa.type_for_alias, names[:2]))
    return pa.dictionary(parts[0], parts[1], names[2]) if len(parts) > 1 else parts[0]


def _described(series):
    dtype = series.dtype
    name = type(dtype).__name__
    if name == "Datetime":
        return name, dtype.time_unit, dtype.time_zone
    if name == "Duration":
        return name, dtype.time_unit
    if name == "Enum":
        return name, tuple(dtype.categories)
    if name == "Decimal" and hasattr(dtype, "scale"):
        return name, dtype.precision, dtype.scale
    return (name,)


def as_pandas(X):
    """DataFrame of another library as one of pandas; other data unchanged. ImportError
    without pandas; TypeError for a column that is not numeric, boolean, text or times.
    """
    if not is_foreign(X):
        return X
    X = flattened(X)
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "Tables of several kinds of columns go by way of pandas: install it, with "
            "pip install 'pandas>=2.2'."
        ) from error
    frame = nw.from_native(X, eager_only=True)
    columns = {j: _column(frame[name]) for j, name in enumerate(frame.columns)}
    return pd.DataFrame(columns).set_axis(list(frame.columns), axis=1)


def _column(series):
    """Column of pandas with the values of a narwhals Series."""
    import pandas as pd

    dtype, missing = series.dtype, series.is_null().to_numpy()
    kind = type(dtype).__name__
    if kind in ("Categorical", "Enum"):
        # Only the stable interface of narwhals preserves the categories of a column.
        plain = stable.from_native(series.to_native(), series_only=True)
        categories = dtype.categories if kind == "Enum" else plain.cat.get_categories()
        return pd.Series(pd.Categorical(series.to_list(), list(categories)))
    if kind in ("String", "Object", "Unknown"):
        return pd.Series(series.to_list(), dtype=object)
    if kind == "Boolean":
        values = pd.array(series.to_list(), dtype="boolean")
        return pd.Series(values if missing.any() else values.astype(bool))
    if kind == "Time":
        # Python's times have no nanoseconds.
        nanoseconds = series.cast(nw.Time()).cast(nw.Int64()).to_list()
        return pd.Series(pd.array(nanoseconds, dtype="Int64"))
    if kind == "Date":
        return pd.Series(series.cast(nw.Datetime("us")).to_numpy())
    if kind == "Datetime":
        plain = series
        if dtype.time_zone is not None:
            plain = plain.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        times = pd.Series(plain.to_numpy().astype(f"M8[{dtype.time_unit}]"))
        if dtype.time_zone is None:
            return times
        return times.dt.tz_localize("UTC").dt.tz_convert(dtype.time_zone)
    if kind == "Duration":
        return pd.Series(series.to_numpy().astype(f"m8[{dtype.time_unit}]"))
    if dtype.is_integer():
        if not missing.any():
            return pd.Series(series.to_numpy())
        return pd.Series(pd.array(series.to_list(), dtype=kind))
    if dtype.is_numeric():
        single = kind == "Float32"
        floats = series.cast(nw.Float32 if single else nw.Float64).to_numpy()
        return pd.Series(np.where(missing, np.nan, floats).astype(floats.dtype))
    raise TypeError(
        f"Column {series.name!r} has the type {dtype}, which is neither numbers, "
        "bits, text nor times: convert it to one of them, or drop it."
    )


def native(frame, schema):
    """DataFrame of pandas converted to the library and types of a schema; unchanged if
    the schema is None."""
    if schema is None:
        return frame
    series = [
        _series(name, frame.iloc[:, j], parts, schema.library)
        for j, (name, parts) in enumerate(zip(schema.names, schema.types))
    ]
    result = nw.from_dict({own.name: own for own in series}).to_native()
    return _as_stored(result, schema.own) if schema.own else result


def _as_stored(table, own):
    """Table of Arrow with the detailed types of the schema, where there are any."""
    import pyarrow as pa

    pairs = zip(table.schema, own)
    fields = [
        field if names is None else field.with_type(_arrow_type(names))
        for field, names in pairs
    ]
    for j, field in enumerate(fields):
        # Arrow casts only text to a dictionary.
        kind, plain = field.type, table.schema.field(j).type
        if pa.types.is_dictionary(kind) and not pa.types.is_dictionary(plain):
            values = table.column(j).cast(kind.value_type, safe=False)
            table = table.set_column(j, field.name, values.dictionary_encode())
    return table.cast(pa.schema(fields), safe=False)


def _series(name, column, parts, library):
    """Series of narwhals with the values of a column of pandas."""
    kind, missing = parts[0], column.isna().to_numpy(bool)
    dtype: Any = None
    if kind not in ("Object", "Unknown"):
        dtype = getattr(nw, kind)(*parts[1:])
    create = partial(nw.new_series, name, backend=library)
    if kind in ("Time", "Datetime", "Duration"):
        # Python's times have no nanoseconds, but integers have.
        integers = _whole(column, missing, parts).tolist()
        entries = [None if lost else x for x, lost in zip(integers, missing)]
        return create(values=entries, dtype=nw.Int64()).cast(dtype)
    values = column.dt.date if kind == "Date" else column.tolist()
    entries = [None if lost else x for x, lost in zip(values, missing)]
    if kind == "Decimal" and len(parts) > 1:
        unit = Decimal(1).scaleb(-dtype.scale)
        exact = [x if x is None else Decimal(repr(float(x))) for x in entries]
        entries = [x if x is None else x.quantize(unit) for x in exact]
    if kind in ("Categorical", "Enum") and any(x is not None for x in entries):
        if not any(isinstance(x, str) for x in entries):
            # Dictionaries of Arrow have values of any type.
            return create(values=entries)
        # Some versions of Arrow cannot create dictionaries from values.
        return create(values=entries, dtype=nw.String()).cast(dtype)
    return create(values=entries, dtype=dtype)


def _whole(column, missing, parts):
    """Integers that represent times, 0 where missing."""
    if parts[0] == "Time":
        integers = np.where(missing, 0, column.to_numpy(np.float64, na_value=0))
        return integers.astype(np.int64).clip(0, _DAY - 1)
    if parts[0] == "Datetime" and column.dt.tz is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    form = "M8" if parts[0] == "Datetime" else "m8"
    times = column.to_numpy().astype(f"{form}[{parts[1]}]").view(np.int64)
    return np.where(missing, 0, times)
