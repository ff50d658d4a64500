"""Data as training takes them, and as callbacks are told of them."""

from datetime import date, timedelta

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from skdgm.training import canonical

# How NumPy's complaints about what is no number begin.
_NO_NUMBER = "could not convert string to float", "float() argument must be"
_DATES = np.datetime64, np.timedelta64, date, timedelta


def tabulate(rows, sample_weight, in_memory=True):
    """The table of validated rows and of weights that are not valid yet."""
    if sample_weight is not None:
        sample_weight = _check_sample_weight(
            sample_weight, rows.X, dtype=np.float64, ensure_non_negative=True
        )
    return canonical(rows.in_memory() if in_memory else rows, sample_weight)


def for_callbacks(X, y, sample_weight):
    """Data as scikit-learn's callbacks are told of them."""
    weights = None if sample_weight is None else {"sample_weight": sample_weight}
    # Its ScoringMonitor passes over data without y.
    y = np.zeros(X.shape[0]) if y is None else y
    return {"X": X, "y": y, "metadata": weights}


def is_frame(X):
    """Whether X is a DataFrame as those of pandas are."""
    return all(hasattr(X, name) for name in ("iloc", "dtypes", "columns"))


def refuse_dates(X):
    """Raise TypeError where X has dates, of which NumPy would make some numbers."""
    if is_frame(X):
        types = zip(X.columns, X.dtypes)
        dates = [f"Column {n!r} has the dtype {d}" for n, d in types if d.kind in "mM"]
    else:
        X = np.asarray(X, dtype=object) if isinstance(X, list | tuple) else X
        dtype = getattr(X, "dtype", np.dtype(object))
        dates = [f"X has the dtype {dtype}"] if dtype.kind in "mM" else []
        if isinstance(X, np.ndarray) and dtype.kind == "O":
            types = [t for t in set(map(type, X.flat)) if issubclass(t, _DATES)]
            dates = [f"X has values of the type {t.__name__}" for t in types]
    if dates:
        raise TypeError(
            f"{dates[0]}, which is neither of numbers nor of categories: make numbers "
            "of it (of a date the days since another), or drop it."
        )


def refuse_others(model, X, error):
    """Raise an error that tells the column and what to do, if this one was that there
    is text, or something else, where numbers are wanted."""
    if not str(error).startswith(_NO_NUMBER):
        return
    if np.ndim(X) == 1:
        raise type(error)(
            f"{type(model).__name__} takes a table, but X has one dimension: give a "
            "row of a DataFrame as X.iloc[[0]], one of an array as X[[0]]."
        ) from error
    place = _other_column(X)
    if place is None:
        return
    name = X.columns[place] if hasattr(X, "columns") else place
    mixed = ', or give it to output="mixed" in a DataFrame of pandas'
    raise type(error)(
        f"{type(model).__name__} takes numbers, but column {name!r} has other values "
        f"({error}): encode it, with sklearn.preprocessing.OneHotEncoder or "
        f"OrdinalEncoder{mixed if 'output' in vars(model) else ''}."
    ) from error


def refuse_foreign(model, X):
    """Raise TypeError where X is a DataFrame, but none as those of pandas are."""
    if hasattr(X, "to_pandas") and not is_frame(X):
        library = type(X).__module__.split(".")[0]
        raise TypeError(
            f'{type(model).__name__} with output="mixed" reads what columns are from '
            f"pandas DataFrames, not from those of {library}: give it X.to_pandas()."
        )


def _other_column(X):
    """The place of the first column with other values, None if X is no table."""
    frame = is_frame(X)
    values = X if frame else np.asarray(X, dtype=object)
    for j in range(values.shape[1] if values.ndim == 2 else 0):
        try:
            if frame:
                X.iloc[:, j].to_numpy(np.float64, na_value=np.nan)
            else:
                values[:, j].astype(np.float64)
        except (TypeError, ValueError):
            return j
    return None
