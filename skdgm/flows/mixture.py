r"""Mixtures of normal distributions, and heavy tails, that a flow begins with.

.. math:: \hat\Sigma_k = (1 - \lambda) C_k + \lambda \operatorname{diag}(C_k), \qquad
   C_k = \frac{n_k S_k + \nu \bar S}{n_k + \nu}, \quad
   \bar S = \frac1n \sum_k n_k S_k

in each step of expectation maximisation: the covariance of a component is shrunk to
that within all components [1]_. The degree and the number of components are
cross-validated, so that few rows suffice for several components.

References
----------
.. [1] Fraley and Raftery (2007). Bayesian regularization for normal mixture estimation
   and model-based clustering. Journal of Classification.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.special import gammaln, logsumexp

from skdgm.autoregressive.normal_moments import given_seen, patterns
from skdgm.nets.bases import NormalMixture, Tails
from skdgm.utils import addresses
from skdgm.utils.math import LOG_2PI
from skdgm.utils.random import stream

# Most columns of mixtures that are not asked for.
MOST_MIXED = 64
# Numbers of components to choose among; of prior rows, of a covariance, a column.
_COMPONENTS, _PRIOR = (2, 3, 4, 6, 8), (4.0, 1.0, np.inf)
# Folds; steps of expectation maximisation, and of k-means; and the improvement, in nats
# per row, below which the first end.
_FOLDS, _STEPS, _CENTRE_STEPS, _TOL = 5, 40, 10, 1e-3
# Least variance, as a share of the column's; rows for each component.
_FLOOR, _EACH = 1e-6, 10
# Most rows of the choice, times columns squared; most rows of the fit.
_MOST, _WORK, _MOST_OF_FIT = 2_000, 2**22, 10_000
# Complete rows that suffice at the start; limit on steps times components times
# patterns of missing entries.
_ENOUGH, _WORK_OF_GAPS = 50, 20_000
# Degrees of freedom of heavy tails at the start, and their least scale, without which
# training diverges.
_DEGREES, _NARROW = (1.5, 2.0, 3.0, 5.0, 8.0, 16.0, 50.0), 0.05
_START, _FILL = addresses.FLOW_MIXTURE


class Components(NamedTuple):
    """Weights, means and covariances of components."""

    weight: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray


class Shrinkage(NamedTuple):
    """Shrinkage of covariances: number of ``prior`` rows of the covariance within all
    components, ``amount`` to diagonal matrices, and the covariance ``wide`` of a
    further component."""

    prior: float
    amount: float
    wide: np.ndarray | None


def mixture_of(table, normal, n_given, certain=False):
    """Mixture of a table's rows, after the ``normal`` distribution at the start is
    whitened, given the first columns; None if rows are too few, or, unless it is
    ``certain``, if no mixture has a higher cross-validated likelihood, by a standard
    error, than the normal distribution alone."""
    n = table.rows.shape[1] - n_given
    layer = normal.whitening(np.float64, n_given)
    white = layer.W[n_given:, n_given:]
    back = solve_triangular(white, np.eye(n))
    most = int(min(_MOST, max(4 * n, _WORK // n**2)))

    def residuals(most, fill):
        x, weight = _residuals(table, fill, layer, n_given, most)
        return x @ back, weight

    complete = table.rows.complete
    first = normal if complete else _first(table, most, n, normal)
    x, weight = residuals(most, first)
    shrinkage = Shrinkage(0.0, normal.shrinkage, back.T @ back)
    chosen = _chosen(x, weight, shrinkage, certain)
    if chosen is None:
        return None
    try:
        x, weight = residuals(_MOST_OF_FIT, first)
        k, shrinkage = chosen
        components = _fitted(x, weight, k, shrinkage)
        if not complete:
            x, weight = residuals(_MOST_OF_FIT, normal)
            v = table.rows.take(table.index[: len(x)])
            x = np.where(np.isnan(v[:, n_given:]), np.nan, x)
            components = _refined(x, weight, components, shrinkage)
        return _based(components, back, white)
    except np.linalg.LinAlgError:
        return None


def _based(components, back, white):
    """Mixture at the base, of components before rows are whitened by a matrix."""
    n = len(white)
    roots = [cholesky(part, lower=True) for part in components.covariance]
    roots = [solve_triangular(root, np.eye(n), lower=True).T for root in roots]
    roots = np.array([np.triu(back @ root) for root in roots])
    return NormalMixture(np.log(components.weight), components.mean @ white, roots)


def _first(table, most, n, normal):
    """Distribution that fills the rows at the start of a mixture: None, where complete
    rows suffice; else the ``normal`` one."""
    holes = np.isnan(table.rows.take(table.index[:most])).any(axis=1)
    return None if (~holes).sum() >= max(_ENOUGH, _EACH * n) else normal


def _residuals(table, fill, layer, n_given, most):
    """Some rows, which are in random order, whitened given the first columns, and their
    weights: missing entries are drawn from a distribution ``fill``; with None, only
    complete rows are taken."""
    index, weight = table.index[:most], table.weight[:most]
    x = table.rows.take(index).astype(np.float64)
    holes = np.isnan(x).any(axis=1)
    if fill is None:
        x, weight = x[~holes], weight[~holes]
    elif holes.any():
        x, _ = fill.given(x).completed(stream(0, _FILL).rows(len(x)))
    return (x @ layer.W + layer.b)[:, n_given:], weight


def tails_of(table, normal, n_given):
    """Student's t distributions of the columns of a table's rows, after a ``normal``
    distribution, or None, is whitened."""
    if normal is None:
        x, weight = table.rows.take(table.index[:_MOST_OF_FIT]), table.weight
        x, weight = x[:, n_given:].astype(np.float64), weight[: len(x)]
        x = np.nan_to_num(x)
    else:
        layer = normal.whitening(np.float64, n_given)
        x, weight = _residuals(table, normal, layer, n_given, _MOST_OF_FIT)
    best = np.full(x.shape[1], -np.inf)
    log_df, log_scales = np.zeros((2, x.shape[1]))
    for df in _DEGREES:
        log_scale = _scale_of_tails(x, weight, df)
        each = gammaln(0.5 * (df + 1)) - gammaln(0.5 * df) - 0.5 * np.log(df)
        spread = np.log1p((x * np.exp(-log_scale)) ** 2 / df)
        each = each - log_scale - 0.5 * (df + 1) * (weight @ spread) / weight.sum()
        better = each > best
        best = np.where(better, each, best)
        log_df[better], log_scales[better] = np.log(df), log_scale[better]
    return Tails(log_df, log_scales)


def _scale_of_tails(x, weight, df):
    """Logs of the most probable scales of columns, by expectation maximisation."""
    variance = weight @ x**2 / weight.sum()
    for _ in range(_STEPS):
        pull = (df + 1) / (df + x**2 / variance)
        variance = np.maximum(weight @ (pull * x**2) / weight.sum(), _NARROW**2)
    return 0.5 * np.log(variance)


def _chosen(x, weight, shrinkage, certain):
    """Cross-validated number of components, and shrinkage; None for a single one."""
    n_rows, n = x.shape
    numbers = [k for k in _COMPONENTS if k * _EACH <= n_rows]
    single = _left_out(x, weight, 1, shrinkage) if numbers else None
    if single is None:
        return None
    best = None

    def better(k, prior):
        nonlocal best
        candidate = shrinkage._replace(prior=prior * n)
        log_p = _left_out(x, weight, k, candidate)
        if log_p is None or (best and weight @ (log_p - best[0]) <= 0):
            return False
        best = log_p, k, candidate
        return True

    worse = 0
    for k in numbers:
        worse = 0 if better(k, _PRIOR[0]) else worse + 1
        if worse == 2:
            break
    if best is None:
        return None
    k = best[1]
    for prior in _PRIOR[1:]:
        better(k, prior)
    gain, total = best[0] - single, weight.sum()
    mean = weight @ gain / total
    error = np.sqrt(weight**2 @ (gain - mean) ** 2) / total
    return best[1:] if certain or mean > error else None


def _left_out(x, weight, k, shrinkage):
    """Log densities of rows by components of the other folds; None where a covariance
    is singular."""
    log_p = np.empty(len(x))
    for fold in range(_FOLDS):
        out = np.arange(len(x)) % _FOLDS == fold
        try:
            components = _fitted(x[~out], weight[~out], k, shrinkage)
            log_p[out] = logsumexp(_log_p(x[out], components), axis=0)
        except np.linalg.LinAlgError:
            return None
    return log_p


def _fitted(x, weight, k, shrinkage):
    """Components of rows by expectation maximisation; if several, there is a further
    wide one."""
    several = k + 1 if k > 1 else 1
    share, before = np.eye(several)[_clusters(x, weight, k)].T, -np.inf
    for _ in range(_STEPS if k > 1 else 1):
        components = _maximised(x, weight * share, shrinkage)
        if k == 1:
            break
        log_p = _log_p(x, components)
        total = logsumexp(log_p, axis=0)
        share, now = np.exp(log_p - total), weight @ total / weight.sum()
        if now - before < _TOL:
            break
        before = now
    return components


def _refined(x, weight, components, shrinkage, n_steps=_STEPS):
    """Components of rows with missing entries, by at most ``n_steps`` of expectation
    maximisation from earlier ones."""
    groups, before = list(patterns(x)), -np.inf
    most = max(1, _WORK_OF_GAPS // (len(groups) * len(components.weight)))
    for _ in range(min(most, n_steps)):
        log_p, rows, spreads = _expected(x, groups, components)
        total = logsumexp(log_p, axis=0)
        now = weight @ total / weight.sum()
        if now - before < _TOL:
            break
        share, before = weight * np.exp(log_p - total), now
        scatter = np.zeros_like(components.covariance)
        for (index, missing), spread in zip(groups, spreads):
            each = share[:, index].sum(axis=1)[:, None, None]
            place = np.ix_(range(len(scatter)), missing, missing)
            scatter[place] += each * spread
        components = _maximised(rows, share, shrinkage, scatter)
    return components


def _expected(x, groups, components):
    """Log densities of the seen entries of rows by components, times their weights,
    (n_components, n_rows); expected rows, (n_components, n_rows, n_columns); and for
    each group of rows the covariances of missing entries."""
    n = len(components.weight)
    log_p, rows = np.empty((n, len(x))), np.repeat(x[None], n, axis=0)
    spreads = []
    for index, missing in groups:
        spreads.append(np.empty((n, missing.sum(), missing.sum())))
        for k, (weight, mean, covariance) in enumerate(zip(*components)):
            center, spread, seen = given_seen(mean, covariance, x[index], missing)
            rows[k][np.ix_(index, missing)], spreads[-1][k] = center, spread
            log_p[k, index] = np.log(weight) + seen.sum(axis=1)
    return log_p, rows, spreads


def _maximised(x, share, shrinkage, scatter_of_missing=None):
    """Components, given the weights of rows in each, (n_components, n_rows). Expected
    rows differ between components, and have a scatter of missing entries."""
    prior, amount, wide = shrinkage
    every = share.sum(axis=1) + 1
    share = share[:-1] if len(share) > 1 else share
    each = share.sum(axis=1) + 1e-9
    rows = np.broadcast_to(x, (len(every), *x.shape[-2:]))
    mean = np.stack([w @ part for w, part in zip(share, rows)]) / each[:, None]
    scatter = np.zeros((len(mean), *2 * x.shape[-1:]))
    scatter += 0 if scatter_of_missing is None else scatter_of_missing[: len(mean)]
    for k, (centre, w) in enumerate(zip(mean, share)):
        gap = rows[k] - centre
        scatter[k] += (gap * w[:, None]).T @ gap
    within = scatter.sum(axis=0) / each.sum()
    within += np.diag(np.maximum(_FLOOR - np.diag(within), 0))
    if len(mean) == 1 or np.isinf(prior):
        covariance = np.repeat(within[None], len(mean), axis=0)
    else:
        covariance = scatter + prior * within
        covariance /= (each + prior)[:, None, None]
    covariance *= 1 - amount * (1 - np.eye(x.shape[-1]))
    if len(every) > 1:
        mean = np.concatenate([mean, np.zeros((1, x.shape[-1]))])
        covariance = np.concatenate([covariance, wide[None]])
    return Components(every / every.sum(), mean, covariance)


def _log_p(x, components):
    """Log densities of components times their weights, (n_components, n_rows)."""
    log_p = np.empty((len(components.weight), len(x)))
    for k, (weight, mean, covariance) in enumerate(zip(*components)):
        root = cholesky(covariance, lower=True)
        u = solve_triangular(root, (x - mean).T, lower=True)
        constant = np.log(weight) - np.log(np.diag(root)).sum()
        log_p[k] = constant - 0.5 * (u * u).sum(axis=0) - 0.5 * LOG_2PI * x.shape[1]
    return log_p


def _clusters(x, weight, k):
    """Cluster of each row, by k-means from rows drawn far from each other."""
    rng, centres = stream(0, _START).generator(), []
    near = np.ones(len(x))
    for _ in range(k):
        upto = np.cumsum(weight * near)
        if not upto[-1]:
            break
        chosen = np.searchsorted(upto, rng.random() * upto[-1], side="right")
        centres.append(x[min(chosen, len(x) - 1)])
        gap = ((x - centres[-1]) ** 2).sum(axis=1)
        near = gap if len(centres) == 1 else np.minimum(near, gap)
    centres = np.array(centres)
    for _ in range(_CENTRE_STEPS):
        gaps = (centres**2).sum(axis=1) - 2 * x @ centres.T
        which = gaps.argmin(axis=1)
        share = np.eye(len(centres))[which].T * weight
        each = share.sum(axis=1, keepdims=True)
        centres = np.where(each > 0, share @ x / np.maximum(each, 1e-300), centres)
    return which
