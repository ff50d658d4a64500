"""Conditions as the values of a block that is always clamped: given columns, or the
rows of a series before each.

Real columns are standardised, bits and one-hot categories counted from their means; a
missing value is 0, the mean of its column.
"""

import numpy as np

from skdgm.data.units import UnitColumns
from skdgm.utils.random import mix64
from skdgm.utils.rows import row_hash

# Largest magnitude of a condition: values farther out count as this one.
_MOST = 10.0


def n_inputs(columns):
    """Number of conditions that columns make."""
    return int(widths_of(columns).sum())


def widths_of(columns):
    """Number of conditions that each column makes, (n_columns,)."""
    return np.where(columns.coded, columns.sizes, 1)


def inputs(columns, v):
    """Conditions of values of columns, in the units of the model and NaN where missing:
    (n_rows, n_inputs), in the type of v."""
    coded, widths = columns.coded, widths_of(columns)
    center = (columns.units.mean - columns.mean) / columns.scale
    plain = np.where(coded, 0.0, (v - center) * columns.units.gains)
    whole = np.repeat(plain, widths, axis=1)
    if coded.any():
        places = np.arange(widths.sum()) - np.repeat(np.cumsum(widths) - widths, widths)
        entries = np.repeat(coded, widths)
        codes = np.repeat(v, widths, axis=1)[:, entries]
        on = (codes == places[entries]) - UnitColumns().frequencies(columns)
        whole[:, entries] = np.where(np.isnan(codes), 0.0, on)
    whole = np.nan_to_num(whole, copy=False)
    return whole.clip(-_MOST, _MOST).astype(v.dtype, copy=False)


class RowConditions:
    """Conditions of rows, read where they are needed: ``conditions[index]`` are those
    at an index, (n_rows, n_inputs); as :class:`~skdgm.utils.given.Given`.

    Parameters
    ----------
    rows : Rows
        In the units of their columns.
    columns : Mixed
        Statistics of these.
    """

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns

    @property
    def values(self):
        """The conditions themselves, which an index array selects from."""
        return self

    def __getitem__(self, index):
        return inputs(self.columns, self.rows.take(index))

    @property
    def width(self):
        """Number of conditions of a row."""
        return n_inputs(self.columns)

    @property
    def known(self):
        """Mask of rows with conditions: all."""
        return np.ones(self.rows.shape[0], bool)

    @property
    def hashes(self):
        """Term of the hash of each row, in uint64."""
        return mix64(row_hash(self.rows._replace(given=None)) + np.uint64(2**32))


class Past(RowConditions):
    """Rows of series before each row, as its conditions.

    Parameters
    ----------
    rows : Rows
        One series after the other, in the units of their columns.
    columns : Mixed or None
        Statistics of these; None before they are known.
    n_lags : int
    lengths : ndarray of int
        Number of rows of each series.
    """

    def __init__(self, rows, columns, n_lags, lengths):
        super().__init__(rows._replace(given=None), columns)
        self.n_lags, starts = n_lags, np.cumsum(lengths) - lengths
        self.place = np.arange(rows.shape[0]) - np.repeat(starts, lengths)

    def __getitem__(self, index):
        place, index, lags = self.place[index], np.arange(len(self.place))[index], []
        for lag in range(1, self.n_lags + 1):
            there = place >= lag
            rows = self.rows.take(np.where(there, index - lag, index))
            lags.append(np.where(there[:, None], inputs(self.columns, rows), 0))
        return np.concatenate(lags, axis=1)

    @property
    def width(self):
        return self.n_lags * n_inputs(self.columns)

    @property
    def hashes(self):
        of_rows, hashes = row_hash(self.rows), np.zeros(len(self.place), np.uint64)
        for lag in range(1, self.n_lags + 1):
            there = np.flatnonzero(self.place >= lag)
            hashes[there] += mix64(of_rows[there - lag] + np.uint64(lag))
        return mix64(hashes)
