"""Answers of models that were fitted to a DataFrame, about DataFrames."""

import narwhals as nw

from skdgm.data.filling import completed
from skdgm.data.foreign import is_foreign
from skdgm.utils.domains import is_frame


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
        frame = nw.from_native(X, eager_only=True)
        parts = dict(zip(frame.columns, values.T))
        return nw.from_dict(parts, backend=frame.implementation).to_native()
    if not is_frame(X):
        return values
    import pandas as pd

    return pd.DataFrame(values, X.index, X.columns)


def filled_in(model, X, values):
    """Copies of X with missing entries filled, as a DataFrame if X is one of pandas.

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
    if is_frame(values) or not is_frame(X) or not _in_frames(model):
        return values
    import pandas as pd

    return completed(X, pd.DataFrame(values, columns=X.columns))


def _in_frames(model):
    """Return whether a model was fitted to a DataFrame."""
    codec = getattr(model._columns, "codec", None)
    return codec is not None or hasattr(model, "feature_names_in_")
