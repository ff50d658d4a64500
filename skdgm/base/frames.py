"""Results of models in the format of the data: an array, or a DataFrame like X."""

from ast import literal_eval
from collections.abc import Mapping

import narwhals as nw
import numpy as np
from scipy.sparse import issparse

from skdgm.data.arrow import flattened
from skdgm.data.filling import completed
from skdgm.data.foreign import Schema, as_pandas, is_foreign, native, schema_of
from skdgm.data.series import plain_type
from skdgm.data.streams import is_streamed
from skdgm.typing import Any, ArrayOrFrame, Data, Seed
from skdgm.utils.domains import is_frame

# NumPy types by the names of narwhals' numeric types.
_TYPES = {
    name: np.dtype("bool" if name == "Boolean" else name.lower())
    for name in (
        *("Boolean", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32"),
        *("UInt64", "Float32", "Float64"),
    )
}


def in_format_of(model, X, values):
    """Values of the entries of X, of shape (n_samples, n_features). They are a
    DataFrame with the index and columns of X if X and the training rows are DataFrames.
    """
    if not _in_frames(model):
        return values
    if is_foreign(X):
        frame = nw.from_native(flattened(X), eager_only=True)
        parts = dict(zip(frame.columns, values.T))
        return nw.from_dict(parts, backend=frame.implementation).to_native()
    if not is_frame(X):
        return values
    import pandas as pd

    return pd.DataFrame(values, X.index, X.columns)


def filled_in(model, X, values):
    """Copies of X with missing entries imputed, in the library of X.

    ``values`` has shape (n_samples * n_draws, n_features), and contains the known
    entries of X. If X and the training rows are DataFrames, the result is one, too. Its
    index repeats that of X for every copy. Its columns keep the types of X if these can
    represent the values.
    """
    if not isinstance(values, np.ndarray) or is_streamed(X) or not _in_frames(model):
        return values
    frame, foreign = as_pandas(X), is_foreign(X)
    if not is_frame(frame):
        return values
    import pandas as pd

    imputed = pd.DataFrame(values, columns=frame.columns)
    result = completed(frame, imputed)
    if not foreign:
        return result
    schema, types, arrow_names = schema_of(X), [], []
    for j, (kind, *parameters) in enumerate(schema.types):
        fits = _holds(_TYPES.get(kind), values[:, j])
        types.append((kind, *parameters) if fits else ("Float64",))
        arrow_names.append(schema.own[j] if fits and schema.own else None)
        if not fits:
            result.isetitem(j, imputed.iloc[:, j].to_numpy())
    detailed = tuple(arrow_names) if schema.own else ()
    return native(result, schema._replace(types=tuple(types), own=detailed))


def conditional_sample(
    self: Any, X: Data, *, n_samples: int = 1, random_state: Seed = None
) -> ArrayOrFrame:
    """Draw missing entries several times, given the known entries of their row.

    Parameters
    ----------
    X : {array-like, sparse matrix, dict} of shape (n_rows, n_features)
        NaN where missing. After a fit to a DataFrame, also a dict of values, or of
        lists of values, by name of the column; other columns are missing.
    n_samples : int, default=1
        Draws for each row.
    random_state : int, RandomState instance or None, default=None
        By default NumPy's global generator, so that each call makes new draws.

    Returns
    -------
    X_drawn : ndarray of shape (n_rows * n_samples, n_features)
        All draws for the first row come first. If X and the training rows are
        DataFrames, a DataFrame whose index repeats each label ``n_samples`` times; with
        ``column_types="mixed"`` also if X is an array.
    """
    X = rows_of(self, X)
    drawn = self.density_.fill(X, "sample", random_state, n_samples=n_samples)
    return filled_in(self, X, drawn)


def rows_of(model, X):
    """X; or a DataFrame of a dict by name of column, in which other columns are
    missing.

    ValueError if the dict names unknown columns, or its values do not form rows.
    """
    names = getattr(model, "feature_names_in_", None)
    if names is None or not isinstance(X, Mapping) or issparse(X):
        return X
    import pandas as pd

    columns, subject = list(names), type(model).__name__
    if other := [name for name in X if name not in columns]:
        raise ValueError(
            f"{subject}: X names {other[0]!r}, but the columns are {columns}."
        )
    try:
        lists = any(
            isinstance(value, list | np.ndarray | pd.Series) for value in X.values()
        )
        frame = pd.DataFrame(dict(X) if lists else [dict(X)])
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{subject}: X has for each column a value, or a list of as many as rows "
            f"({error}). Ranges and choices are for sample(conditions=...)."
        ) from error
    return frame.reindex(columns=columns)


def _in_frames(model):
    """Return whether a model was fitted to a DataFrame."""
    codec = getattr(model._columns, "codec", None)
    return codec is not None or hasattr(model, "feature_names_in_")


def frame_format(X):
    """Library and types of the columns of a DataFrame; None for other data."""
    if is_foreign(X):
        return schema_of(X)
    if not is_frame(X):
        return None
    types = tuple((_name_of_type(dtype),) for dtype in X.dtypes)
    return Schema("pandas", tuple(X.columns), types)


def as_frame(model, values, H=None):
    """Rows of a model, as a DataFrame if the training rows are a DataFrame.

    If the rows are computed from features H instead of drawn, H must be a DataFrame,
    too; the rows have its index if it belongs to pandas. A column has its type in
    ``fit`` if this type represents the values exactly, otherwise the type of
    ``values``.
    """
    form = vars(model).get("_frame_format")
    in_frame = H is None or is_frame(H) or is_foreign(H)
    if form is None or not in_frame or not isinstance(values, np.ndarray):
        return values
    if form.library == "pandas":
        import pandas as pd

        frame_of_rows = pd.DataFrame(values, getattr(H, "index", None))
        types = [_pandas_type(parts[0]) for parts in form.types]
        types = {j: t for j, t in enumerate(types) if _holds(t, values[:, j])}
        return frame_of_rows.astype(types).set_axis(pd.Index(form.names), axis=1)
    frame = nw.from_dict(dict(zip(form.names, values.T)), backend=form.library)
    casts = [
        nw.col(name).cast(getattr(nw, kind))
        for name, (kind, *_), column in zip(form.names, form.types, values.T)
        if _holds(_TYPES.get(kind), column)
    ]
    return frame.with_columns(*casts).to_native()


def _name_of_type(dtype):
    """Name of a type of pandas for :func:`_pandas_type`."""
    if hasattr(dtype, "subtype") and hasattr(dtype, "fill_value"):
        return f"Sparse[{dtype.subtype}, {dtype.fill_value}]"
    return str(dtype)


def _pandas_type(name):
    """Type of a column of pandas, given its name. Pandas does not read the names of all
    sparse types."""
    import pandas as pd

    subtype, _, common = name.removeprefix("Sparse[").rstrip("]").partition(", ")
    if name.startswith("Sparse[") and common != "nan":
        return pd.SparseDtype(subtype, literal_eval(common))
    return pd.api.types.pandas_dtype(name)


def indexed(values, X):
    """Rows with the index of X, if both are DataFrames of pandas."""
    return values.set_axis(X.index) if is_frame(values) and is_frame(X) else values


def _holds(dtype, column):
    """Return whether a numeric type can represent all values of a column."""
    kind = getattr(dtype, "kind", "O")
    if kind == "b":
        return ((column == 0) | (column == 1)).all()
    if kind in "iu":
        ends = np.iinfo(plain_type(dtype))
        in_range = (column >= ends.min) & (column <= ends.max)
        return (in_range & (column == np.rint(column))).all()
    return kind == "f"
