"""Names, types and categories of the columns of a DataFrame, as parts of a tree.

A model fitted to a DataFrame with columns of several kinds knows their names and
categories as pandas Indexes, and their dtypes.
"""

import numpy as np

from skdgm.exceptions import CorruptFileError

_NUMBERS = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
_MASKED = tuple(f"{name}Dtype" for name in ("Boolean", "Float32", "Float64", *_NUMBERS))


def is_pandas(value):
    """Whether an object is one of pandas, which this does not import."""
    return type(value).__module__.split(".")[0] == "pandas"


def encode(value, node):
    """Describe an Index or a dtype.

    Parameters
    ----------
    value : object
        Of pandas.
    node : callable
        ``node(part, name)`` encodes a part.

    Returns
    -------
    parts : dict or None
        None if there is no description of such objects.
    """
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
    """Make an Index or a dtype from its description.

    Parameters
    ----------
    kind : str
    parts : dict
        As encoded, with decoded values.

    Returns
    -------
    value : object
    """
    import pandas as pd

    name = {"name": parts.pop("name")} if kind.endswith("Index") else {}
    if kind == "CategoricalDtype":
        return pd.CategoricalDtype(**parts)
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
