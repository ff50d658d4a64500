r"""Mixtures of normal distributions, and heavy tails, that a flow begins with.

.. math:: \hat\Sigma_k = (1 - \lambda) C_k + \lambda \operatorname{diag}(C_k), \qquad
   C_k = \frac{n_k S_k + \nu \bar S}{n_k + \nu}, \quad
   \bar S = \frac1n \sum_k n_k S_k

in each step of expectation maximisation: the covariance of a component is drawn to that
within all components [1]_, by as much, and with as many components, as serves rows that
were left out best. Few rows suffice for several components so.

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
# Parts of the rows that are left out by turns; steps of expectation maximisation, and
# of k-means; the improvement, in nats per row, below which the first end.
_FOLDS, _STEPS, _CENTRE_STEPS, _TOL = 5, 40, 10, 1e-3
# Least variance, as a share of the column's; rows for each component.
_FLOOR, _EACH = 1e-6, 10
# Rows of which is chosen, and numbers of these times columns squared; rows of the fit.
_MOST, _WORK, _MOST_OF_FIT = 2_000, 2**22, 10_000
# Complete rows that suffice to begin with; numbers of steps, components and patterns of
# missing entries together.
_ENOUGH, _WORK_OF_GAPS = 50, 20_000
# Degrees of freedom that heavy tails begin with, and the least scale: with one that is
# shorter than steps of training, these diverge.
_DEGREES, _NARROW = (1.5, 2.0, 3.0, 5.0, 8.0, 16.0, 50.0), 0.05
_START, _FILL = addresses.FLOW_MIXTURE


class Components(NamedTuple):
    """Weights, means and covariances of components."""

    weight: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray


def mixture_of(table, normal, n_given, certain=False):
    """Mixture of a table's rows, after the ``normal`` distribution that they begin with
    is whitened, given the first columns; None if rows are too few, or, unless it is
    ``certain``, if no mixture serves rows that are left out better, by a standard
    error, than the normal distribution alone."""
    n = table.rows.shape[1] - n_given
    white = normal.whitening(np.float64, n_given)
    own = white.W[n_given:, n_given:]
    back = solve_triangular(own, np.eye(n))
    how = normal.shrinkage, back.T @ back
    most = int(min(_MOST, max(4 * n, _WORK // n**2)))

    def residuals(most, fill):
        x, weight = _residuals(table, fill, white, n_given, most)
        return x @ back, weight

    whole = table.rows.complete
    first = normal if whole else _first(table, most, n, normal)
    chosen = _chosen(*residuals(most, first), *how, certain)
    if chosen is None:
        return None
    try:
        found = _fitted(*residuals(_MOST_OF_FIT, first), *chosen, *how)
        if not whole:
            rows = _with_gaps(table, residuals(_MOST_OF_FIT, normal), n_given)
            found = _refined(*rows, found, *chosen[1:], *how)
        return _based(found, back, own)
    except np.linalg.LinAlgError:
        return None


def _based(components, back, own):
    """Mixture at the base, of components before rows are whitened by a matrix."""
    n = len(own)
    roots = [cholesky(part, lower=True) for part in components.covariance]
    roots = [solve_triangular(root, np.eye(n), lower=True).T for root in roots]
    roots = np.array([np.triu(back @ root) for root in roots])
    return NormalMixture(np.log(components.weight), components.mean @ own, roots)


def _first(table, most, n, normal):
    """Distribution that fills the rows at which a mixture begins: None, where those
    without missing entries suffice; else the ``normal`` one."""
    holes = np.isnan(table.rows.take(table.index[:most])).any(axis=1)
    return None if (~holes).sum() >= max(_ENOUGH, _EACH * n) else normal


def _with_gaps(table, rows, n_given):
    """Residuals of rows with NaN again where entries are missing, and weights."""
    x, weight = rows
    v = table.rows.take(table.index[: len(x)])
    return np.where(np.isnan(v[:, n_given:]), np.nan, x), weight


def _residuals(table, fill, white, n_given, most):
    """Some rows, which are in random order, whitened given the first columns, and their
    weights: missing entries are drawn by a distribution, ``fill``; with None, only rows
    without such are taken."""
    index, weight = table.index[:most], table.weight[:most]
    x = table.rows.take(index).astype(np.float64)
    holes = np.isnan(x).any(axis=1)
    if fill is None:
        x, weight = x[~holes], weight[~holes]
    elif holes.any():
        x, _ = fill.given(x).completed(stream(0, _FILL).rows(len(x)))
    return (x @ white.W + white.b)[:, n_given:], weight


def tails_of(table, normal, n_given):
    """Student's t distributions, of columns alone, of a table's rows, after a
    ``normal`` distribution, or None, is whitened."""
    if normal is None:
        x, weight = table.rows.take(table.index[:_MOST_OF_FIT]), table.weight
        x, weight = x[:, n_given:].astype(np.float64), weight[: len(x)]
        x = np.nan_to_num(x)
    else:
        white = normal.whitening(np.float64, n_given)
        x, weight = _residuals(table, normal, white, n_given, _MOST_OF_FIT)
    best = np.full(x.shape[1], -np.inf)
    found = np.zeros((2, x.shape[1]))
    for df in _DEGREES:
        log_scale = _scale_of_tails(x, weight, df)
        each = gammaln(0.5 * (df + 1)) - gammaln(0.5 * df) - 0.5 * np.log(df)
        spread = np.log1p((x * np.exp(-log_scale)) ** 2 / df)
        each = each - log_scale - 0.5 * (df + 1) * (weight @ spread) / weight.sum()
        better = each > best
        best = np.where(better, each, best)
        found[0, better], found[1, better] = np.log(df), log_scale[better]
    return Tails(*found)


def _scale_of_tails(x, weight, df):
    """Logs of the most probable scales of columns, by expectation maximisation."""
    variance = weight @ x**2 / weight.sum()
    for _ in range(_STEPS):
        pull = (df + 1) / (df + x**2 / variance)
        variance = np.maximum(weight @ (pull * x**2) / weight.sum(), _NARROW**2)
    return 0.5 * np.log(variance)


def _chosen(x, weight, shrinkage, wide, certain):
    """Number of components, and of prior rows, that serve rows left out best; None for
    a single component."""
    n_rows, n = x.shape
    numbers = [k for k in _COMPONENTS if k * _EACH <= n_rows]
    single = _left_out(x, weight, 1, 0.0, shrinkage, None) if numbers else None
    if single is None:
        return None
    best = None

    def better(k, prior):
        nonlocal best
        found = _left_out(x, weight, k, prior * n, shrinkage, wide)
        if found is None or (best and weight @ (found - best[0]) <= 0):
            return False
        best = found, k, prior * n
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


def _left_out(x, weight, k, prior, shrinkage, wide):
    """Log densities of rows by components of the others; None where a covariance is
    singular."""
    found = np.empty(len(x))
    for fold in range(_FOLDS):
        out = np.arange(len(x)) % _FOLDS == fold
        try:
            own = _fitted(x[~out], weight[~out], k, prior, shrinkage, wide)
            found[out] = logsumexp(_log_p(x[out], own), axis=0)
        except np.linalg.LinAlgError:
            return None
    return found


def _fitted(x, weight, k, prior, shrinkage, wide):
    """Components of rows by expectation maximisation; of several, a further one has the
    covariance ``wide``."""
    several = k + 1 if k > 1 else 1
    share, before = np.eye(several)[_clusters(x, weight, k)].T, -np.inf
    for _ in range(_STEPS if k > 1 else 1):
        found = _maximised(x, weight * share, prior, shrinkage, wide)
        if k == 1:
            break
        log_p = _log_p(x, found)
        total = logsumexp(log_p, axis=0)
        share, now = np.exp(log_p - total), weight @ total / weight.sum()
        if now - before < _TOL:
            break
        before = now
    return found


def _refined(x, weight, found, prior, shrinkage, wide, n_steps=_STEPS):
    """Components of rows with missing entries, by steps of expectation maximisation
    from earlier ones, at most."""
    groups, before = list(patterns(x)), -np.inf
    most = max(1, _WORK_OF_GAPS // (len(groups) * len(found.weight)))
    for _ in range(min(most, n_steps)):
        log_p, rows, spreads = _expected(x, groups, found)
        total = logsumexp(log_p, axis=0)
        now = weight @ total / weight.sum()
        if now - before < _TOL:
            break
        share, before = weight * np.exp(log_p - total), now
        more = np.zeros_like(found.covariance)
        for (index, missing), own in zip(groups, spreads):
            each = share[:, index].sum(axis=1)
            more[np.ix_(range(len(more)), missing, missing)] += (
                each[:, None, None] * own
            )
        found = _maximised(rows, share, prior, shrinkage, wide, more)
    return found


def _expected(x, groups, components):
    """Log densities of the seen entries of rows by components, by the weights of these,
    (n_components, n_rows); expected rows, (n_components, n_rows, n_columns); and for
    each group of rows the covariances of missing entries."""
    n = len(components.weight)
    log_p, rows = np.empty((n, len(x))), np.repeat(x[None], n, axis=0)
    spreads = []
    for index, missing in groups:
        spreads.append(np.empty((n, missing.sum(), missing.sum())))
        for k, (weight, mean, covariance) in enumerate(zip(*components)):
            seen = given_seen(mean, covariance, x[index], missing)
            rows[k][np.ix_(index, missing)], spreads[-1][k], own = seen
            log_p[k, index] = np.log(weight) + own.sum(axis=1)
    return log_p, rows, spreads


def _maximised(x, share, prior, shrinkage, wide, more=None):
    """Components, given the weights of rows in each, (n_components, n_rows). Rows may
    be others for each, where entries are missing, whose covariances add ``more``."""
    every = share.sum(axis=1) + 1
    share = share[:-1] if len(share) > 1 else share
    each = share.sum(axis=1) + 1e-9
    rows = np.broadcast_to(x, (len(every), *x.shape[-2:]))
    mean = np.stack([own @ part for own, part in zip(share, rows)]) / each[:, None]
    scatter = np.zeros((len(mean), *2 * x.shape[-1:]))
    scatter += 0 if more is None else more[: len(mean)]
    for k, (centre, own) in enumerate(zip(mean, share)):
        gap = rows[k] - centre
        scatter[k] += (gap * own[:, None]).T @ gap
    within = scatter.sum(axis=0) / each.sum()
    within += np.diag(np.maximum(_FLOOR - np.diag(within), 0))
    if len(mean) == 1 or np.isinf(prior):
        covariance = np.repeat(within[None], len(mean), axis=0)
    else:
        covariance = scatter + prior * within
        covariance /= (each + prior)[:, None, None]
    covariance *= 1 - shrinkage * (1 - np.eye(x.shape[-1]))
    if len(every) > 1:
        mean = np.concatenate([mean, np.zeros((1, x.shape[-1]))])
        covariance = np.concatenate([covariance, wide[None]])
    return Components(every / every.sum(), mean, covariance)


def _log_p(x, components):
    """Log densities of components by their weights, (n_components, n_rows)."""
    found = np.empty((len(components.weight), len(x)))
    for k, (weight, mean, covariance) in enumerate(zip(*components)):
        root = cholesky(covariance, lower=True)
        u = solve_triangular(root, (x - mean).T, lower=True)
        constant = np.log(weight) - np.log(np.diag(root)).sum()
        found[k] = constant - 0.5 * (u * u).sum(axis=0) - 0.5 * LOG_2PI * x.shape[1]
    return found


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
