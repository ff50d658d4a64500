r"""Nearest rows of mixed tables by Gower's distance.

.. math:: d(x, y) = \frac1D \sum_j d_j(x_j, y_j), \qquad
   d_j = \min(1, |x_j - y_j| / r_j) \text{ or } [x_j \ne y_j]

The first form, with the range :math:`r_j` of the column in the first table, is for
numbers and dates, and the second for categories and booleans. The distance of a missing
value is 0 from another missing value and 1 from any value, so that equal rows have
distance 0.

Numbers are rounded to multiples of :math:`2^{-30}` ranges, so that sums and ties are
exact. Distances are computed by blocks of rows.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri
from sklearn.utils import gen_batches

# Entries of a block of distances; inverse of the unit to which numbers are rounded.
_ENTRIES, _GRID = 2**21, 2.0**30


class Places(NamedTuple):
    """Columns of several tables, each (n_columns, n_rows), scaled for Gower's distance;
    ``discrete`` is True for columns of codes."""

    tables: list
    discrete: tuple

    @classmethod
    def of(cls, columns):
        """Scale columns by their ranges in the first table."""
        scaled = [_scaled(column) for column in columns]
        discrete = tuple(column.is_discrete for column in columns)
        return cls([np.stack(parts) for parts in zip(*scaled)], discrete)

    def blocks(self, rows, others, columns=None):
        """Iterate over slices of the rows of one table, with the sums over columns of
        their distances to all rows of another, (n_rows_of_block, n_others)."""
        columns = range(len(self.discrete)) if columns is None else list(columns)
        n, m = rows.shape[1], others.shape[1]
        for block in gen_batches(n, max(1, _ENTRIES // m)):
            D = np.zeros((block.stop - block.start, m))
            for j in columns:
                D += self.column_distance(j, rows[:, block], others)
            yield block, D

    def column_distance(self, j, rows, others):
        """Distances in one column between rows of two tables."""
        x, y = rows[j][:, None], others[j]
        if self.discrete[j]:
            return x != y
        gaps = np.subtract(x, y)
        np.abs(gaps, out=gaps)
        np.minimum(gaps, 1.0, out=gaps)
        missing = np.isnan(x), np.isnan(y)
        if any(mask.any() for mask in missing):
            gaps = np.where(np.isnan(gaps), missing[0] != missing[1], gaps)
        return gaps


def _scaled(column):
    """Codes, or numbers in units of the range of the first table."""
    if column.is_discrete:
        return [np.where(np.isnan(part), -1, part) for part in column.parts]
    first = column.parts[0][~np.isnan(column.parts[0])]
    low, width = (first.min(), np.ptp(first)) if len(first) else (0.0, 0.0)
    # A value that differs from a constant column has the maximum distance.
    unit = width if width > 0 else np.finfo(float).tiny
    with np.errstate(over="ignore"):
        parts = [np.clip((part - low) / unit, -_GRID, _GRID) for part in column.parts]
    return [np.rint(part * _GRID) / _GRID for part in parts]


def nearest(places, rows, others):
    """Distance from each row to the nearest of ``others``, and its index."""
    distance, index = np.empty(rows.shape[1]), np.empty(rows.shape[1], np.int64)
    for block, D in places.blocks(rows, others):
        index[block] = D.argmin(axis=1)
        distance[block] = D[np.arange(len(D)), index[block]]
    return distance / len(places.discrete), index


def closest_records(columns, confidence):
    r"""Compare distances of synthetic rows from training and from held-out rows.

    Returns the share of synthetic rows that are closer to a training row, with the ends
    of its interval, and the distances to the nearest training and held-out rows. Ties
    count one half. Without held-out rows the share and interval are NaN. Rows with the
    same nearest row are dependent: if :math:`c_j` rows share nearest row j, the
    interval is Wilson's for :math:`n^2 / \sum_j c_j^2` rows.
    """
    places = Places.of(columns)
    train, drawn, *held_out = places.tables
    results = [nearest(places, drawn, table) for table in (train, *held_out)]
    distances = [distance for distance, _ in results]
    if not held_out:
        return (np.nan, np.nan, np.nan), distances
    (near, first), (far, second) = results
    share = float(np.mean((near < far) + 0.5 * (near == far)))
    pooled = np.where(near <= far, first, second + train.shape[1])
    counts = np.bincount(pooled)
    return (share, *wilson(share, len(near) ** 2 / (counts**2).sum(), confidence)), (
        distances
    )


def wilson(share, n, confidence):
    """Wilson's confidence interval for a share of n independent rows."""
    z = ndtri(0.5 + confidence / 2)
    center = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) * z / (1 + z**2 / n)
    return float(max(0.0, center - reach)), float(min(1.0, center + reach))


