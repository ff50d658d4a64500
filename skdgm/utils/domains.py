"""Validation of data against a model's domain; error messages suggest remedies."""

from contextlib import contextmanager
from math import isfinite, isnan
from numbers import Real

import numpy as np
import scipy.sparse as sp
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import (
    _check_sample_weight,
    _get_feature_names,
    check_array,
    validate_data,
)

from skdgm.exceptions import DataRangeWarning
from skdgm.utils.bits import other_kind, takes, warn_real_columns
from skdgm.utils.blocks import Blocks
from skdgm.utils.counts import WHOLE, refuse_inexact
from skdgm.utils.rows import BLOCK_ENTRIES, Rows, floating_type, hash_block, slices
from skdgm.utils.threading.callers import warn

# Accepted types; other types (object, long double) are converted to the first.
_TYPES = [np.float64, np.float32, np.float16, np.bool_]
_TYPES += [np.dtype(code).type for code in "bBhHiIlLqQ"]
# Types of most arrays, as dtypes in native byte order.
_PLAIN = {np.dtype(kind) for kind in (np.float64, np.float32, np.uint8, np.bool_)}
# Maximum distance from [0, 1] of rounding errors of a scaler, in single precision at
# worst; such values are clipped without a warning.
ROUNDING = 4 * float(np.finfo(np.float32).eps)
# Maximum magnitude of values, so that sums of squares are finite.
HUGE = 1e150
# Parts of NumPy's and scikit-learn's messages about values that are not numbers.
_NO_NUMBER = "could not convert", "float() argument must be", "arrays of bytes/strings"


def bernoulli_rows(estimator, X, *, reset=False, fitting=False, dtype=None, top=1.0):
    """Rows of validated data with values 0, 1 or probabilities of 1, NaN where missing,
    or gray levels up to ``top``, which represents 1.

    With ``reset`` any number of columns is accepted. The estimator is not changed, so
    that an error leaves it intact. Negative values are an error if ``fitting``;
    otherwise they are clipped to 0 with a warning, since a scaler fitted to other rows
    may produce them. Values above 1 are always clipped to 1, with a warning unless they
    are rounding errors. If ``fitting`` and ``reset``, columns that look like real
    numbers cause a warning. ``dtype`` is by default float64 for float64 data, else
    float32. ValueError if X is empty, infinite or has a wrong number of columns.
    """
    names = _get_feature_names(getattr(X, "header", X))
    X, low, high, facts = checked(estimator, X, reset)
    dtype = dtype or floating_type(X.dtype)
    name = type(estimator).__name__
    tolerance = ROUNDING * top
    inferred = vars(estimator).get("_inferred_types") and takes(estimator, "gaussian")
    is_refit = fitting and not reset
    if inferred and is_refit and (low < -tolerance or high > top + tolerance):
        raise ValueError(
            f"{name} read its columns as values from 0 to {top:g} when it was first "
            f"fitted, and X has values from {low:g} to {high:g}: fit it to all of the "
            'data, or set the kinds of columns by column_types, such as "gaussian" for '
            "real numbers."
        )
    if top != 1 or (inferred and not reset):
        if low < -tolerance or high > top + tolerance:
            warn(
                f"{name} was fitted to values from 0 to {top:g}, got values from "
                f"{low:g} to {high:g}, and clips them.",
                DataRangeWarning,
            )
        facts["binary"] = facts["binary"] and top == 1
        bounds = (0.0, 1.0) if low < 0 or high > top else None
        return Rows(X, dtype, bounds, **facts)
    if fitting and low < -ROUNDING:
        raise ValueError(
            f"Negative values in data passed to {name}, which models bits: values must "
            f"lie in [0, 1]. {other_kind(estimator)} If columns are gray values, scale "
            "them with sklearn.preprocessing.MinMaxScaler."
        )
    if low < -ROUNDING or high > 1 + ROUNDING:
        warn(
            f"{name}, which models bits, got values from {low:g} to {high:g}, and "
            f"clips them to [0, 1]. {other_kind(estimator)} If columns are gray "
            "values, scale them with sklearn.preprocessing.MinMaxScaler(clip=True), or "
            "divide 8-bit images by 255.",
            DataRangeWarning,
        )
    elif (
        fitting and reset and not (inferred or facts["binary"]) and high >= 1 - ROUNDING
    ):
        warn_real_columns(estimator, X, names, facts["density"], ROUNDING)
    return Rows(X, dtype, (0.0, 1.0) if low < 0 or high > 1 else None, **facts)


