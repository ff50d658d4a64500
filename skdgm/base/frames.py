"""Answers of models that were fitted to a DataFrame, about DataFrames."""

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

# Types of numbers of narwhals, by name, as those of NumPy.
_TYPES = {
    name: np.dtype("bool" if name == "Boolean" else name.lower())
    for name in (
        *("Boolean", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32"),
        *("UInt64", "Float32", "Float64"),
    )
}


def beside(model, X, values):
    """Values of each entry of X, with its index and columns if it is a DataFrame.

    Parameters
    ----------
    model : estimator
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
    values : ndarray of shape (n_samples, n_features)

    Returns
    -------
    values : ndarray or DataFrame
        A DataFrame of the library of X if X is one and the model was fitted to one.
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
    """Copies of X with missing entries filled, in the library and kind of X.

    Parameters
    ----------
    model : estimator
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
    values : ndarray or DataFrame of shape (n_samples * n_draws, n_features)
        Known entries are those of X.

    Returns
    -------
    values : ndarray or DataFrame
        A DataFrame if X is one and the model was fitted to one. It has the index of X,
        each label for every copy, and its types where these hold the values.
    """
    if not isinstance(values, np.ndarray) or is_streamed(X) or not _in_frames(model):
        return values
    plain, foreign = as_pandas(X), is_foreign(X)
    if not is_frame(plain):
        return values
    import pandas as pd

    found = pd.DataFrame(values, columns=plain.columns)
    whole = completed(plain, found)
    if not foreign:
        return whole
    schema, types, names = schema_of(X), [], []
    for j, (kind, *more) in enumerate(schema.types):
        held = _holds(_TYPES.get(kind), values[:, j])
        types.append((kind, *more) if held else ("Float64",))
        names.append(schema.own[j] if held and schema.own else None)
        if not held:
            whole.isetitem(j, found.iloc[:, j].to_numpy())
    own = tuple(names) if schema.own else ()
    return native(whole, schema._replace(types=tuple(types), own=own))


def conditional_sample(
    self: Any, X: Data, *, n_samples: int = 1, random_state: Seed = None
) -> ArrayOrFrame:
    """Draw missing entries several times, given the others of their row.

    Parameters
    ----------
    X : {array-like, sparse matrix, dict} of shape (n_rows, n_features)
        NaN where missing; or a dict of values by name of column, or of lists of these,
        where ``fit`` was given a DataFrame: other columns are missing.
    n_samples : int, default=1
        Draws for each row.
    random_state : int, RandomState instance or None, default=None
        By default NumPy's global generator: other rows at each call.

    Returns
    -------
    X_drawn : ndarray of shape (n_rows * n_samples, n_features)
        All draws for the first row come first. A DataFrame with its index, each
        label ``n_samples`` times, if X and what the model was fitted to are such;
        with ``column_types="mixed"`` also if X is an array.
    """
    X = rows_of(self, X)
    drawn = self.density_.fill(X, "sample", random_state, n_samples=n_samples)
    return filled_in(self, X, drawn)


def rows_of(model, X):
    """X, or a DataFrame of a dict of values, or lists of these, by name of column; of
    columns that it lacks all are missing.

    ValueError if it names other columns than those of the model, which has names, or
    its values are no rows.
    """
    names = getattr(model, "feature_names_in_", None)
    if names is None or not isinstance(X, Mapping) or issparse(X):
        return X
    import pandas as pd

    own, who = list(names), type(model).__name__
    if other := [name for name in X if name not in own]:
        raise ValueError(f"{who}: X names {other[0]!r}, but the columns are {own}.")
    try:
        lists = any(
            isinstance(value, list | np.ndarray | pd.Series) for value in X.values()
        )
        found = pd.DataFrame(dict(X) if lists else [dict(X)])
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{who}: X has for each column a value, or a list of as many as rows "
            f"({error}). Ranges and choices are for sample(conditions=...)."
        ) from error
    return found.reindex(columns=own)


def _in_frames(model):
    """Return whether a model was fitted to a DataFrame."""
    codec = getattr(model._columns, "codec", None)
    return codec is not None or hasattr(model, "feature_names_in_")


def form_of(X):
    """Library and types of the columns of a DataFrame, None if X is none."""
    if is_foreign(X):
        return schema_of(X)
    if not is_frame(X):
        return None
    return Schema("pandas", tuple(X.columns), tuple((str(t),) for t in X.dtypes))


def framed(model, values, H=None):
    """Rows of a model in a DataFrame like that it was fitted to.

    Parameters
    ----------
    model : estimator
    values : ndarray or DataFrame of shape (n_rows, n_features)
    H : object, optional
        What the rows were computed from, instead of drawn: if it is no DataFrame, they
        are in none; a DataFrame of pandas gives its index.

    Returns
    -------
    rows : ndarray or DataFrame
        Each column has the type of that in ``fit`` if this holds its values exactly,
        else that of ``values``.
    """
    form, asked = vars(model).get("_form"), H is None or is_frame(H) or is_foreign(H)
    if form is None or not asked or not isinstance(values, np.ndarray):
        return values
    if form.library == "pandas":
        import pandas as pd

        found = pd.DataFrame(values, getattr(H, "index", None))
        types = [pd.api.types.pandas_dtype(parts[0]) for parts in form.types]
        types = {j: t for j, t in enumerate(types) if _holds(t, values[:, j])}
        return found.astype(types).set_axis(pd.Index(form.names), axis=1)
    frame = nw.from_dict(dict(zip(form.names, values.T)), backend=form.library)
    known = [
        nw.col(name).cast(getattr(nw, kind))
        for name, (kind, *_), column in zip(form.names, form.types, values.T)
        if _holds(_TYPES.get(kind), column)
    ]
    return frame.with_columns(*known).to_native()


def indexed(values, X):
    """Rows, with the index of X if both are DataFrames of pandas."""
    return values.set_axis(X.index) if is_frame(values) and is_frame(X) else values


def _holds(dtype, column):
    """Return whether a type of numbers holds all values of a column."""
    kind = getattr(dtype, "kind", "O")
    if kind == "b":
        return ((column == 0) | (column == 1)).all()
    if kind in "iu":
        ends = np.iinfo(plain_type(dtype))
        inside = (column >= ends.min) & (column <= ends.max)
        return (inside & (column == np.rint(column))).all()
    return kind == "f"
