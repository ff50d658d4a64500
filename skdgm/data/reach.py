r"""Reach of real columns, their farthest values, which bounds the steps of training.

A value z, in standard deviations, has a curvature of :math:`z^2`: a step that suits the
other rows overshoots at it. Of n values at most one is :math:`\sqrt{n}` standard
deviations out, as in a column that is not zero in one row.
"""

import numpy as np

from skdgm.data.scales import tail
from skdgm.exceptions import DataRangeWarning, OutlierWarning
from skdgm.utils.threading.callers import warn

# Standard deviations from which on a value is far out, and from which on a column is
# named in a warning; number of columns named.
FAR, _VERY_FAR, _MANY = 10.0, 35.0, 5
# Kinds of columns that are standardised for a model.
_REAL = "gaussian", "rectified"
# Ends of warnings, of models whose steps suit far rows and of others.
_SLOWER = (
    "Steps are no longer than suits them, so that of these columns little but mean and "
    "variance may be learned."
)
_WIDE = "They set the scale of these columns, of which little else may be learned."


def reached(columns, table):
    """Statistics of columns with the largest magnitude and the range of each real one's
    values, of a table in the units of a model and of earlier fits.

    Values beyond 10 in one row have effects that add up: each counts as that magnitude
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
    """Least and largest value of each real column in all fits, (2, n_columns), in the
    units of a model; those of other columns, and before the first fit, are 0."""
    found = getattr(columns, "range", 0.0)
    if np.ndim(found):
        return found
    # Older files have the largest magnitude alone.
    reach = getattr(columns, "reach", 0.0)
    return np.multiply.outer([-1.0, 1.0], np.broadcast_to(reach, n_columns))


def limits(columns):
    """Largest magnitudes of real columns in all fits, in the units of a model, which
    chains that would stray without end keep to; None if no column is real."""
    if not np.ndim(getattr(columns, "reach", 0.0)):
        return None
    kinds = getattr(columns, "kinds", None)
    real = True if kinds is None else np.isin(kinds, _REAL)
    return np.where(real, columns.reach, np.inf)


def farthest(columns, table):
    """Columns of which a value in a table is very far out: a list of column, row of the
    data that has its largest magnitude, and that magnitude, the largest first."""
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
    found = [(int(j), int(where[j]), float(best[j])) for j in order]
    return [own for own in found if own[2] > _VERY_FAR]


def far_out(model, columns, table, slowed=False):
    """Sentences about the columns that :func:`farthest` finds, with advice, and a space
    after them; or nothing.

    The model knows the names of columns, and as part of another one has ``_names``. A
    warning says so, unless ``slowed`` is None, where parts of a model warn, or values
    are clipped. It is True where steps of training suit such rows.
    """
    names = vars(model).pop("_names", getattr(model, "feature_names_in_", None))
    found = farthest(columns, table)
    if not found:
        return ""
    parts = [
        f"{j if names is None else str(names[j])!r} (up to {size:.4g}, in row {row})"
        for j, row, size in found
    ]
    more = f" and {len(parts) - _MANY} more" if len(parts) > _MANY else ""
    words = (
        "Values are dozens of standard deviations from the mean in columns "
        f"{', '.join(parts[:_MANY])}{more}: correct or clip them if they are errors, "
        "take logarithms of amounts, and join categories, or drop columns, that only "
        "a few rows have. "
    )
    if slowed is not None:
        warn(words + (_SLOWER if slowed else _WIDE), OutlierWarning)
    return words


def within_reach(columns, v):
    """Known values, (n_rows, n_columns) in the units of a model and NaN where missing,
    as a net reads them: beyond the range seen, and a tail, as the end of this; and a
    mask of the columns that have such values, for :func:`tell_beyond`."""
    return read_within(v, *ends(columns, v.shape[1]))


def read_within(v, outer, inner):
    """Values beyond the ``outer`` ends of their columns, (least, largest), as the
    ``inner`` ones, in the type of v; and a mask of the columns with such values."""
    with np.errstate(invalid="ignore"):
        below, above = v < outer[0], v > outer[1]
    beyond = (below | above).any(axis=0)
    if not beyond.any():
        return v, beyond
    found = np.where(below, inner[0], np.where(above, inner[1], v))
    return found.astype(v.dtype, copy=False), beyond


def tell_beyond(name, beyond, name_of):
    """Warn of a mask of columns with values beyond the range seen, by the name of a
    model and those that ``name_of`` gives their numbers; not if there are none."""
    if not beyond.any():
        return
    found = [str(name_of(j)) for j in np.flatnonzero(beyond)]
    more = f" and {len(found) - _MANY} more" if len(found) > _MANY else ""
    warn(
        f"{name} got values far beyond the training range in columns "
        f"{', '.join(map(repr, found[:_MANY]))}{more}: missing entries are imputed as "
        "if these values were at the end of the range, which is all that was learned.",
        DataRangeWarning,
    )


def ends(columns, n_columns):
    """Least and largest value of each column that a net has learned of, in the units of
    a model, with a tail and without, (2, 2, n_columns); infinite where there is no
    limit."""
    found = np.full((2, 2, n_columns), [[[-np.inf], [np.inf]]])
    reach, kinds = getattr(columns, "reach", 0.0), getattr(columns, "kinds", None)
    if np.ndim(reach):
        real = (kinds is None or np.isin(kinds, _REAL)) & (reach > 0)
        low, high = seen_range(columns, n_columns)
        for own, share in zip(found, (tail(columns.seen), 0.0)):
            room = share * (high - low)
            own[:] = np.where(real, [low - room, high + room], own)
    for j, scale in enumerate(getattr(columns, "scales", ())):
        if hasattr(scale, "ends"):
            found[0, :, j], found[1, :, j] = scale.ends, scale.z[[0, -1]]
    return found


def _sizes(columns, v):
    """Magnitudes of real columns' values, 0 where missing and of other columns."""
    size = np.abs(np.asarray(v, np.float64))
    size[~np.isfinite(size)] = 0
    kinds = getattr(columns, "kinds", None)
    return size if kinds is None else np.where(np.isin(kinds, _REAL), size, 0)
