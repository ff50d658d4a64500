"""Conversion of X, y and weights from the user's types, and errors for invalid
types."""

from collections.abc import Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from numbers import Real
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import assert_all_finite, get_tags

from skdgm.data.streams import is_streamed
from skdgm.training import canonical
from skdgm.utils.bits import takes
from skdgm.utils.counts import refuse_inexact
from skdgm.utils.domains import checked_weights, is_frame

# Prefixes of NumPy's messages about values that are not numbers.
_NO_NUMBER = (
    "could not convert string to float",
    "float() argument must be",
    # pandas, for categories beside bits.
    "Cannot cast ",
)
_RAGGED = "setting an array element with a sequence"
_DATES = np.datetime64, np.timedelta64, date, timedelta
_TEXT = str, bytes
_LARGEST = int(np.finfo(np.float64).max)
# Types of missing values by name, because pandas may not be installed.
_MISSING = "NoneType", "NAType", "NaTType"
# Estimators that accept tables with any types of columns.
_TAKERS = "EoNADE, NADE, RBM, VAE and Diffusion"
# Maximum number of columns named in a message.
_MAX_NAMED = 10


def tabulate(rows, sample_weight, in_memory=True):
    """Canonical table of validated rows, in memory as lists if these are smaller;
    ValueError if a weight is negative or not finite, or all weights are 0."""
    if sample_weight is not None:
        sample_weight = checked_weights(
            sample_weight, rows.X, dtype=np.float64, ensure_non_negative=True
        )
    return canonical(rows.in_memory() if in_memory else rows, sample_weight)


def for_callbacks(X, y, sample_weight):
    """Keyword arguments that pass data to scikit-learn's callbacks."""
    weights = None if sample_weight is None else {"sample_weight": sample_weight}
    # scikit-learn's ScoringMonitor ignores data without y.
    y = np.zeros(X.shape[0]) if y is None else y
    return {"X": X, "y": y, "metadata": weights}


def original_data(X, table):
    """X for callbacks, whose methods check names of columns: the original DataFrame, or
    the array that the table reads."""
    return X if is_frame(X) and not is_streamed(X) else table.rows.X


def refuse_dates(model, X, domain):
    """Raise TypeError if X has dates, some of which NumPy would convert to numbers,
    unless the domain of the model accepts them. The error names models that do."""
    if domain.takes_times:
        return
    if type(X) is np.ndarray and X.dtype.kind in "fbiu":
        return
    if is_frame(X):
        frame: Any = X
        types = zip(frame.columns, frame.dtypes)
        dates = [f"Column {n!r} has the dtype {d}" for n, d in types if d.kind in "mM"]
    else:
        X = np.asarray(X, dtype=object) if isinstance(X, list | tuple) else X
        dtype = getattr(X, "dtype", np.dtype(object))
        dates = [f"X has the dtype {dtype}"] if dtype.kind in "mM" else []
        if isinstance(X, np.ndarray) and dtype.kind == "O":
            types = [t for t in set(map(type, X.flat)) if issubclass(t, _DATES)]
            dates = [f"X has values of the type {t.__name__}" for t in types]
    if dates:
        takers = f"{_TAKERS} read dates of a DataFrame, and "
        if hasattr(type(model), "sample_sequences"):
            takers = ""
        raise TypeError(
            f"{dates[0]}, and {type(model).__name__} does not read dates: convert them "
            "to numbers, such as days since a date, or drop them. "
            f'{takers}RNNNADE and VRNN read dates of series with column_types="auto".'
        )


@contextmanager
def explained(model, X, domain):
    """Context that rejects dicts, repeated names of columns, and dates unless the
    domain accepts them, and explains errors as :func:`columns_named` does."""
    refuse_dict(X, type(model).__name__)
    refuse_repeated_names(X)
    column_types = getattr(domain, "kinds", None)
    is_first = not hasattr(model, "n_features_in_")
    is_table = len(getattr(X, "shape", ())) == 2
    if is_first and is_table and isinstance(column_types, list | tuple):
        refuse_length(column_types, X.shape[1])
    refuse_dates(model, X, domain)
    with columns_named(model, X):
        yield


