r"""Small densities whose surprisal is a sum over the entries of a row.

.. math:: -\log p(x) = -\sum_j \log p(x_j \mid x_{<j})

Each density has the surprisals of entries up to constants of columns, (n_rows,
n_inputs), and 0 where an entry is missing. Joint surprisals are means over the given
order of the columns and its reverse.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from skdgm.utils.clusters import distant_rows
from skdgm.utils.math import rows_by_gaps

# Number of bins of a histogram, and maximum number of values that have a bin each.
_BINS, _MAX_SINGLE_VALUES = 10, 15
# Weight of an empty bin.
_EMPTY = 0.5
# Added to variances of standardized columns, in the normal distribution and in
# components of the mixture.
_RIDGE, _FLOOR = 0.03, 0.2
# Maximum number of inputs whose correlations are learned.
_CORRELATED = 1000
# Maximum number of components and of EM steps, and smallest gain of a step in nats.
_COMPONENTS, _STEPS, _GAIN = 20, 50, 1e-3
# Maximum number of entries of arrays in memory.
_BLOCK = 2**22


class Histogram(NamedTuple):
    """Independent histograms of columns: sorted values, or edges of bins where
    ``binned``, of each column; and surprisals of its values or bins, of which the last
    is for other values."""

    grids: tuple
    costs: tuple
    binned: np.ndarray

    @classmethod
    def of(cls, x, weight, n_categories):
        """Histograms of rows x, NaN where missing."""
        grids, costs, binned = [], [], np.zeros(x.shape[1], bool)
        for j, v in enumerate(x.T):
            known = ~np.isnan(v) & (weight > 0)
            grid = np.unique(v[known])
            if n_categories[j]:
                grid = np.arange(n_categories[j], dtype=float)
            elif len(grid) > _MAX_SINGLE_VALUES:
                binned[j], grid = True, np.linspace(grid[0], grid[-1], _BINS + 1)
            places = _places(v[known], grid, binned[j])
            counts = np.bincount(places, weight[known], len(grid) + 1 - binned[j])
            grids.append(grid)
            costs.append(-np.log(counts + _EMPTY))
        return cls(tuple(grids), tuple(costs), binned)

    def entries(self, x):
        """Surprisals of the entries of rows x."""
        out = np.zeros(x.shape)
        for j, (grid, cost) in enumerate(zip(self.grids, self.costs)):
            known = ~np.isnan(x[:, j])
            out[known, j] = cost[_places(x[known, j], grid, self.binned[j])]
        return out


def _places(v, grid, binned):
    """Index of the bin or the equal value of each value; that of the last cost if there
    is none."""
    if not len(grid):
        return np.zeros(len(v), int)
    if binned:
        place = np.searchsorted(grid, v, "right") - 1
        place = np.where(v == grid[-1], len(grid) - 2, place)
        return np.where((v < grid[0]) | (v > grid[-1]), len(grid) - 1, place)
    place = np.minimum(np.searchsorted(grid, v), len(grid) - 1)
    return np.where(grid[place] == v, place, len(grid))


class JointNormal(NamedTuple):
    """Normal distribution of standardized columns, (n_inputs, n_inputs)."""

    covariance: np.ndarray

    @classmethod
    def of(cls, z, weight):
        """Normal distribution of rows z, with moments of pairs of known entries."""
        known = ~np.isnan(z)
        filled, n = np.where(known, z, 0.0), z.shape[1]
        if n > _CORRELATED:
            return cls(np.eye(n) * (1 + _RIDGE))
        total = (known * weight[:, None]).T @ known.astype(float)
        covariance = (filled * weight[:, None]).T @ filled
        covariance /= np.maximum(total, np.finfo(float).tiny)
        if not known.all():
            values, vectors = np.linalg.eigh(covariance)
            covariance = (vectors * values.clip(min=0)) @ vectors.T
        return cls(covariance + _RIDGE * np.eye(n))

    def joint(self, z):
        r"""Half squared residuals of entries given the previous entries, and given the
        next entries, whose sum is half the squared Mahalanobis distance of the row."""
        out = np.zeros(z.shape)
        for rows, missing in rows_by_gaps(z):
            seen = np.flatnonzero(~missing)
            for order in seen, seen[::-1]:
                root = np.linalg.cholesky(self.covariance[np.ix_(order, order)])
                residuals = solve_triangular(
                    root, z[np.ix_(rows, order)].T, lower=True, check_finite=False
                )
                out[np.ix_(rows, order)] += residuals.T**2 / 4
        return out

    def conditional(self, z):
        """Surprisals of the standardized residual r of each entry given all others as
        of a Cauchy distribution, log(1 + r²)."""
        out = np.zeros(z.shape)
        for rows, missing in rows_by_gaps(z):
            seen = np.flatnonzero(~missing)
            precision = np.linalg.inv(self.covariance[np.ix_(seen, seen)])
            residuals = z[np.ix_(rows, seen)] @ precision / np.sqrt(np.diag(precision))
            out[np.ix_(rows, seen)] = np.log1p(residuals**2)
        return out


class MixtureOfColumns(NamedTuple):
    """Mixture of normal distributions with independent columns: logarithms of the
    weights, (n_components,), means and variances, (n_components, n_inputs)."""

    log_weight: np.ndarray
    mean: np.ndarray
    variance: np.ndarray

    @classmethod
    def of(cls, z, weight):
        """Mixture fitted to distinct rows z by expectation maximization."""
        n_components = min(_COMPONENTS, (len(z) + 1) // 2)
        known = ~np.isnan(z)
        filled, weight = np.where(known, z, 0.0), weight / weight.sum()
        uniforms = np.random.default_rng(0).random(n_components)
        means = distant_rows(filled, weight, uniforms)
        mixture = cls(
            np.full(n_components, -np.log(n_components)), means, np.ones(means.shape)
        )
        before = -np.inf
        for _ in range(_STEPS):
            joint = mixture.log_joint(filled, known)
            log_p = logsumexp(joint, axis=1, keepdims=True)
            share = np.exp(joint - log_p) * weight[:, None]
            after = weight @ log_p[:, 0]
            mixture = cls._given(share, filled, known)
            if after - before < _GAIN:
                break
            before = after
        return mixture

    @classmethod
    def _given(cls, share, filled, known):
        """Mixture whose components have shares of rows, (n_rows, n_components)."""
        total = share.sum(axis=0)
        seen = np.maximum(share.T @ known.astype(float), np.finfo(float).tiny)
        mean = share.T @ filled / seen
        square = share.T @ filled**2 / seen
        variance = np.maximum(square - mean**2, 0) + _FLOOR
        return cls(np.log(np.maximum(total, np.finfo(float).tiny)), mean, variance)

    def log_joint(self, filled, known):
        """Log densities of rows and components, (n_rows, n_components), up to a
        constant."""
        precision = 1 / self.variance
        square = filled**2 @ precision.T - 2 * filled @ (self.mean * precision).T
        constant = self.mean**2 * precision + np.log(self.variance)
        square += known.astype(float) @ constant.T
        return self.log_weight - square / 2

    def entries(self, z):
        """Surprisals of entries given the previous entries, and given the next."""
        out = np.zeros(z.shape)
        block = max(1, _BLOCK // max(1, self.mean.size))
        for start in range(0, len(z), block):
            part = z[start : start + block, None, :]
            log_p = (part - self.mean) ** 2 / self.variance + np.log(self.variance)
            log_p = np.where(np.isnan(part), 0.0, -log_p / 2)
            for order in slice(None), slice(None, None, -1):
                joint = self.log_weight[:, None] + log_p[..., order].cumsum(axis=2)
                sums = logsumexp(joint, axis=1)
                first = np.full((len(part), 1), logsumexp(self.log_weight))
                steps = np.diff(sums, axis=1, prepend=first)
                out[start : start + block] -= steps[:, order] / 2
        return np.where(np.isnan(z), 0.0, out)
