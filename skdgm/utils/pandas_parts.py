"""Encoding of pandas objects and Python times as parts of a tree.

A model that was fitted to a DataFrame has names and categories of columns as pandas
Indexes, and dtypes. Constraints on columns of dates have pandas or Python times.
"""

from datetime import date, datetime, time, timedelta

import numpy as np

from skdgm.exceptions import CorruptFileError

_NUMBERS = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
# Python types of times, which have a text representation.
TIMES = date, datetime, time, timedelta
_MASKED = tuple(f"{name}Dtype" for name in ("Boolean", "Float32", "Float64", *_NUMBERS))


def is_pandas(value):
    """Return whether an object is of pandas, without importing pandas."""
    return type(value).__module__.split(".")[0] == "pandas"


def encode(value, node):
    """Describe a pandas object by a dict of parts, each encoded by ``node(part,
    name)``; None if its type is not supported."""
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
    """Parts of a time; None if they do not restore it exactly."""
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
        is_exact = repr(decode(kind, dict(parts))) == repr(value)
    except (KeyError, TypeError, ValueError):
        return None
    return parts if is_exact else None


def text_of(value):
    """Text of a Python time; None if it does not restore the time exactly."""
    duration = isinstance(value, timedelta)
    text = str(value // timedelta.resolution) if duration else value.isoformat()
    return text if repr(time_of(type(value), text)) == repr(value) else None


def time_of(kind, text):
    """Python time from its text."""
    if kind is timedelta:
        return int(text) * timedelta.resolution
    return kind.fromisoformat(text)


def _named(dtype):
    """Parts of a dtype of times or of Arrow; None if they do not restore it exactly."""
    kind = type(dtype).__name__
    if kind == "PeriodDtype":
        return {"freq": dtype.name.removeprefix("period[").removesuffix("]")}
    if kind == "DatetimeTZDtype":
        parts = {"unit": dtype.unit, "zone": str(dtype.tz)}
    else:
        parts = {"name": dtype.name}
    try:
        is_exact = decode(kind, parts) == dtype
    except (TypeError, NotImplementedError):
        return None
    return parts if is_exact else None


def decode(kind, parts):
    """Create a pandas object of a kind from its decoded parts."""
    import pandas as pd

    name = {"name": parts.pop("name")} if kind.endswith("Index") else {}
    if kind == "CategoricalDtype":
        return pd.CategoricalDtype(**parts)
    if kind == "Timestamp":
        moment = pd.Timestamp(parts["value"])
        zone = parts["zone"]
        return moment if zone is None else moment.tz_localize("UTC").tz_convert(zone)
    if kind == "Timedelta":
        return pd.Timedelta(parts["value"])
    if kind == "Period":
        return pd.Period(ordinal=parts["ordinal"], freq=parts["freq"])
    if kind in ("NaTType", "NAType"):
        return pd.NaT if kind == "NaTType" else pd.NA
    if kind == "SparseDtype":
        return pd.SparseDtype(parts["subtype"], parts["fill_value"])
    if kind == "StringDtype":
        options = {"na_value": np.nan} if parts["nan"] else {}
        return pd.StringDtype(parts["storage"], **options)
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
