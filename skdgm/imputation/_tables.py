"""Masking, selection and restoration of columns of arrays and DataFrames."""

import numpy as np
import scipy.sparse as sp
from sklearn.utils import _safe_indexing

from skdgm.data.foreign import is_foreign, native, schema_of
from skdgm.data.inputs import is_missing, missing
from skdgm.utils.domains import is_frame

# Value that fills text columns without any value, as in scikit-learn.
NAMELESS = "missing_value"
# Types of columns that the input table does not have: indicators and empty columns.
_NEW = {"b": ("Boolean",), "f": ("Float64",)}


def marked(X, missing_values):
    """Return X with NaN (or NA) in place of ``missing_values``, and the mask of missing
    entries. ValueError if X is sparse and ``missing_values`` is 0."""
    is_standard = is_missing(missing_values)
    if is_frame(X):
        if not is_standard:
            columns = [_blank(column, missing_values) for column in columns_of(X)]
            X = framed(columns, X.index, X.columns)
        return X, X.isna().to_numpy(bool)
    if sp.issparse(X):
        if not is_standard and missing_values == 0:
            raise ValueError(
                "missing_values is 0, and X is sparse, so that most of it would be "
                "missing: give X.toarray()."
            )
        if not is_standard and X.data.dtype.kind in "biuf":
            X = X.astype(np.result_type(X.dtype, np.float32))
            X.data[X.data == missing_values] = np.nan
        return X, np.isnan(X.toarray())
    values = np.asarray(X)
    if not is_standard:
        is_marked = values == missing_values
        # Integers and bits become floats, which have NaN, and text objects.
        kind = values.dtype.kind
        X = values = values.astype(
            values.dtype if kind == "f" else float if kind in "biu" else object
        )
        X[is_marked] = np.nan
    if values.dtype.kind in "biu":
        return X, np.zeros(values.shape, bool)
    return X, missing(values)


def framed(columns, index, names):
    """DataFrame of columns by position; neither labels nor names need be unique."""
    import pandas as pd

    arrays = {j: getattr(column, "array", column) for j, column in enumerate(columns)}
    return pd.DataFrame(arrays, index=index).set_axis(names, axis=1)


def columns_of(frame):
    """Columns of a DataFrame, as a list of Series."""
    return [frame.iloc[:, j] for j in range(frame.shape[1])]


def _blank(column, value):
    categories = getattr(column.dtype, "categories", None)
    if categories is not None:
        is_category = value in categories
        return column.cat.remove_categories([value]) if is_category else column
    try:
        is_value = (column == value).fillna(False).to_numpy(bool)
    except OverflowError:
        # The value is out of range for this type.
        return column
    return _nullable(column).mask(is_value) if is_value.any() else column


def _nullable(column):
    """Convert a column of bools or integers to a type with missing values."""
    is_integral = getattr(column.dtype, "kind", "O") in "biu"
    return column.convert_dtypes() if is_integral else column


def like(X, table):
    """Convert a DataFrame to the library and the column types of X."""
    if not is_frame(table) or not is_foreign(X):
        return table
    schema = schema_of(X)
    types_by_name, names = dict(zip(schema.names, schema.types)), tuple(table.columns)
    types = tuple(
        types_by_name.get(name) or _NEW[table[name].dtype.kind] for name in names
    )
    stored = dict(zip(schema.names, schema.own))
    stored_types = schema.own and tuple(map(stored.get, names))
    return native(table, schema._replace(names=names, types=types, own=stored_types))


def take(X, which):
    """Columns of a table selected by a mask; the table itself if all are selected."""
    if which.all():
        return X
    return _safe_indexing(X, np.flatnonzero(which), axis=1)


def restored(filled, X, lacks, which, names):
    """Insert columns that the model does not see between the imputed columns ``which``.

    Their missing values become 0, the first category, or "missing_value" in text
    columns.
    """
    dropped = take(X, ~which)
    dropped = dropped.toarray() if sp.issparse(dropped) else dropped
    if is_frame(filled):
        if not is_frame(dropped):
            dropped = framed(np.asarray(dropped).T, filled.index, names[~which])
        imputed, others = iter(columns_of(filled)), map(_constant, columns_of(dropped))
        columns = [next(imputed if is_imputed else others) for is_imputed in which]
        return framed(columns, filled.index, names)
    dropped = np.where(lacks[:, ~which], 0, np.asarray(dropped))
    if dropped.dtype.kind == "O":
        dropped = dropped.astype(filled.dtype)
    complete = np.empty(lacks.shape, np.result_type(filled, dropped))
    complete[:, which], complete[:, ~which] = filled, dropped
    return complete


def _constant(column):
    """Fill missing values of a column with a constant."""
    categories = getattr(column.dtype, "categories", None)
    if categories is not None and len(categories):
        return column.fillna(categories[0])
    kind = getattr(column.dtype, "kind", "O")
    if categories is None and kind in "biuf":
        return column.fillna(False if kind == "b" else 0)
    if kind in "mM":
        return column.fillna(column.astype("int64").mul(0).astype(column.dtype))
    return column.astype(object).fillna(NAMELESS)


def append_columns(table, bits, names):
    """Append binary columns to a table, with names if it is a DataFrame."""
    if not is_frame(table):
        return np.hstack([table, bits])
    return framed([*columns_of(table), *bits.T], table.index, [*table.columns, *names])


def emptied(table, lacks, which, names, missing_values):
    """Restore a table with all columns ``names``: its columns go where ``which`` is
    True and lose imputed values; other columns are empty."""
    value = np.nan if is_missing(missing_values) else missing_values
    if is_frame(table):
        names = names.astype(object)
        names[which] = table.columns
        kept_columns = iter(columns_of(table))
        columns = [
            _taken(next(kept_columns), is_missing_here, value)
            if is_kept
            else np.full(len(table), value)
            for is_kept, is_missing_here in zip(which, lacks.T)
        ]
        return framed(columns, table.index, names)
    is_text = isinstance(value, str)
    dtype = object if is_text else np.result_type(table, np.float32)
    X = np.full(lacks.shape, value, dtype)
    X[:, which] = table
    X[lacks] = value
    return X


def _taken(column, lacks, value):
    """Remove values of a column."""
    if is_missing(value):
        return _nullable(column).mask(lacks) if lacks.any() else column
    if value not in getattr(column.dtype, "categories", [value]):
        column = column.cat.add_categories([value])
    return column.mask(lacks, value)