@contextmanager
def columns_named(model, X):
    """Context that explains errors about values that are not numbers; see
    :func:`refuse_others`."""
    try:
        yield
    except (TypeError, ValueError) as error:
        refuse_others(model, X, error)
        raise


def refuse_repeated_names(X):
    """Raise ValueError for a DataFrame with several columns of one name."""
    if is_frame(X) and not is_streamed(X) and not X.columns.is_unique:
        names = X.columns[X.columns.duplicated()].tolist()
        raise ValueError(f"X has several columns of the names {names}: rename them.")


def refuse_length(column_types, n_columns):
    """Raise ValueError if a sequence does not have one type for each column."""
    if len(column_types) != n_columns:
        raise ValueError(
            f"column_types has {len(column_types)} entries, but X has {n_columns} "
            "columns."
        )


def refuse_dict(X, subject):
    """Raise TypeError, which names the model ``subject``, if X is a dict."""
    # A sparse matrix in DOK format is a dict, too.
    if isinstance(X, Mapping) and not sp.issparse(X):
        raise TypeError(
            f"{subject} takes a table of rows, and X is a dict: give pd.DataFrame(X), "
            "or the conditions of rows to be drawn as sample(conditions=...)."
        )


def refuse_others(model, X, error):
    """Raise an error that names the column and a remedy, if ``error`` is about values
    that are not numbers, infinite values or the number of dimensions."""
    message, subject = str(error), getattr(model, "_name", type(model).__name__)
    if message.startswith("Found array with dim "):
        names_known = *vars(model), *getattr(model, "_DETAILS", ())
        shape = ", and say what they are by image_shape" * (
            "image_shape" in names_known
        )
        raise ValueError(
            f"{message} Make a row of each image or array: X.reshape(len(X), -1)"
            f"{shape}."
        ) from error
    if "contains infinity" in message and (found := _infinite(X)):
        remedy = "leave them out"
        if get_tags(model).input_tags.allow_nan:
            remedy = f"make them NaN, which is a missing value, or {remedy}"
        raise ValueError(
            f"{message} They are in columns {found[:_MAX_NAMED]}: {remedy}."
        ) from error
    if message.startswith(_RAGGED) and isinstance(X, list | tuple):
        sizes = sorted({np.size(row) for row in X})
        raise ValueError(
            f"{subject} takes a table, but X has rows of {sizes[0]} and of {sizes[-1]} "
            "values: give NaN where one is missing."
        ) from error
    if not message.startswith((*_NO_NUMBER, _RAGGED)):
        return
    if np.ndim(X) == 1:
        raise type(error)(
            f"{subject} takes a table, but X has one dimension: give a "
            "row of a DataFrame as X.iloc[[0]], one of an array as X[[0]]."
        ) from error
    index = _other_column(X)
    if index is None:
        return
    # The attribute ``columns`` of Arrow tables contains data.
    names = getattr(X, "column_names", getattr(X, "columns", None))
    name = index if names is None else names[index]
    remedy = f". {_TAKERS} take it as it is"
    if takes(model, "mixed") or get_tags(model).input_tags.categorical:
        remedy = ", or leave it in a DataFrame, whose types say what columns are"
    raise type(error)(
        f"{subject} takes numbers, but column {name!r} has other values "
        f"({error}): encode it, with sklearn.preprocessing.OneHotEncoder or "
        f"OrdinalEncoder{remedy}."
    ) from error


def _infinite(X):
    """Names, or numbers, of the columns with infinite values."""
    if sp.issparse(X):
        entries = X.tocoo()
        return np.unique(entries.col[np.isinf(entries.data)]).tolist()
    if is_frame(X):
        reals = [j for j, dtype in enumerate(X.dtypes) if dtype.kind == "f"]
        parts = (X.iloc[:, j].to_numpy(np.float64, na_value=np.nan) for j in reals)
        return [X.columns[j] for j, x in zip(reals, parts) if np.isinf(x).any()]
    try:
        return np.flatnonzero(np.isinf(np.asarray(X, np.float64)).any(axis=0)).tolist()
    except (TypeError, ValueError):
        return []


