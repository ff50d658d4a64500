"""Gray levels between 0 and 1, such as those of bytes divided by 255."""

import numpy as np

# Most levels, and how far values may be from them, in steps.
_MAX_LEVELS, _TOLERANCE = 257, 1e-3
# Decimal digits of values that are compared with each other.
_DIGITS = 6
# Most entries of a sample of rows, of the sample whose gray values are compared, and of
# the one that tells bits from gray values; but at least some rows.
_MAX_ENTRIES, _GRAY_ENTRIES, _FEW_ENTRIES, _MIN_ROWS = 2**20, 2**17, 2**14, 20


def gray_levels(table):
    """Number L of which all values of a table between 0 and 1 are multiples of 1 / L;
    0 if there is none, and for bits."""
    few = sampled(table, _FEW_ENTRIES)[0]
    if np.isin(few, (0, 1)).all():
        return 0.0
    return levels_per_unit(table, sampled(table, _GRAY_ENTRIES)[0])


def sampled(table, n_entries=_MAX_ENTRIES):
    """Evenly spread rows of a table, float64, and their weights, which sum to about
    those of all rows."""
    n_rows, n = len(table.index), table.rows.shape[1]
    stride = -(-n_rows // min(n_rows, max(n_entries // n, _MIN_ROWS)))
    rows = table.rows.take(table.index[::stride]).astype(np.float64)
    return rows, stride * table.weight[::stride]


def levels_per_unit(table, sample):
    """Number L of which all values of a table in [0, 1] are multiples of 1 / L, or 0;
    ``sample`` has some of its rows."""
    values = np.unique(sample[~np.isnan(sample)].round(_DIGITS))
    if not 2 < len(values) <= _MAX_LEVELS:
        return 0.0
    per_unit = float(np.rint(1 / np.diff(values).min()))
    if per_unit >= _MAX_LEVELS or not on_levels(values, per_unit).all():
        return 0.0
    return kept_levels(table, per_unit)


def kept_levels(table, per_unit):
    """The number ``per_unit`` if all values of a table are levels, or else 0."""
    for block in table.rows.blocks(len(table.index)) if per_unit else ():
        if not on_levels(table.rows.take(table.index[block]), per_unit).all():
            return 0.0
    return per_unit


def on_levels(x, per_unit):
    """Mask of values that are multiples of 1 / ``per_unit``, or missing."""
    x = x if per_unit == 1 else x * float(per_unit)
    gap = np.abs(x - np.rint(x))
    return np.isnan(x) | (gap <= (0 if per_unit == 1 else _TOLERANCE))
