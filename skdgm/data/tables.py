"""Data in the forms for training and callbacks, and errors about invalid types."""

from datetime import date, timedelta

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from skdgm.training import canonical
from skdgm.utils.domains import is_frame, takes_mixed_tables

# Beginnings of NumPy's messages about values that are not numbers.
_NO_NUMBER = "could not convert string to float", "float() argument must be"
_DATES = np.datetime64, np.timedelta64, date, timedelta


def tabulate(rows, sample_weight, in_memory=True):
    """Canonical table of validated rows, with weights validated here.

    Parameters
    ----------
    rows : Rows
    sample_weight : array-like of shape (n_rows,) or None
    in_memory : bool, default=True
        Keep the whole table as lists, where these are preferred and fit.

    Returns
    -------
    table : Table

    Raises
    ------
    ValueError
        A weight is negative, not finite, or all weights are zero.
    """
    if sample_weight is not None:
        sample_weight = _check_sample_weight(
            sample_weight, rows.X, dtype=np.float64, ensure_non_negative=True
        )
    return canonical(rows.in_memory() if in_memory else rows, sample_weight)


def for_callbacks(X, y, sample_weight):
    """Keyword arguments that pass data to scikit-learn's callbacks."""
    weights = None if sample_weight is None else {"sample_weight": sample_weight}
    # scikit-learn's ScoringMonitor ignores data without y.
    y = np.zeros(X.shape[0]) if y is None else y
    return {"X": X, "y": y, "metadata": weights}


def refuse_dates(X):
    """Raise TypeError if X has dates, some of which NumPy would convert to numbers."""
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
    """Raise an error that names the column and a remedy, if ``error`` is NumPy's for
    values that are not numbers; else return."""
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
    mixed = ', or give it to column_types="mixed" in a DataFrame of pandas'
    raise type(error)(
        f"{type(model).__name__} takes numbers, but column {name!r} has other values "
        f"({error}): encode it, with sklearn.preprocessing.OneHotEncoder or "
        f"OrdinalEncoder{mixed if takes_mixed_tables(model) else ''}."
    ) from error


def refuse_foreign(model, X):
    """Raise TypeError if X is a DataFrame of a library other than pandas."""
    if hasattr(X, "to_pandas") and not is_frame(X):
        library = type(X).__module__.split(".")[0]
        raise TypeError(
            f'{type(model).__name__} with column_types="mixed" reads what columns are '
            f"from pandas DataFrames, not from those of {library}: give it "
            "X.to_pandas()."
        )


def _other_column(X):
    """Index of the first column with values that are not numbers, or None."""
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
