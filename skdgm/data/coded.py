"""Estimators that read any table as numbers, with codes of categories."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from skdgm.data.inputs import columns_named
from skdgm.utils.domains import is_frame, real_rows
from skdgm.utils.math import distinct


class CodedEstimator(BaseEstimator):
    """Base class of estimators that read arrays, and DataFrames by a codec, as dense
    numbers. Messages call them ``_name``.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
    """

    _name: str

    def _read(self, X, codec, reset=False):
        """Validated rows as numbers, (n_samples, n_features), NaN where missing."""
        original = X
        if codec is not None and is_frame(X):
            if not reset:
                validate_data(self, X, reset=False, skip_check_array=True)
            X, reset = codec.encode(X, strict=False), True
        with columns_named(self, original):
            rows = real_rows(self, X, reset=reset, dtype=np.float64)
        blocks = [rows.take(block) for block in rows.blocks()]
        return np.concatenate(blocks).astype(np.float64)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        tags.input_tags.categorical = tags.input_tags.string = True
        return tags


def category_sizes(codec, n_columns):
    """Number of categories of each column, 0 for numbers; all 0 without a codec."""
    sizes = np.zeros(n_columns, int)
    for j, categories in enumerate(codec.categories if codec else ()):
        sizes[j] = 0 if categories is None else max(1, len(categories))
    return sizes


def distinct_rows(x, weight, most):
    """Distinct rows in lexicographic order with their weights, in units such that no
    positive weight is below 1; an evenly spaced part of them if there are more than
    ``most``."""
    x, weight = x[weight > 0], weight[weight > 0]
    # Sums of the largest weights must not overflow.
    weight = weight / max(min(1.0, weight.min()), np.ldexp(weight.max(), -50))
    rows, number = distinct(np.where(np.isnan(x), np.inf, x))
    rows[np.isinf(rows)] = np.nan
    weight = np.bincount(number, weight, len(rows))
    if len(rows) > most:
        sums = np.cumsum(weight)
        places = (np.arange(most) + 0.5) / most * sums[-1]
        counts = np.bincount(np.searchsorted(sums, places, "right"), None, len(rows))
        rows, weight = rows[counts > 0], counts[counts > 0] * (sums[-1] / most)
    return rows, weight
