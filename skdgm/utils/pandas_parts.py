"""Names, types and categories of the columns of a DataFrame, as parts of a tree.

A model fitted to a DataFrame with columns of several kinds knows their names and
categories as pandas Indexes, and their dtypes. Constraints on columns of dates have
times, of pandas or of Python's own.
"""

from datetime import date, datetime, time, timedelta

import numpy as np

from skdgm.exceptions import CorruptFileError

_NUMBERS = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
# Times of Python's, which have a text.
TIMES = date, datetime, time, timedelta
_MASKED = tuple(f"{name}Dtype" for name in ("Boolean", "Float32", "Float64", *_NUMBERS))


def is_pandas(value):
    """Whether an object is one of pandas, which this does not import."""
    return type(value).__module__.split(".")[0] == "pandas"


def encode(value, node):
    """Describe an object of pandas by its parts, a dict, each encoded by ``node(part,
    name)``; None if there is no description of such objects."""
    kind = type(value).__name__
    if kind == "CategoricalDtype":
        parts = {"categories": value.categories, "ordered": value.ordered}
    elif kind == "SparseDtype":
        parts = {"subtype": value.subtype, "fill_value": value.fill_value}
    elif kind == "StringDtype":
        missing = getattr(value, "na_value", None)
        parts = {"storage": value.storage, "nan": isinstance(missing, float)}
    elif kind in _MASKED:
        parts = {}
    elif kind in ("DatetimeTZDtype", "PeriodDtype", "ArrowDtype"):
        parts = _named(value)
        if parts is None:
            return None
    elif kind in ("Timestamp", "Timedelta", "Period", "NaTType", "NAType"):
        parts = _of_time(value)
        if parts is None:
            return None
    elif kind == "RangeIndex":
        parts = {part: getattr(value, part) for part in ("start", "stop", "step")}
    elif kind == "IntervalIndex":
        parts = {part: getattr(value, part) for part in ("left", "right", "closed")}
    elif kind == "CategoricalIndex":
        parts = {"codes": np.asarray(value.codes), "dtype": value.dtype}
    elif kind == "Index":
        values = value.to_numpy()
        if not isinstance(value.dtype, np.dtype):
            values = value.to_numpy(dtype=object)
        parts = {"values": values, "dtype": value.dtype}
    else:
        return None
    if kind.endswith("Index"):
        parts["name"] = value.name
    return {name: node(part, name) for name, part in parts.items()}


def _of_time(value):
    """Parts of a time, or None if these do not give it again."""
    kind = type(value).__name__
    if kind == "Timestamp":
        zone = None if value.tz is None else str(value.tz)
        parts = {"value": value.asm8, "zone": zone}
    elif kind == "Timedelta":
        parts = {"value": value.asm8}
    elif kind == "Period":
        parts = {"ordinal": int(value.ordinal), "freq": value.freqstr}
    else:
        return {}
    try:
        same = repr(decode(kind, dict(parts))) == repr(value)
    except (KeyError, TypeError, ValueError):
        return None
    return parts if same else None


def text_of(value):
    """Text of a time of Python's, or None if this does not give it again."""
    duration = isinstance(value, timedelta)
    text = str(value // timedelta.resolution) if duration else value.isoformat()
    return text if repr(time_of(type(value), text)) == repr(value) else None


def time_of(kind, text):
    """Time of Python's that a text is of."""
    if kind is timedelta:
        return int(text) * timedelta.resolution
    return kind.fromisoformat(text)


def _named(dtype):
    """Parts of a dtype of times or of Arrow, or None if these do not give it again."""
    kind = type(dtype).__name__
    if kind == "PeriodDtype":
        return {"freq": dtype.name.removeprefix("period[").removesuffix("]")}
    if kind == "DatetimeTZDtype":
        parts = {"unit": dtype.unit, "zone": str(dtype.tz)}
    else:
        parts = {"name": dtype.name}
    try:
        same = decode(kind, parts) == dtype
    except (TypeError, NotImplementedError):
        return None
    return parts if same else None


def decode(kind, parts):
    """Make an object of pandas of a kind from its decoded parts."""
    import pandas as pd

    name = {"name": parts.pop("name")} if kind.endswith("Index") else {}
    if kind == "CategoricalDtype":
        return pd.CategoricalDtype(**parts)
    if kind == "Timestamp":
        found = pd.Timestamp(parts["value"])
        zone = parts["zone"]
        return found if zone is None else found.tz_localize("UTC").tz_convert(zone)
    if kind == "Timedelta":
        return pd.Timedelta(parts["value"])
    if kind == "Period":
        return pd.Period(ordinal=parts["ordinal"], freq=parts["freq"])
    if kind in ("NaTType", "NAType"):
        return pd.NaT if kind == "NaTType" else pd.NA
    if kind == "SparseDtype":
        return pd.SparseDtype(parts["subtype"], parts["fill_value"])
    if kind == "StringDtype":
        missing = {"na_value": np.nan} if parts["nan"] else {}
        return pd.StringDtype(parts["storage"], **missing)
    if kind in _MASKED:
        return getattr(pd, kind)()
    if kind == "DatetimeTZDtype":
        return pd.DatetimeTZDtype(parts["unit"], parts["zone"])
    if kind == "PeriodDtype":
        return pd.PeriodDtype(parts["freq"])
    if kind == "ArrowDtype":
        return pd.ArrowDtype.construct_from_string(parts["name"])
    if kind == "RangeIndex":
        return pd.RangeIndex(**parts, **name)
    if kind == "IntervalIndex":
        return pd.IntervalIndex.from_arrays(**parts, **name)
    if kind == "CategoricalIndex":
        values = pd.Categorical.from_codes(parts["codes"], dtype=parts["dtype"])
        return pd.CategoricalIndex(values, **name)
    if kind == "Index":
        return pd.Index(parts["values"], parts["dtype"], tupleize_cols=False, **name)
    raise CorruptFileError(f"The file has a {kind!r} of pandas, which none has.")
