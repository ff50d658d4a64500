"""Data as training takes them, and as callbacks are told of them."""

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from skdgm.training import canonical


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