def excess(shares, sizes, confidence):
    """Newcombe's confidence interval for the difference of two independent shares."""
    first, second = shares
    low, high = wilson(first, sizes[0], confidence)
    other_low, other_high = wilson(second, sizes[1], confidence)
    gap = first - second
    lower = gap - np.hypot(first - low, other_high - second)
    return float(lower), float(gap + np.hypot(high - first, second - other_low))


def row_numbers(columns):
    """Numbers of the rows of each table; equal rows have equal numbers."""
    numbers = np.zeros(sum(map(len, columns[0].parts)), np.int64)
    for column in columns:
        _, codes = np.unique(np.concatenate(column.parts), return_inverse=True)
        joint = numbers * (codes.max() + 1) + codes
        _, numbers = np.unique(joint, return_inverse=True)
    return np.split(numbers, np.cumsum([len(part) for part in columns[0].parts])[:-1])


def neighborhoods(columns, n_neighbors):
    """Precision, recall and coverage, a dict.

    They are the shares of synthetic rows in the neighborhood of some real row, of real
    rows in the neighborhood of some synthetic row, and of real rows whose
    neighborhood contains a synthetic row. A neighborhood is a ball to the k-th
    nearest row of the same table.
    """
    places = Places.of(columns)
    real, drawn = places.tables
    real_radii, drawn_radii = (_radii(places, t, n_neighbors) for t in (real, drawn))
    inside = np.zeros(drawn.shape[1], bool)
    recalled, covered = np.zeros((2, real.shape[1]), bool)
    for block, D in places.blocks(drawn, real):
        near = real_radii >= D
        inside[block] = near.any(axis=1)
        covered |= near.any(axis=0)
        recalled |= (drawn_radii[block, None] >= D).any(axis=0)
    names = "precision", "recall", "coverage"
    return {n: float(p.mean()) for n, p in zip(names, (inside, recalled, covered))}


def _radii(places, table, n_neighbors):
    """Distance of each row from its k-th nearest other row of the same table."""
    k, radii = min(n_neighbors, table.shape[1] - 1), np.empty(table.shape[1])
    for block, D in places.blocks(table, table):
        # Each row is its own nearest row.
        radii[block] = np.partition(D, k, axis=1)[:, k]
    return radii


def guesses(columns, known, sensitive):
    """Guess the values of sensitive columns by the nearest synthetic row in the known
    columns without the sensitive column. Returns the guesses for training rows and for
    held-out rows by column."""
    places = Places.of(columns)
    *victims, drawn = places.tables
    guessed = {j: [] for j in sensitive}
    for rows in victims:
        index = np.empty((len(sensitive), rows.shape[1]), np.int64)
        for block, D in places.blocks(rows, drawn, known):
            for nearest_rows, j in zip(index, sensitive):
                # Differences are exact because sums are exact.
                rest = (
                    D - places.column_distance(j, rows[:, block], drawn)
                    if j in known
                    else D
                )
                nearest_rows[block] = rest.argmin(axis=1)
        for nearest_rows, j in zip(index, sensitive):
            guessed[j].append(columns[j].parts[2][nearest_rows])
    return guessed
