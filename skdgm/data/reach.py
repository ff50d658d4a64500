r"""Reach of real columns: their largest magnitude, which bounds the steps of training.

A value of z standard deviations contributes :math:`z^2` to the curvature: a step that
suits other rows overshoots at an outlier. Among n values, at most one is
:math:`\sqrt{n}` standard deviations from the mean, for example in a column with a
single nonzero entry.
"""

from typing import Any

import numpy as np

from skdgm.data.scales import tail
from skdgm.exceptions import DataRangeWarning, OutlierWarning
from skdgm.utils.threading.callers import warn

# Standard deviations beyond which values count as outliers, and beyond which a warning
# names the column; maximum number of columns in a warning.
FAR, _VERY_FAR, _MAX_NAMED = 10.0, 35.0, 5
# Types of columns that are standardized for a model.
_REAL = "gaussian", "rectified"
# Endings of warnings: for models whose steps suit outliers, and for other models.
_SLOWER = (
    "Steps are no longer than suits them, so that of these columns little but mean and "
    "variance may be learned."
)
_WIDE = "They set the scale of these columns, of which little else may be learned."


def reached(columns, table):
    """Statistics of columns with the largest magnitude and the range of each real
    column, over a table in the units of a model and earlier fits.

    Effects of values beyond 10 in the same row add up: each counts as its magnitude
    times the square root of their number.
    """
    n_columns = table.rows.shape[1]
    reach, (low, high) = np.zeros(n_columns), seen_range(columns, n_columns)
    for part in table.rows.blocks(n_rows=len(table.index)):
        v = table.rows.take(table.index[part])
        size = _sizes(columns, v)
        real = np.where(size > 0, v, 0).astype(np.float64)
        low = np.minimum(low, real.min(axis=0, initial=0))
        high = np.maximum(high, real.max(axis=0, initial=0))
        far = size > FAR
        if far.any():
            size *= np.sqrt(np.where(far, far.sum(axis=1, keepdims=True), 1))
        np.maximum(reach, size.max(axis=0, initial=0), out=reach)
    reach = np.maximum(columns.reach, reach)
    return columns._replace(reach=reach, range=np.stack([low, high]))


def seen_range(columns, n_columns):
    """Minimum and maximum of each real column in all fits, of shape (2, n_columns), in
    the units of a model; 0 for other columns, and before the first fit."""
    known_range: Any = getattr(columns, "range", 0.0)
    if np.ndim(known_range):
        return known_range
    # Older files only have the largest magnitude.
    reach = getattr(columns, "reach", 0.0)
    return np.multiply.outer([-1.0, 1.0], np.broadcast_to(reach, n_columns))


def limits(columns):
    """Largest magnitudes of real columns in all fits, in the units of a model, which
    bound chains that would diverge; None without real columns."""
    if not np.ndim(getattr(columns, "reach", 0.0)):
        return None
    kinds = getattr(columns, "kinds", None)
    real = True if kinds is None else np.isin(kinds, _REAL)
    return np.where(real, columns.reach, np.inf)


def farthest(columns, table):
    """List of (column, row, magnitude) of the columns with extreme outliers in a table,
    the largest magnitude first."""
    reach = np.broadcast_to(getattr(columns, "reach", 0.0), table.rows.shape[1])
    if not (reach > _VERY_FAR).any():
        return []
    best, where = np.zeros(len(reach)), np.zeros(len(reach), int)
    for part in table.rows.blocks(n_rows=len(table.index)):
        index = table.index[part]
        size = _sizes(columns, table.rows.take(index))
        row = size.argmax(axis=0)
        top = size[row, np.arange(len(row))]
        where, best = np.where(top > best, index[row], where), np.maximum(best, top)
    best[reach <= _VERY_FAR] = 0
    order = np.argsort(-best, kind="stable")
    sorted_columns = [(int(j), int(where[j]), float(best[j])) for j in order]
    return [entry for entry in sorted_columns if entry[2] > _VERY_FAR]


def outlier_text(model, columns, table, slowed=False):
    """Text about columns with extreme outliers, with advice and a trailing space; "" if
    there are none.

    A warning with this text is issued unless ``slowed`` is None, for models whose
    components warn or clip values. ``slowed`` is True if training reduces its steps to
    suit outliers.
    """
    names = vars(model).pop("_names", getattr(model, "feature_names_in_", None))
    outliers = farthest(columns, table)
    if not outliers:
        return ""
    parts = [
        f"{j if names is None else str(names[j])!r} (up to {size:.4g}, in row {row})"
        for j, row, size in outliers
    ]
    more = f" and {len(parts) - _MAX_NAMED} more" if len(parts) > _MAX_NAMED else ""
    words = (
        "Values are dozens of standard deviations from the mean in columns "
        f"{', '.join(parts[:_MAX_NAMED])}{more}: correct or clip them if they are "
        "errors, take logarithms of amounts, and join categories, or drop columns, "
        "that only a few rows have. "
    )
    if slowed is not None:
        warn(words + (_SLOWER if slowed else _WIDE), OutlierWarning)
    return words


def within_reach(columns, v):
    """Known values as a net reads them, of shape (n_rows, n_columns) in the units of a
    model: values beyond the training range and a tail are clipped to the range. Also a
    mask of the clipped columns, for :func:`warn_of_beyond`."""
    low, high = ends(columns, v.shape[1])
    return read_within(v, low, high)


def read_within(v, outer, inner):
    """Values beyond the ``outer`` limits (low, high) of their columns clipped to the
    ``inner`` limits, and a mask of the columns with such values."""
    with np.errstate(invalid="ignore"):
        below, above = v < outer[0], v > outer[1]
    beyond = (below | above).any(axis=0)
    if not beyond.any():
        return v, beyond
    clipped = np.where(below, inner[0], np.where(above, inner[1], v))
    return clipped.astype(v.dtype, copy=False), beyond


def warn_of_beyond(name, beyond, name_of):
    """Warn about columns (a mask) with values beyond the training range, if there are
    any; ``name_of`` returns the name of a column."""
    if not beyond.any():
        return
    names = [str(name_of(j)) for j in np.flatnonzero(beyond)]
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    warn(
        f"{name} got values far beyond the training range in columns "
        f"{', '.join(map(repr, names[:_MAX_NAMED]))}{more}: missing entries are "
        "imputed as if these values were at the end of the range, which is all that "
        "was learned.",
        DataRangeWarning,
    )


def ends(columns, n_columns):
    """Limits of the training range of each column, with a tail and without, of shape
    (2, 2, n_columns), in the units of a model; infinite where there is no limit."""
    found = np.full((2, 2, n_columns), [[[-np.inf], [np.inf]]])
    reach, kinds = getattr(columns, "reach", 0.0), getattr(columns, "kinds", None)
    if np.ndim(reach):
        real = (kinds is None or np.isin(kinds, _REAL)) & (reach > 0)
        low, high = seen_range(columns, n_columns)
        for pair, share in zip(found, (tail(columns.seen), 0.0)):
            margin = share * (high - low)
            pair[:] = np.where(real, [low - margin, high + margin], pair)
    for j, scale in enumerate(getattr(columns, "scales", ())):
        if hasattr(scale, "ends"):
            found[0, :, j], found[1, :, j] = scale.ends, scale.z[[0, -1]]
    return found


def _sizes(columns, v):
    """Magnitudes of the values of real columns; 0 for missing values and other
    columns."""
    size = np.abs(np.asarray(v, np.float64))
    size[~np.isfinite(size)] = 0
    kinds = getattr(columns, "kinds", None)
    return size if kinds is None else np.where(np.isin(kinds, _REAL), size, 0)
