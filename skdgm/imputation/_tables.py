"""Tables with missing values, as arrays or as DataFrames: marks, columns and back."""

import numpy as np
import scipy.sparse as sp
from sklearn.utils import _safe_indexing

from skdgm.data.foreign import is_foreign, native, schema_of
from skdgm.data.inputs import is_missing, missing
from skdgm.utils.domains import is_frame

# What is filled into a column of text of which no value was ever seen; scikit-learn's.
NAMELESS = "missing_value"
# Types of columns that are not in the table that was given: indicators, empty ones.
_NEW = {"b": ("Boolean",), "f": ("Float64",)}


def marked(X, missing_values):
    """X with NaN (or NA) in the place of ``missing_values``, and a mask of the entries
    that have no value; ValueError if X is sparse and that value is 0."""
    plain = is_missing(missing_values)
    if is_frame(X):
        if not plain:
            columns = [_blank(column, missing_values) for column in columns_of(X)]
            X = framed(columns, X.index, X.columns)
        return X, X.isna().to_numpy(bool)
    if sp.issparse(X):
        if not plain and missing_values == 0:
            raise ValueError(
                "missing_values is 0, and X is sparse, so that most of it would be "
                "missing: give X.toarray()."
            )
        if not plain and X.data.dtype.kind in "biuf":
            X = X.astype(np.result_type(X.dtype, np.float32))
            X.data[X.data == missing_values] = np.nan
        return X, np.isnan(X.toarray())
    found = np.asarray(X)
    if not plain:
        at = found == missing_values
        # Integers and bits become floats, which have NaN, and text objects.
        kind = found.dtype.kind
        X = found = found.astype(
            found.dtype if kind == "f" else float if kind in "biu" else object
        )
        X[at] = np.nan
    if found.dtype.kind in "biu":
        return X, np.zeros(found.shape, bool)
    return X, missing(found)


def framed(columns, index, names):
    """DataFrame of columns, by position: neither labels nor names need be unique."""
    import pandas as pd

    parts = {j: getattr(column, "array", column) for j, column in enumerate(columns)}
    return pd.DataFrame(parts, index=index).set_axis(names, axis=1)


def columns_of(frame):
    """Columns of a DataFrame, as a list of Series."""
    return [frame.iloc[:, j] for j in range(frame.shape[1])]


def _blank(column, value):
    categories = getattr(column.dtype, "categories", None)
    if categories is not None:
        known = value in categories
        return column.cat.remove_categories([value]) if known else column
    try:
        at = (column == value).fillna(False).to_numpy(bool)
    except OverflowError:
        # Of a number that no value of this type can be.
        return column
    return _nullable(column).mask(at) if at.any() else column


def _nullable(column):
    """Column of a type that has missing values, if it is of bits or whole numbers."""
    whole = getattr(column.dtype, "kind", "O") in "biu"
    return column.convert_dtypes() if whole else column


def like(X, table):
    """Table in the library of X, and in the types of its columns, if X is a
    DataFrame."""
    if not is_frame(table) or not is_foreign(X):
        return table
    schema = schema_of(X)
    known, names = dict(zip(schema.names, schema.types)), tuple(table.columns)
    types = tuple(known.get(name) or _NEW[table[name].dtype.kind] for name in names)
    stored = dict(zip(schema.names, schema.own))
    own = schema.own and tuple(map(stored.get, names))
    return native(table, schema._replace(names=names, types=types, own=own))


def take(X, which):
    """Columns of a table, by a mask; the table itself if these are all."""
    if which.all():
        return X
    return _safe_indexing(X, np.flatnonzero(which), axis=1)


def restored(filled, X, lacks, which, names):
    """Put columns that a model does not know between those, a mask ``which``, that it
    has filled.

    Their missing values are 0, the first category of a category dtype, and else for
    text "missing_value".
    """
    rest = take(X, ~which)
    rest = rest.toarray() if sp.issparse(rest) else rest
    if is_frame(filled):
        if not is_frame(rest):
            rest = framed(np.asarray(rest).T, filled.index, names[~which])
        known, others = iter(columns_of(filled)), map(_constant, columns_of(rest))
        columns = [next(known if own else others) for own in which]
        return framed(columns, filled.index, names)
    rest = np.where(lacks[:, ~which], 0, np.asarray(rest))
    if rest.dtype.kind == "O":
        rest = rest.astype(filled.dtype)
    whole = np.empty(lacks.shape, np.result_type(filled, rest))
    whole[:, which], whole[:, ~which] = filled, rest
    return whole


def _constant(column):
    """Column with missing values filled by a constant."""
    categories = getattr(column.dtype, "categories", None)
    if categories is not None and len(categories):
        return column.fillna(categories[0])
    kind = getattr(column.dtype, "kind", "O")
    if categories is None and kind in "biuf":
        return column.fillna(False if kind == "b" else 0)
    if kind in "mM":
        return column.fillna(column.astype("int64").mul(0).astype(column.dtype))
    return column.astype(object).fillna(NAMELESS)


def beside(table, bits, names):
    """Table with columns of bits, which have names in a DataFrame, added at its
    right."""
    if not is_frame(table):
        return np.hstack([table, bits])
    return framed([*columns_of(table), *bits.T], table.index, [*table.columns, *names])


def emptied(table, lacks, which, names, missing_values):
    """Take values out of a filled table again, whose columns are ``which`` of those
    with these names; others have no values."""
    value = np.nan if is_missing(missing_values) else missing_values
    if is_frame(table):
        names = names.astype(object)
        names[which] = table.columns
        known = iter(columns_of(table))
        columns = [
            _taken(next(known), lost, value) if own else np.full(len(table), value)
            for own, lost in zip(which, lacks.T)
        ]
        return framed(columns, table.index, names)
    X = np.full(lacks.shape, value, np.result_type(table, np.float32))
    X[:, which] = table
    X[lacks] = value
    return X


def _taken(column, lacks, value):
    """Column without some of its values."""
    if is_missing(value):
        return _nullable(column).mask(lacks) if lacks.any() else column
    if value not in getattr(column.dtype, "categories", [value]):
        column = column.cat.add_categories([value])
    return column.mask(lacks, value)
