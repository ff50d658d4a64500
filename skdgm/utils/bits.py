"""Columns that a model takes for bits: advice where they are real numbers instead."""

import numpy as np
import scipy.sparse as sp
from sklearn.utils._param_validation import StrOptions

from skdgm.exceptions import RealColumnsWarning
from skdgm.utils.blocks import Blocks
from skdgm.utils.rows import BLOCK_ENTRIES, slices
from skdgm.utils.threading.callers import warn

# Distance from 0 or 1 up to which a value is near it, and the share of values near
# either below which a column is real; a uniform one has a fifth. Of scikit-learn's
# digits no column has less than a third, of scaled tables most have.
_NEAR, _SHARE = 0.1, 1 / 3
# Number of rows that are looked at first, and of columns that a message names.
_FEW, _MANY = 2_000, 10


def other_kind(estimator):
    """Advice on how to model columns that are not binary."""
    explicit = vars(estimator).get("layers") is not None
    if explicit or not takes(estimator, "gaussian"):
        return (
            "Use a model of real columns, such as GaussianRBM or RBM, if columns are "
            "real numbers."
        )
    mixed = ', or with column_types="mixed" if a DataFrame says what each of them is'
    return (
        'Fit with column_types="gaussian" if columns are real numbers'
        f"{mixed if takes(estimator, 'mixed') else ''}."
    )


def takes(estimator, kind):
    """Return whether a text may be the option ``column_types`` of an estimator."""
    return "column_types" in vars(estimator) and kind in kinds_allowed(estimator)


def kinds_allowed(estimator):
    """Set of the texts that an estimator's option ``column_types`` may be."""
    allowed = estimator._parameter_constraints.get("column_types", ())
    texts = (own.options for own in allowed if isinstance(own, StrOptions))
    return set().union(*texts)


def tell_real(estimator, X, names, density, rounding):
    """Warn if most columns of X, with values in [0, 1] and NaN, look like real numbers
    that were scaled to [0, 1].

    They reach from 0 to 1, each of them, as scalers make them, and few of their values
    are near either. Images, whose pixels share a scale, and probabilities do not.
    Tables in blocks, and those of which few entries are above 0 (``density``), are not
    read for this; ``rounding`` is the distance from 0 and 1 that may be a rounding
    error.
    """
    # Half of all columns have to be real, which are above 0 nearly everywhere.
    if isinstance(X, Blocks) or density < _SHARE:
        return
    n_rows, n_columns = X.shape
    few = X[:: -(-n_rows // _FEW)]
    if 2 * _is_real(few, np.inf).sum() < n_columns:
        return
    real = _is_real(X, rounding)
    if 2 * real.sum() < n_columns:
        return
    which = np.flatnonzero(real) if names is None else np.asarray(names)[real]
    more = f" and {len(which) - _MANY} more" if len(which) > _MANY else ""
    warn(
        f"{type(estimator).__name__} treats its columns as bits, but few values of "
        f"columns {which[:_MANY].tolist()}{more} are near 0 or 1, as for real numbers "
        f"that were scaled to [0, 1]: much of their information is lost. "
        f"{other_kind(estimator)}",
        RealColumnsWarning,
    )


def _is_real(X, rounding):
    """Whether columns have few values near 0 and 1, but reach both up to rounding."""
    n_columns = X.shape[1]
    seen, near = np.zeros((2, n_columns))
    low, high = np.full(n_columns, np.inf), np.full(n_columns, -np.inf)
    for block in slices(X.shape[0], BLOCK_ENTRIES // n_columns):
        part = X[block]
        part = part.toarray() if sp.issparse(part) else np.asarray(part)
        seen += (part == part).sum(axis=0)
        near += ((part < _NEAR) | (part > 1 - _NEAR)).sum(axis=0)
        low = np.fmin(low, np.fmin.reduce(part, axis=0))
        high = np.fmax(high, np.fmax.reduce(part, axis=0))
    return (near < _SHARE * seen) & (low <= rounding) & (high >= 1 - rounding)
