r"""Mixtures of normal distributions of rows with missing entries.

.. math:: p(x) = \sum_k \pi_k \mathcal{N}(x; \mu_k, \Sigma_k), \qquad
   \mathbb{E}[x_m \mid x_o] = \sum_k p(k \mid x_o) \bigl(\mu_{km} +
   \Sigma_{kmo} \Sigma_{koo}^{-1} (x_o - \mu_{ko})\bigr)

A normal distribution is fitted by expectation maximization [1]_, with cross-validated
shrinkage of covariances. Each mixture is fitted to rows that a draw of the previous one
completes; its covariances are shrunk to their mean.

References
----------
.. [1] Dempster, Laird and Rubin (1977). Maximum likelihood from incomplete data via the
   EM algorithm. JRSS B.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from skdgm.autoregressive.normal_moments import (
    CHOICES,
    NormalMoments,
    best_shrinkage,
    folds_of,
    is_typical,
)
from skdgm.utils.clusters import clusters
from skdgm.utils.math import distinct

# Numbers of components of mixtures, how often each is fitted, and minimum number of
# rows for each input of a component.
_COMPONENTS, _REPEATS, _ROWS_PER_INPUT = (2, 4, 8), 4, 2
# Maximum number of steps of expectation maximization of a normal distribution and of a
# mixture, and the change of a covariance below which they end.
_STEPS, _MIXTURE_STEPS, _TOLERANCE = 60, 8, 1e-3
# Numbers of rows by whose weight variances are increased, and means of components are
# shrunk, and smallest variance.
_RIDGE, _SHRUNK, _FLOOR = 1.0, 2.0, 1e-6
# Maximum number of entries of arrays in memory.
_BLOCK = 2**21


class NormalMixture(NamedTuple):
    """Mixture of normal distributions: logarithms of weights, (n_components,), means,
    (n_components, n_inputs), and covariances, (n_components, n_inputs, n_inputs)."""

    log_weight: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray

    def given(self, z):
        """Probabilities of components given the known entries of rows, (n_rows,
        n_components), and conditional means, (n_components, n_rows, n_inputs)."""
        known = ~np.isnan(z)
        filled, means = np.where(known, z, 0.0), np.empty((len(self.mean), *z.shape))
        joint = np.tile(self.log_weight, (len(z), 1))
        for block, masks, pattern in _blocks(known):
            for k, (mean, covariance) in enumerate(zip(self.mean, self.covariance)):
                gap = (filled[block] - mean) * known[block]
                parts = _parts(covariance, masks)
                slope = _solved(parts, pattern, gap)
                roots = np.diagonal(np.linalg.cholesky(parts), axis1=1, axis2=2)
                log_root = np.log(roots).sum(axis=1)
                joint[block, k] -= log_root[pattern] + (slope * gap).sum(axis=1) / 2
                means[k, block] = mean + slope @ covariance
        share = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
        return share, np.where(known, z, means)

    def drawn(self, z, rng):
        """Rows with missing entries drawn."""
        share, means = self.given(z)
        return draw(z, share, means, self.covariance, rng)[0]


def draw(z, share, means, covariances, rng):
    """Draw missing entries of rows, given probabilities and conditional means of
    components; return rows, the component of each, and the deviations of its entries
    from their conditional means, (n_rows, n_inputs)."""
    known, noise = ~np.isnan(z), rng.standard_normal(z.shape)
    sums = np.cumsum(share, axis=1)[:, :-1]
    chosen = (rng.random(len(z))[:, None] > sums).sum(axis=1)
    rest = np.zeros(z.shape)
    for k, covariance in enumerate(covariances):
        of_component = np.flatnonzero(chosen == k)
        joint = noise[of_component] @ np.linalg.cholesky(covariance).T
        for block, masks, pattern in _blocks(known[of_component]):
            rows = of_component[block]
            slope = _solved(
                _parts(covariance, masks), pattern, joint[block] * known[rows]
            )
            rest[rows] = joint[block] - slope @ covariance
    means = means[chosen, np.arange(len(z))]
    return np.where(known, z, means + rest), chosen, np.where(known, 0.0, rest)


def spreads(z, chosen, covariances):
    """Conditional standard deviations of missing entries of rows, given the component
    of each row, (n_rows, n_inputs)."""
    known, spread = ~np.isnan(z), np.zeros(z.shape)
    for k, covariance in enumerate(covariances):
        of_component = np.flatnonzero(chosen == k)
        for block, masks, pattern in _blocks(known[of_component]):
            explained = covariance @ _inverses(covariance, masks) * covariance
            variance = np.diag(covariance) - explained.sum(axis=2)
            spread[of_component[block]] = np.sqrt(variance.clip(_FLOOR**2))[pattern]
    return spread


def _blocks(known):
    """Yield slices of rows, their distinct masks of known entries, and the number of
    the mask of each row."""
    size = max(1, _BLOCK // max(1, known.shape[1]) ** 2)
    for start in range(0, len(known), size):
        block = slice(start, start + size)
        yield block, *distinct(known[block])


def _parts(covariance, masks):
    """Covariances of the known entries of each mask, and the identity elsewhere, (n,
    n_inputs, n_inputs)."""
    known, diagonal = masks.astype(float), np.arange(len(covariance))
    parts = covariance * known[:, :, None] * known[:, None, :]
    parts[:, diagonal, diagonal] += 1 - known
    return parts


def _solved(parts, pattern, gap):
    """Products of rows with the inverse of the matrix of their pattern."""
    return (np.linalg.inv(parts)[pattern] @ gap[:, :, None])[:, :, 0]


def _inverses(covariance, masks):
    """Inverses of :func:`_parts`, 0 for missing entries."""
    inverse, diagonal = np.linalg.inv(_parts(covariance, masks)), range(len(covariance))
    inverse[:, diagonal, diagonal] -= 1 - masks
    return inverse


def normal(z, weight):
    """Normal distribution of weighted rows by expectation maximization, as a
    :class:`NormalMixture`. Covariances of different columns are shrunk to 0 by the
    cross-validated amount, and variances are increased as by ``_RIDGE`` more rows."""
    known, total = ~np.isnan(z), weight.sum()
    filled, seen = np.where(known, z, 0.0), np.maximum(weight @ known, _FLOOR)
    mean = weight @ filled / seen
    floor = _FLOOR * (weight @ ((filled - mean) * known) ** 2 / seen + _FLOOR)
    covariance, ridge = np.diag(floor / _FLOOR), _RIDGE / total

    def regular(covariance, amount):
        variance = np.diag(covariance)
        more = (ridge + amount) * variance / (1 + ridge) + floor
        return (1 - amount) / (1 + ridge) * covariance + np.diag(more)

    order = np.random.default_rng(0).permutation(len(z))
    typical = is_typical((z[order] - mean) / np.sqrt(np.diag(covariance)))
    parts = folds_of(order, weight[order], typical, z.shape[1])
    for step in range(_STEPS):
        *folds, outliers = (
            _expected(filled[index], known[index], weight_of_part, mean, covariance)
            for index, weight_of_part in parts
        )
        moments, before = NormalMoments.union([*folds, outliers]), covariance
        # Later, missing values are expected as the current distribution does.
        if step < CHOICES:
            amount = best_shrinkage(folds, regular)
        mean, covariance = moments.mean, regular(moments.covariance, amount)
        if np.abs(covariance - before).max() < _TOLERANCE:
            break
    return NormalMixture(np.zeros(1), mean[None], covariance[None])


def _expected(filled, known, weight, mean, covariance):
    """Expected moments of weighted rows given their known entries."""
    completed, inverses = np.empty(filled.shape), np.zeros(covariance.shape)
    total = max(weight.sum(), np.finfo(float).tiny)
    for block, masks, pattern in _blocks(known):
        inverse = _inverses(covariance, masks)
        gap = (filled[block] - mean) * known[block]
        slope = (inverse[pattern] @ gap[:, :, None])[:, :, 0]
        completed[block] = mean + slope @ covariance
        counts = np.bincount(pattern, weight[block], len(masks))
        inverses = inverses + np.tensordot(counts, inverse, 1)
    completed = np.where(known, filled, completed)
    center = weight @ completed / total
    gap = completed - center
    spread = total * covariance - covariance @ inverses @ covariance
    within = (gap * weight[:, None]).T @ gap + spread
    return NormalMoments(np.array([total]), center, within / total)


def mixture(completed, weight, base, n_components, rng):
    """Mixture of complete weighted rows; ``base`` is their normal distribution."""
    p, total = completed.shape[1], weight.sum()
    share = clusters(completed, weight, rng.random(n_components))
    for _ in range(_MIXTURE_STEPS):
        weighted = share * weight[:, None]
        size = weighted.sum(axis=0)
        log_weight = np.log((size + 1) / (total + n_components))
        mean = weighted.T @ completed + _SHRUNK * base.mean
        mean /= (size + _SHRUNK)[:, None]
        gaps = completed - mean[:, None]
        squares = np.swapaxes(gaps * weighted.T[:, :, None], 1, 2) @ gaps
        within = squares.sum(axis=0) / total * (p + 2)
        covariance = (squares + within) / (size + p + 2)[:, None, None]
        covariance += _FLOOR * np.eye(p)
        roots = np.linalg.cholesky(covariance)
        white = gaps @ np.swapaxes(np.linalg.inv(roots), 1, 2)
        log_det = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
        joint = log_weight - log_det - (white**2).sum(axis=2).T / 2
        share = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    return NormalMixture(log_weight, mean, covariance)


def family(z, weight, rng, snap):
    """Normal distribution and mixtures of weighted rows, and weights of these models,
    which sum to 1. All numbers of components have equal weight. ``snap`` is a function
    of drawn rows, which replaces inputs by those of categories."""
    n, p = z.shape
    most = n // (_ROWS_PER_INPUT * p)
    sizes = [size for size in _COMPONENTS if size <= most]
    models = [normal(z, weight)]
    for size in sizes * _REPEATS:
        completed = np.where(np.isnan(z), snap(models[-1].drawn(z, rng)), z)
        models.append(mixture(completed, weight, models[0], size, rng))
    share = np.full(len(models), 1 / _REPEATS)
    share[0] = 1.0
    return tuple(models), share / share.sum()