def _other_column(X):
    """Index of the first column with values that are not numbers, or None."""
    is_pandas = is_frame(X)
    values = X if is_pandas else np.asarray(X, dtype=object)
    for j in range(values.shape[1] if values.ndim == 2 else 0):
        try:
            if is_pandas:
                X.iloc[:, j].to_numpy(np.float64, na_value=np.nan)
            else:
                values[:, j].astype(np.float64)
        except (TypeError, ValueError):
            return j
    return None


def as_values(y, owner, name="y"):
    """Array of y, whose entries keep their types.

    ValueError, which names the owner, if y is None, ragged or a masked array.
    """
    if y is None:
        subject = owner if isinstance(owner, str) else type(owner).__name__
        raise ValueError(
            f"{subject} requires {name} to be passed, but the target {name} is None."
        )
    if sp.issparse(y):
        return y.toarray()
    if isinstance(y, np.ma.MaskedArray):
        raise ValueError(
            f"{name} is a masked array: replace masked values by the marker of missing "
            "values."
        )
    # Extension dtypes of pandas: NumPy would convert integers and NA to floats.
    extension = hasattr(getattr(y, "dtype", None), "na_value")
    try:
        values = np.asarray(y, dtype=object if extension else None)
        if values.dtype.kind in "SU" and not isinstance(y, np.ndarray):
            entries = np.asarray(y, dtype=object)
            # NumPy converts numbers to text if some entries are text.
            if not all(isinstance(value, _TEXT) for value in entries.ravel().tolist()):
                return entries
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} cannot be read as an array: give it one value for each row, or as "
            f"many for each as for any other ({error})."
        ) from error
    if values.dtype.kind == "O":
        _refuse_huge(values, name)
    return values


def _refuse_huge(values, name):
    """Raise ValueError if an integer is larger than any float."""
    for value in values.ravel().tolist():
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise ValueError(
                f"{name} has values that are no numbers: a whole number of "
                f"{value.bit_length()} bits is too large for a float, at most "
                f"{float(_LARGEST):.2g}. Divide it, or give its logarithm."
            )


def check_length(values, n_rows):
    """Raise ValueError unless y has one value for each row of X."""
    if len(values) != n_rows:
        raise ValueError(
            f"y has {len(values)} rows, but X has {n_rows}: inconsistent numbers of "
            "samples."
        )


def is_missing(value):
    """Return whether a value is None, NaN, NaT or pandas' NA."""
    if type(value).__name__ in _MISSING:
        return True
    return isinstance(value, Real | np.datetime64 | np.timedelta64) and value != value


def missing(values):
    """Mask of missing values."""
    if values.dtype.kind == "O":
        flags = [is_missing(value) for value in values.ravel().tolist()]
        return np.array(flags, dtype=bool).reshape(values.shape)
    return values != values


def as_numbers(y, owner):
    """y as float64 with one or two dimensions, NaN where missing.

    TypeError if y is sparse or has dates; ValueError if it has values that are not
    numbers, infinite values or no columns; or as by :func:`as_values`.
    """
    if sp.issparse(y):
        raise TypeError("y is sparse, which is for labels: give y.toarray().")
    values = as_values(y, owner)
    if values.ndim not in (1, 2) or (not values.shape[-1] and values.ndim == 2):
        raise ValueError(
            "y should be an array of shape (n_samples,) or (n_samples, n_outputs), got "
            f"one of shape {values.shape}."
        )
    types = {values.dtype.type}
    if values.dtype.kind == "O":
        values = np.where(missing(values), np.nan, values)
        types = set(map(type, values.flat))
    dates = [kind.__name__ for kind in types if issubclass(kind, _DATES)]
    if dates:
        raise TypeError(
            f"y has values of the type {dates[0]}: convert them to numbers, such as "
            "days since a date."
        )
    refuse_inexact(values, "y")
    try:
        if any(issubclass(kind, _TEXT) for kind in types):
            text = next(value for value in values.flat if isinstance(value, _TEXT))
            raise TypeError(f"they are text, such as {str(text)!r}")
        if values.dtype.kind in "cV":
            raise TypeError(f"they are of the type {values.dtype.name}")
        values = values.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"y has values that are no numbers ({error}): encode them, or predict "
            "classes by a classifier."
        ) from error
    assert_all_finite(values, allow_nan=True, input_name="y")
    return values
