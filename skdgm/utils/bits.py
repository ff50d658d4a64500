"""Detection of real columns that a model treats as bits, and advice on column types."""

import numpy as np
import scipy.sparse as sp
from sklearn.utils._param_validation import StrOptions

from skdgm.exceptions import RealColumnsWarning
from skdgm.utils.blocks import Blocks
from skdgm.utils.rows import BLOCK_ENTRIES, slices
from skdgm.utils.threading.callers import warn

# Maximum distance of a value that is near 0 or 1, and the share of such values below
# which a column is real. The share is a fifth for uniform values, at least a third for
# columns of scikit-learn's digits, and less for most columns of scaled tables.
_NEAR, _SHARE = 0.1, 1 / 3
# Number of rows in a first check; maximum number of columns named in a message.
_N_FIRST_ROWS, _MAX_NAMED = 2_000, 10


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
    """Return whether a string is a valid option ``column_types`` of an estimator."""
    return "column_types" in vars(estimator) and kind in kinds_allowed(estimator)


def kinds_allowed(estimator):
    """Set of the strings that are valid options ``column_types`` of an estimator."""
    allowed = estimator._parameter_constraints.get("column_types", ())
    texts = (kind.options for kind in allowed if isinstance(kind, StrOptions))
    return set().union(*texts)


def warn_real_columns(estimator, X, names, density, rounding):
    """Warn if most columns of X, with values in [0, 1] and NaN, look like real numbers
    that were scaled to [0, 1].

    A scaled column reaches from 0 to 1 and has few values near these. Images, whose
    pixels share a scale, and probabilities differ. Tables in blocks are not read for
    this check, nor are tables with a low ``density`` of positive entries. ``rounding``
    is the tolerance for rounding errors at 0 and 1.
    """
    # At least half of the columns must be real, and thus positive nearly everywhere.
    if isinstance(X, Blocks) or density < _SHARE:
        return
    n_rows, n_columns = X.shape
    subsample = X[:: -(-n_rows // _N_FIRST_ROWS)]
    if 2 * _is_real(subsample, np.inf).sum() < n_columns:
        return
    real = _is_real(X, rounding)
    if 2 * real.sum() < n_columns:
        return
    which = np.flatnonzero(real) if names is None else np.asarray(names)[real]
    rest = f" and {len(which) - _MAX_NAMED} more" if len(which) > _MAX_NAMED else ""
    warn(
        f"{type(estimator).__name__} treats its columns as bits, but few values of "
        f"columns {which[:_MAX_NAMED].tolist()}{rest} are near 0 or 1, as for real "
        f"numbers that were scaled to [0, 1]: much of their information is lost. "
        f"{other_kind(estimator)}",
        RealColumnsWarning,
    )


def _is_real(X, rounding):
    """Mask of columns that reach 0 and 1 but have few values near these."""
    n_columns = X.shape[1]
    n_seen, n_near = np.zeros((2, n_columns))
    low, high = np.full(n_columns, np.inf), np.full(n_columns, -np.inf)
    for block in slices(X.shape[0], BLOCK_ENTRIES // n_columns):
        values = X[block]
        values = values.toarray() if sp.issparse(values) else np.asarray(values)
        n_seen += (values == values).sum(axis=0)
        n_near += ((values < _NEAR) | (values > 1 - _NEAR)).sum(axis=0)
        low = np.fmin(low, np.fmin.reduce(values, axis=0))
        high = np.fmax(high, np.fmax.reduce(values, axis=0))
    return (n_near < _SHARE * n_seen) & (low <= rounding) & (high >= 1 - rounding)