def real_rows(estimator, X, *, reset=False, dtype=None):
    """Validate data of arbitrary real values; see :func:`bernoulli_rows`."""
    X, low, high, facts = checked(estimator, X, reset)
    is_integer = X.dtype.kind in "iu" and not isinstance(X, Blocks)
    if reset and is_integer and max(-float(low), float(high)) > WHOLE:
        for j in range(X.shape[1]):
            column = X[:, [j]]
            column = column.data if sp.issparse(column) else column
            refuse_inexact(column, f"{type(estimator).__name__}: column {j}")
    return Rows(X, dtype or floating_type(X.dtype), complete=facts["complete"])


def checked(estimator, X, reset):
    """Validate X as an array, CSR matrix or Blocks of real numbers and NaN, with any
    number of columns if ``reset``.

    Returns X, the minimum and maximum of its values and 0, and a dict of arguments of
    :class:`~skdgm.utils.rows.Rows` for values clipped to [0, 1].
    """
    if isinstance(X, Blocks):
        if not reset:
            validate_data(estimator, X.header, reset=False, skip_check_array=True)
        low, high, facts = _survey(X)
        # An infinite value is the minimum or the maximum.
        ends, name = np.array([low, high]), type(estimator).__name__
        assert_all_finite(ends, estimator_name=name, input_name="X")
        return X, low, high, facts
    if not reset and _is_plain(estimator, X):
        low, high, facts = _survey(X)
        if isfinite(low) and isfinite(high):
            return X, low, high, facts
    checks = {"accept_sparse": "csr", "dtype": _TYPES, "ensure_all_finite": "allow-nan"}
    numbers = _numbers(X)
    try:
        if reset:
            X = check_array(numbers, estimator=estimator, input_name="X", **checks)
        elif numbers is X:
            X = validate_data(estimator, X, reset=False, **checks)
        else:
            validate_data(estimator, X, reset=False, skip_check_array=True)
            X = check_array(numbers, estimator=estimator, input_name="X", **checks)
    except OverflowError as error:
        raise ValueError(
            f"X has whole numbers beyond the range of floats ({error}): divide them, "
            "or give their logarithms."
        ) from error
    if sp.issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X, *_survey(X)


def _numbers(X):
    """Convert a DataFrame of a library other than pandas to an array of its own numeric
    type, where scikit-learn would use float64; other input is returned unchanged."""
    if is_frame(X) or hasattr(X, "dtype") or not hasattr(X, "columns"):
        return X
    array = np.asarray(X)
    return array if array.dtype.kind in "biuf" else X


def _is_plain(estimator, X):
    """Return whether scikit-learn's checks would return X unchanged if its values are
    finite. The checks take longer than transforming few rows."""
    return (
        type(X) is np.ndarray
        and X.dtype in _PLAIN
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] == getattr(estimator, "n_features_in_", 0) > 0
        and not hasattr(estimator, "feature_names_in_")
    )


