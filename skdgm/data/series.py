"""Columns of pandas as numbers, bits or codes, and back."""

from reprlib import Repr

import numpy as np

from skdgm.data.clocks import form_of
from skdgm.utils.counts import refuse_inexact

# Number of values named in an error.
_NAMED = 5
# Kinds of objects that are numbers, by pandas.
_NUMBERS = "integer", "floating", "mixed-integer-float", "decimal"
_REPR = Repr()
_REPR.maxstring = _REPR.maxother = 100
# Text of a value, for a message.
brief = _REPR.repr


def kind_of(column):
    """Type of a column of a DataFrame: "bernoulli", "categorical" or "numeric".

    Raise TypeError for other types, such as complex numbers.
    """
    import pandas as pd

    types, dtype = pd.api.types, column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "categorical"
    if types.is_bool_dtype(dtype):
        return "bernoulli"
    if form_of(column) is not None:
        return "numeric"
    if types.is_object_dtype(dtype) and types.infer_dtype(column) in _NUMBERS:
        return "numeric"
    if types.is_object_dtype(dtype) or types.is_string_dtype(dtype):
        return "categorical"
    if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        return "numeric"
    raise TypeError(
        f"Column {column.name!r} has the dtype {dtype}, which is not of numbers, "
        "categories or times: convert it to numbers or to a category, or drop it."
    )


def plain_type(dtype):
    """NumPy dtype that underlies a nullable or sparse numeric dtype."""
    return np.dtype(getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype)))


def categories_of(column):
    """Index of the categories of a column, in the order of their codes.

    These are the categories of the dtype, or the sorted distinct values. Raise
    ValueError if values are not hashable.
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.dtype.categories
    try:
        distinct = column.dropna().unique().tolist()
    except TypeError as error:
        raise ValueError(
            f"Column {column.name!r} has values that cannot be categories ({error}): "
            "drop it, or make numbers or strings of it."
        ) from error
    # ``tupleize_cols=False`` prevents a MultiIndex of tuples.
    return pd.Index(_in_order(distinct), dtype=column.dtype, tupleize_cols=False)


def _in_order(values):
    try:
        return sorted(values)
    except TypeError:
        pass
    try:
        return sorted(values, key=lambda value: (type(value).__name__, value))
    except TypeError:
        return sorted(values, key=lambda value: (type(value).__name__, repr(value)))


def numbers(column):
    """Convert a column of numbers or bits to float64, NaN where missing.

    Raise TypeError for other types, and ValueError for values that are not numbers, or
    integers that a float cannot represent.
    """
    kind_of(column)
    if form_of(column) is not None:
        raise TypeError(
            f"Column {column.name!r} has the dtype {column.dtype}, and had numbers "
            "when the model was fitted."
        )
    if getattr(column.dtype, "kind", "O") in "iu":
        observed = column.dropna().to_numpy(plain_type(column.dtype))
        refuse_inexact(observed, f"Column {column.name!r}")
    try:
        return column.to_numpy(np.float64, na_value=np.nan)
    except (OverflowError, TypeError, ValueError) as error:
        raise ValueError(
            f"Column {column.name!r} had numbers when the model was fitted, and has "
            f"other values now ({error})."
        ) from error


def codes(column, categories):
    """Codes of values: -1 for unknown categories, NaN where missing."""
    import pandas as pd

    try:
        indices = categories.get_indexer(pd.Index(column))
    except TypeError as error:
        raise ValueError(
            f"Column {column.name!r} had categories when the model was fitted, and has "
            f"values now that cannot be such ({error})."
        ) from error
    return np.where(column.isna().to_numpy(), np.nan, indices)


def place_of(value, categories):
    """Index of a value among categories; -1 if it is not a category."""
    places = dict(zip(categories.tolist(), range(len(categories))))
    try:
        if isinstance(value, str) and hasattr(categories, "asi8"):
            # Categories that are times, as text.
            value = type(categories)([value], dtype=categories.dtype)[0]
        return places.get(value, -1)
    except (TypeError, ValueError):
        return -1


def named(values):
    """Text that lists the first few values, for a message."""
    text = ", ".join(map(repr, values[:_NAMED]))
    return text + (f" and {len(values) - _NAMED} more" if len(values) > _NAMED else "")


def as_bits(values, dtype):
    """Convert numbers, NaN where missing, to a boolean column (True from 0.5)."""
    import pandas as pd

    missing = np.isnan(values)
    return _typed(pd.arrays.BooleanArray(values >= 0.5, missing), dtype, missing)


def as_reals(values, dtype):
    """Convert numbers to a column of a dtype; integers are rounded and clipped. Numbers
    as objects are integers if all are whole."""
    import pandas as pd

    plain = plain_type(dtype)
    if plain.kind == "O" and (np.isnan(values) | (values == np.rint(values))).all():
        objects = [value if np.isnan(value) else int(value) for value in values]
        return pd.Series(objects, dtype=dtype)
    if plain.kind not in "iu":
        return pd.Series(values).astype(dtype)
    missing, info = np.isnan(values), np.iinfo(plain)
    # The largest 64-bit integer is not a float; the nearest float overflows.
    high = float(info.max)
    high = high if int(high) <= info.max else np.nextafter(high, 0)
    whole = np.where(missing, 0, np.rint(values)).clip(info.min, high).astype(plain)
    return _typed(pd.arrays.IntegerArray(whole, missing), dtype, missing)


def as_labels(values, dtype, categories):
    """Convert codes, NaN where missing, to a column of their categories."""
    import pandas as pd

    missing = ~(values < len(categories))
    codes = np.where(missing, -1, np.rint(values)).astype(int)
    if isinstance(dtype, pd.CategoricalDtype):
        return pd.Series(pd.Categorical.from_codes(codes, dtype=dtype))
    return pd.Series(pd.Categorical.from_codes(codes, categories)).astype(dtype)


def _typed(masked, dtype, missing):
    """Convert a masked array to a dtype, unless this cannot represent its missing
    values."""
    import pandas as pd

    is_nullable = not isinstance(dtype, np.dtype | pd.SparseDtype)
    column = pd.Series(masked)
    return column.astype(dtype) if is_nullable or not missing.any() else column
