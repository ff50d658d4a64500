"""Conversion of pandas objects and times within states of objects to plain data.

Pickle can save everything. skops, which MLflow uses, can save neither an Index nor a
dtype, and reduces a class that derives from a named tuple and another class to a tuple.
"""

from importlib import import_module
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from skdgm.exceptions import CorruptFileError
from skdgm.utils import pandas_parts


class Plain(NamedTuple):
    """Plain form of an object: the name of its pandas type or of a record of skdgm, and
    a dict of its parts; or "dtype" or the name of a Python type of times, and a
    text."""

    kind: str
    parts: object


def packed(value):
    """Value with pandas objects and times replaced by Plain, in a copy of containers;
    the value itself if there are none."""
    if pandas_parts.is_pandas(value):
        parts = pandas_parts.encode(value, lambda part, _: packed(part))
        return value if parts is None else Plain(type(value).__name__, parts)
    if type(value) in pandas_parts.TIMES:
        text = pandas_parts.text_of(value)
        return value if text is None else Plain(type(value).__name__, text)
    if isinstance(value, np.dtype) and value.names is None:
        return Plain("dtype", value.str)
    if _is_record(type(value)) and type(value).__bases__ != (tuple,):
        kind = type(value)
        parts = {name: packed(part) for name, part in value._asdict().items()}
        return Plain(f"{kind.__module__}.{kind.__name__}", parts)
    return _each(value, packed)


def unpacked(value):
    """Inverse of :func:`packed`."""
    if not isinstance(value, Plain):
        return _each(value, unpacked)
    if value.kind == "dtype":
        return np.dtype(value.parts)
    for kind in pandas_parts.TIMES:
        if value.kind == kind.__name__:
            return pandas_parts.time_of(kind, value.parts)
    parts = {name: unpacked(part) for name, part in value.parts.items()}
    home, _, name = value.kind.rpartition(".")
    if not home:
        return pandas_parts.decode(value.kind, parts)
    kind = getattr(import_module(home), name) if home.startswith("skdgm.") else None
    if not _is_record(kind):
        raise CorruptFileError(f"The file has a {value.kind!r}, which is no record.")
    return kind._make(parts.values())


def _is_record(kind):
    """Return whether a class is a named tuple of this package."""
    ours = isinstance(kind, type) and kind.__module__.startswith("skdgm.")
    return ours and issubclass(kind, tuple) and hasattr(kind, "_fields")


def _each(value, function):
    """Apply a function to the parts of a container; the same if nothing changes."""
    kind = type(value)
    if kind is SimpleNamespace:
        result = _each(vars(value), function)
        return value if result is vars(value) else SimpleNamespace(**result)
    if kind is dict:
        result = {function(k): function(part) for k, part in value.items()}
        parts = zip([*value, *value.values()], [*result, *result.values()])
        return value if all(old is new for old, new in parts) else result
    is_sequence = isinstance(value, tuple) or kind is list
    if not is_sequence and not (kind is np.ndarray and value.dtype == object):
        return value
    old = value.ravel().tolist() if kind is np.ndarray else list(value)
    new = [function(part) for part in old]
    if all(old_part is new_part for old_part, new_part in zip(old, new)):
        return value
    if kind is np.ndarray:
        result = np.empty(len(new), object)
        for place, part in enumerate(new):
            result[place] = part
        return result.reshape(value.shape)
    return value._make(new) if hasattr(value, "_make") else kind(new)