def _survey(X):
    """Minimum and maximum of the values and 0, and the arguments ``binary``,
    ``complete`` and ``density`` of Rows for values clipped to [0, 1]."""
    low, high, n_positive, n_ones, complete = 0.0, 0.0, 0, 0, True
    # Blocks are slow to read, so that everything is computed in one pass.
    hashes = [] if isinstance(X, Blocks) and X.hashes is None else None
    sums = np.zeros((2, X.shape[1]))
    for block in slices(X.shape[0], BLOCK_ENTRIES // X.shape[1]):
        values = X[block]
        if hashes is not None:
            hashes.append(hash_block(values))
            sums += _sums(values)
        values = values.data if sp.issparse(values) else np.asarray(values)
        if values.dtype == bool:
            n_positive = n_ones = n_ones + np.count_nonzero(values)
        elif values.size:
            n_positive += np.count_nonzero(values > 0)
            # NaN if a value is NaN; fmin and fmax ignore NaN but are slower.
            minimum = float(np.minimum.reduce(values, axis=None))
            maximum = float(np.maximum.reduce(values, axis=None))
            if isnan(minimum):
                minimum = float(np.fmin.reduce(values, axis=None))
                maximum, complete = float(np.fmax.reduce(values, axis=None)), False
            n_ones += np.count_nonzero(values >= 1) if maximum >= 1 else 0
            low, high = min(low, minimum), max(high, maximum)
    if hashes:
        X.hashes, X.sums = np.concatenate(hashes), sums
    facts = {
        "binary": n_positive == n_ones,
        "complete": complete,
        "density": n_positive / (float(X.shape[0]) * X.shape[1]),
    }
    return low, high, facts


def _sums(X):
    """Number and sum of the observed entries of each column of an array."""
    n_seen = np.full(X.shape[1], len(X), np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduce(X, axis=0, dtype=np.float64)
        if X.dtype.kind == "f" and np.isnan(total).any():
            n_seen -= np.isnan(X).sum(axis=0)
            total = np.nansum(X, axis=0, dtype=np.float64)
    return n_seen, total


def checked_weights(sample_weight, X, **options):
    """Weights of rows after scikit-learn's validation, float64; ValueError for values
    that are not real numbers."""
    refuse_odd_weights(sample_weight)
    return _check_sample_weight(sample_weight, X, **{"dtype": np.float64} | options)


def refuse_odd_weights(sample_weight):
    """Raise ValueError if weights are not real numbers, for example text or dates."""
    if sample_weight is None:
        return
    try:
        weights = np.asarray(sample_weight)
        not_numeric = weights.dtype.kind not in "biufO"
        values = weights.ravel() if not_numeric or weights.dtype.kind == "O" else ()
        if not_numeric or any(isinstance(value, str | bytes) for value in values):
            raise TypeError
        weights.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            "sample_weight must be numbers that are not negative; got "
            f"{sample_weight!r:.100}."
        ) from error


def is_frame(X):
    """Return whether X is a DataFrame with the interface of pandas."""
    return all(hasattr(X, name) for name in ("iloc", "dtypes", "columns"))


@contextmanager
def taking_numbers(step):
    """Context that re-raises errors about values that are not numbers, with the same
    type, the name of the step and a remedy."""
    try:
        yield
    except OverflowError as error:
        subject = type(step).__name__
        raise ValueError(
            f"{subject}: X has a number beyond all floats ({error})."
        ) from error
    except (TypeError, ValueError) as error:
        if not any(part in str(error) for part in _NO_NUMBER):
            raise
        raise type(error)(
            f"{type(step).__name__} takes numbers, but X has other values ({error}): "
            "encode these with sklearn.preprocessing.OrdinalEncoder, or keep their "
            "columns out of it with sklearn.compose.ColumnTransformer."
        ) from error


def as_numbers(X, name, subject, **options):
    """Rows as a dense float64 array, by :func:`sklearn.utils.check_array` with its
    options. ``name`` is the argument and ``subject`` the function in errors.

    TypeError if X is None; ValueError, which names the column, if a column is not
    numeric.
    """
    if X is None:
        raise TypeError(f"{name} is None, and {subject} needs rows.")
    if getattr(getattr(X, "dtype", None), "kind", "f") in "mM":
        raise ValueError(f"{subject} takes numbers, and {name} has times.")
    try:
        return check_array(X, dtype=np.float64, input_name=name, **options)
    except OverflowError as error:
        raise ValueError(f"{name} has a number beyond all floats ({error}).") from error
    except (TypeError, ValueError) as error:
        column = _without_numbers(X)
        if column is None:
            if not any(part in str(error) for part in _NO_NUMBER):
                raise
            raise ValueError(
                f"{subject} takes numbers, and {name} has none: {error}."
            ) from error
        raise ValueError(
            f"{subject} takes rows of numbers, and column {column!r} of {name} has "
            "none: encode it, or drop it."
        ) from error


def refuse_huge(values, name):
    """Raise ValueError, which names the argument, if squares of values overflow."""
    size = np.nanmax(np.abs(values), initial=0.0)
    if size > HUGE:
        raise ValueError(
            f"{name} has values as large as {size:g}, whose squares overflow: divide "
            "them by a constant."
        )


def _without_numbers(X):
    """Name or index of the first column of a table that is not numeric, or None."""
    names = list(getattr(X, "columns", ()))
    try:
        for j, column in enumerate(np.asarray(X, dtype=object).T):
            for value in column:
                if not (value is None or isinstance(value, Real | np.bool_)):
                    return names[j] if is_frame(X) else j
    except (TypeError, ValueError):
        pass
    return None
