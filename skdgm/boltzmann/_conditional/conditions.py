"""Conditions as values of a block that is always clamped: columns of X, or previous
rows.

Real columns are standardized; bits and one-hot categories are centered at their means.
A missing value is 0, the mean of its column.
"""

import numpy as np

from skdgm.data.units import UnitColumns
from skdgm.utils.random import mix64
from skdgm.utils.rows import row_hash

# Magnitude at which conditions are clipped.
_MAX_MAGNITUDE = 10.0


def n_inputs(columns):
    """Number of conditions of all columns."""
    return int(widths_of(columns).sum())


def widths_of(columns):
    """Number of conditions of each column, (n_columns,)."""
    return np.where(columns.coded, columns.sizes, 1)


def inputs(columns, v):
    """Conditions of values v on the scale of the model, NaN where missing: (n_rows,
    n_inputs)."""
    is_coded, widths = columns.coded, widths_of(columns)
    center = (columns.units.mean - columns.mean) / columns.scale
    numbers = np.where(is_coded, 0.0, (v - center) * columns.units.gains)
    conditions = np.repeat(numbers, widths, axis=1)
    if is_coded.any():
        places = np.arange(widths.sum()) - np.repeat(np.cumsum(widths) - widths, widths)
        entries = np.repeat(is_coded, widths)
        codes = np.repeat(v, widths, axis=1)[:, entries]
        one_hot = (codes == places[entries]) - UnitColumns().frequencies(columns)
        conditions[:, entries] = np.where(np.isnan(codes), 0.0, one_hot)
    conditions = np.nan_to_num(conditions, copy=False)
    return conditions.clip(-_MAX_MAGNITUDE, _MAX_MAGNITUDE).astype(v.dtype, copy=False)


class RowConditions:
    """Conditions of rows, read on demand: ``conditions[index]`` is an array of shape
    (n_rows, n_inputs). ``columns`` are the statistics of the columns. The interface is
    that of :class:`~skdgm.utils.given.Given`."""

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns

    @property
    def values(self):
        """The conditions, which an index array selects from."""
        return self

    def __getitem__(self, index):
        return inputs(self.columns, self.rows.take(index))

    @property
    def width(self):
        """Number of conditions of a row."""
        return n_inputs(self.columns)

    @property
    def known(self):
        """Mask of rows with conditions: all rows."""
        return np.ones(self.rows.shape[0], bool)

    @property
    def hashes(self):
        """Term of the hash of each row, in uint64."""
        return mix64(row_hash(self.rows._replace(given=None)) + np.uint64(2**32))


class Past(RowConditions):
    """Previous rows of the same series, as conditions of each row of concatenated
    series, whose numbers of rows are ``lengths``; ``columns`` is None before statistics
    are known."""

    def __init__(self, rows, columns, n_lags, lengths):
        super().__init__(rows._replace(given=None), columns)
        self.n_lags, starts = n_lags, np.cumsum(lengths) - lengths
        self.place = np.arange(rows.shape[0]) - np.repeat(starts, lengths)

    def __getitem__(self, index):
        place, index, lags = self.place[index], np.arange(len(self.place))[index], []
        for lag in range(1, self.n_lags + 1):
            has_lag = place >= lag
            rows = self.rows.take(np.where(has_lag, index - lag, index))
            lags.append(np.where(has_lag[:, None], inputs(self.columns, rows), 0))
        return np.concatenate(lags, axis=1)

    @property
    def width(self):
        return self.n_lags * n_inputs(self.columns)

    @property
    def hashes(self):
        of_rows, hashes = row_hash(self.rows), np.zeros(len(self.place), np.uint64)
        for lag in range(1, self.n_lags + 1):
            has_lag = np.flatnonzero(self.place >= lag)
            hashes[has_lag] += mix64(of_rows[has_lag - lag] + np.uint64(lag))
        return mix64(hashes)
