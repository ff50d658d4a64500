"""What values a model takes: validation that knows where to go from an error."""

import warnings

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import check_array, validate_data

from skdgm.exceptions import DataRangeWarning
from skdgm.utils.rows import Rows, floating_type

# The first is what other types (object, long double) are converted to.
_TYPES = [np.float64, np.float32, np.float16, np.bool_]
_TYPES += [np.dtype(code).type for code in "bBhHiIlLqQ"]


def bernoulli_rows(estimator, X, *, reset=False, fitting=False, dtype=None):
    """Validate data whose values are 0, 1 or probabilities.

    Parameters
    ----------
    estimator : estimator
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        NaN is a missing value.
    reset : bool
        Whether any width will do: then nothing is remembered of it yet, so that an
        error on the way loses nothing.
    fitting : bool
        Then negative values are an error. Otherwise they are clipped to 0, as
        values above 1 always are to 1, with a warning: a scaler fitted on other
        rows gives such values.
    dtype : type, optional
        The floating type to compute in; by default as the data suggest.

    Returns
    -------
    rows : Rows
    """
    checks = {
        "accept_sparse": "csr",
        "dtype": _TYPES,
        "ensure_all_finite": "allow-nan",
    }
    if reset:
        X = check_array(X, estimator=estimator, input_name="X", **checks)
    else:
        X = validate_data(estimator, X, reset=False, **checks)
    if sp.issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    low, high = _range(X)
    name = type(estimator).__name__
    if fitting and low < 0:
        raise ValueError(
            f"Negative values in data passed to {name}: its visible units are binary, "
            "so values must lie in [0, 1]. Scale the columns with "
            "sklearn.preprocessing.MinMaxScaler, or use a model of real values."
        )
    outside = low < 0 or high > 1
    if outside:
        warnings.warn(
            f"{name} got values from {low:g} to {high:g} and clipped them to [0, 1]. "
            "Scale the columns with sklearn.preprocessing.MinMaxScaler(clip=True), or "
            "divide 8-bit images by 255.",
            DataRangeWarning,
            stacklevel=4,
        )
    dtype = dtype or floating_type(X.dtype)
    return Rows(X, dtype, (0.0, 1.0) if outside else None)


def _range(X):
    """Smallest and largest value, without a copy; (0, 0) where there is none."""
    values = X.data if sp.issparse(X) else np.asarray(X)
    if values.dtype == bool or values.size == 0:
        return 0.0, float(values.size > 0)
    low, high = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    return (0.0, 0.0) if np.isnan(low) else (float(low), float(high))
