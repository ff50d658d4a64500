r"""Standardized columns of a table, as inputs of densities.

.. math:: z = \frac{x - \bar x}{s}, \qquad
   a = \mathrm{asinh} \frac{1.35 \, (x - \mathrm{median})}{\mathrm{IQR}}

A category is a column for each of its frequent values, which is 1 in rows of this value
and 0 in others.
"""

from typing import NamedTuple

import numpy as np

# Maximum number of categories of a column that are separate inputs.
_CATEGORIES = 30
# Interquartile range of a standard normal distribution.
_RANGE = 1.349
# Magnitudes of standardized values are clipped to this.
_MAX_MAGNITUDE = 1e10
# Standard deviation of a constant column, as a fraction of its magnitude.
_ROUNDING = 10 * np.finfo(np.float64).eps
# Smallest interquartile range that is used, as a fraction of the standard deviation.
_NARROW = 1e-9


class InputScales(NamedTuple):
    """Inputs of densities: the column of each input, (n_inputs,); its category, or -1
    for a number; and location and scale of the number itself, (2, n_inputs), of its
    robust version, and of the inverse hyperbolic sine of the latter."""

    column: np.ndarray
    category: np.ndarray
    plain: np.ndarray
    robust: np.ndarray
    curved: np.ndarray

    @classmethod
    def of(cls, x, weight, n_categories):
        """Learn the scales of rows x, NaN where missing; ``n_categories`` is 0 for
        columns of numbers. Constant columns are not inputs."""
        column, category = [], []
        for j, n in enumerate(n_categories):
            values = [-1]
            if n:
                codes = np.where(x[:, j] >= 0, x[:, j], n).astype(int)
                counts = np.bincount(codes, weight, n + 1)[:n]
                values = np.argsort(-counts, kind="stable")[:_CATEGORIES]
            category += list(values)
            column += [j] * len(values)
        column, category = np.array(column, int), np.array(category, int)
        inputs = _inputs(x, column, category)
        plain = np.array([_moments(v, weight) for v in inputs.T]).reshape(-1, 2).T
        varies = plain[1] > 0
        inputs, plain = inputs[:, varies], plain[:, varies]
        robust = plain.copy()
        for i in np.flatnonzero(category[varies] < 0):
            robust[:, i] = _quartiles(inputs[:, i], weight, robust[:, i])
        bent = np.arcsinh(_standard(inputs, robust))
        curved = np.array([_moments(v, weight) for v in bent.T]).reshape(-1, 2).T
        return cls(column[varies], category[varies], plain, robust, curved)

    def standard(self, x):
        """Standardized inputs of rows x, NaN where missing."""
        return _standard(_inputs(x, self.column, self.category), self.plain)

    def bent(self, x):
        """Standardized inverse hyperbolic sines of inputs, NaN where missing."""
        inputs = _inputs(x, self.column, self.category)
        return _standard(np.arcsinh(_standard(inputs, self.robust)), self.curved)

    def by_column(self, entries, n_columns):
        """Sums over the inputs of each column of values, (n_rows, n_inputs)."""
        sums = np.zeros((n_columns, len(entries)))
        np.add.at(sums, self.column, entries.T)
        return sums.T


def _inputs(x, column, category):
    """Numbers, and 1 or 0 for categories, (n_rows, n_inputs)."""
    inputs = x[:, column]
    coded = category >= 0
    codes = inputs[:, coded]
    inputs[:, coded] = np.where(np.isnan(codes), codes, codes == category[coded])
    return inputs


def _moments(v, weight):
    """Mean and standard deviation of the known values; 0 and 0 if they are constant."""
    known = ~np.isnan(v) & (weight > 0)
    if not known.any():
        return 0.0, 0.0
    v, weight = v[known], weight[known] / weight[known].sum()
    size = np.abs(v).max()
    if size == 0:
        return 0.0, 0.0
    # Differences from a value keep their precision in columns far from zero.
    origin, v = v[0], v / size - v[0] / size
    mean = weight @ v
    spread = np.sqrt(weight @ (v - mean) ** 2)
    return origin + mean * size, spread * size if spread > _ROUNDING else 0.0


def _quartiles(v, weight, moments):
    """Median and normalized interquartile range; the standard deviation if the latter
    is 0."""
    known = ~np.isnan(v) & (weight > 0)
    v, weight = v[known], weight[known]
    order = np.argsort(v, kind="stable")
    sums = np.cumsum(weight[order])
    places = np.searchsorted(sums, np.array([0.25, 0.5, 0.75]) * sums[-1])
    low, median, high = v[order][np.minimum(places, len(v) - 1)]
    spread = high / _RANGE - low / _RANGE
    return median, spread if spread > _NARROW * moments[1] else moments[1]


def _standard(v, moments):
    with np.errstate(over="ignore"):
        scaled = (v - moments[0]) / moments[1]
    return np.clip(scaled, -_MAX_MAGNITUDE, _MAX_MAGNITUDE)
