r"""Initial distributions of flows: mixtures of normal distributions, and heavy tails.

The M-step of expectation maximization shrinks the covariance of each component, first
to the pooled covariance and then to its diagonal [1]_:

.. math:: \hat\Sigma_k = (1 - \lambda) C_k + \lambda \operatorname{diag}(C_k), \qquad
   C_k = \frac{n_k S_k + \nu \bar S}{n_k + \nu}, \quad
   \bar S = \frac1n \sum_k n_k S_k

The prior weight :math:`\nu` and the number of components are cross-validated.

References
----------
.. [1] Fraley and Raftery (2007). Bayesian regularization for normal mixture estimation
   and model-based clustering. Journal of Classification.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.special import gammaln

from skdgm.autoregressive.normal_moments import given_seen, lacking
from skdgm.nets.bases import NormalMixture, Tails
from skdgm.utils import addresses
from skdgm.utils.clusters import clusters
from skdgm.utils.math import LOG_2PI, log_sum_exp, rows_by_gaps
from skdgm.utils.random import stream

# Largest number of columns with mixtures under base="auto".
MAX_MIXTURE_COLUMNS = 64
# Candidate numbers of components, and prior weights per column.
_COMPONENTS, _PRIOR = (2, 3, 4, 6, 8), (4.0, 1.0, np.inf)
# Number of folds; steps of EM, and their tolerance, in nats per row.
_FOLDS, _STEPS, _TOL = 5, 40, 1e-3
# Smallest variance of a component, of standardized columns; minimum rows per component.
_FLOOR, _MIN_ROWS_PER_COMPONENT = 1e-6, 10
# Limits on rows, and on rows times squared columns, of cross-validation; most rows of
# the fit.
_MAX_CV_ROWS, _MAX_CV_WORK, _MAX_FIT_ROWS = 2_000, 2**22, 10_000
# Number of complete rows that suffice for a first fit; limit on the product of EM
# steps, components and missingness patterns.
_SUFFICIENT_ROWS, _MAX_EM_WORK = 50, 20_000
# Candidate degrees of freedom of heavy tails, and their smallest scale; training can
# diverge below it.
_DEGREES, _NARROW = (1.5, 2.0, 3.0, 5.0, 8.0, 16.0, 50.0), 0.05
_START, _FILL = addresses.FLOW_MIXTURE


class Components(NamedTuple):
    """Weights, (n_components,), means and covariances of a mixture of normals."""

    weight: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray


class Shrinkage(NamedTuple):
    """Shrinkage of covariances: ``prior`` is the weight, in rows, of the pooled
    covariance, ``amount`` the shrinkage to the diagonal, and ``wide`` the covariance of
    an additional broad component."""

    prior: float
    amount: float
    wide: np.ndarray | None


def mixture_of(table, normal, n_given, certain=False):
    """Mixture for the rows of a table, whitened by their ``normal`` distribution, given
    the first ``n_given`` columns. Returns None if rows are too few. Unless ``certain``,
    also returns None if no mixture has a cross-validated log-likelihood above that of
    the normal distribution by one standard error."""
    n = table.rows.shape[1] - n_given
    layer = normal.whitening(np.float64, n_given)
    whitening_matrix = layer.W[n_given:, n_given:]
    unwhitening = solve_triangular(whitening_matrix, np.eye(n))
    max_rows = int(min(_MAX_CV_ROWS, max(4 * n, _MAX_CV_WORK // n**2)))

    def residuals(max_rows, fill):
        x, weight = _residuals(table, fill, layer, n_given, max_rows)
        return x @ unwhitening, weight

    complete = table.rows.complete
    filler = normal if complete else _first(table, max_rows, n, normal)
    x, weight = residuals(max_rows, filler)
    shrinkage = Shrinkage(0.0, normal.shrinkage, unwhitening.T @ unwhitening)
    chosen: Any = _chosen(x, weight, shrinkage, certain)
    if chosen is None:
        return None
    try:
        x, weight = residuals(_MAX_FIT_ROWS, filler)
        k, shrinkage = chosen
        components = _fitted(x, weight, k, shrinkage)
        if not complete:
            x, weight = residuals(_MAX_FIT_ROWS, normal)
            v = table.rows.take(table.index[: len(x)])
            x = np.where(np.isnan(v[:, n_given:]), np.nan, x)
            components = _refined(x, weight, components, shrinkage)
        return _based(components, unwhitening, whitening_matrix)
    except np.linalg.LinAlgError:
        return None


def fit_mixture(x, k, prior):
    """:class:`NormalMixture` of standardized rows x, with k components and a broad one
    (k > 1), for a ``prior`` weight in rows. LinAlgError if the rows are in a
    subspace."""
    shrinkage, eye = Shrinkage(prior, 0.0, x.T @ x / len(x)), np.eye(x.shape[1])
    return _based(_fitted(x, np.ones(len(x)), k, shrinkage), eye, eye)


def _based(components, back, white):
    """Mixture of codes, from components of rows before whitening."""
    n = len(white)
    roots = [cholesky(covariance, lower=True) for covariance in components.covariance]
    roots = [solve_triangular(root, np.eye(n), lower=True).T for root in roots]
    roots = np.array([np.triu(back @ root) for root in roots])
    return NormalMixture(np.log(components.weight), components.mean @ white, roots)


def _first(table, max_rows, n, normal):
    """Normal distribution that imputes rows for the first fit, or None if there are
    enough complete rows."""
    incomplete = np.isnan(table.rows.take(table.index[:max_rows])).any(axis=1)
    return (
        None
        if (~incomplete).sum() >= max(_SUFFICIENT_ROWS, _MIN_ROWS_PER_COMPONENT * n)
        else normal
    )


def _residuals(table, fill, layer, n_given, max_rows):
    """Whitened rows, given the first ``n_given`` columns, and their weights. ``fill``
    imputes missing entries; None drops incomplete rows."""
    index, weight = table.index[:max_rows], table.weight[:max_rows]
    x = table.rows.take(index).astype(np.float64)
    incomplete = np.isnan(x).any(axis=1)
    if fill is None:
        x, weight = x[~incomplete], weight[~incomplete]
    elif incomplete.any():
        x, _ = fill.given(x).completed(stream(0, _FILL).rows(len(x)))
    return (x @ layer.W + layer.b)[:, n_given:], weight


def tails_of(table, normal, n_given):
    """Student t distributions of the columns, after whitening by ``normal`` unless it
    is None."""
    if normal is None:
        x, weight = table.rows.take(table.index[:_MAX_FIT_ROWS]), table.weight
        x, weight = x[:, n_given:].astype(np.float64), weight[: len(x)]
        x = np.nan_to_num(x)
    else:
        layer = normal.whitening(np.float64, n_given)
        x, weight = _residuals(table, normal, layer, n_given, _MAX_FIT_ROWS)
    best = np.full(x.shape[1], -np.inf)
    log_df, log_scales = np.zeros((2, x.shape[1]))
    for df in _DEGREES:
        log_scale = _scale_of_tails(x, weight, df)
        log_p = gammaln(0.5 * (df + 1)) - gammaln(0.5 * df) - 0.5 * np.log(df)
        log_tail = np.log1p((x * np.exp(-log_scale)) ** 2 / df)
        log_p = log_p - log_scale - 0.5 * (df + 1) * (weight @ log_tail) / weight.sum()
        better = log_p > best
        best = np.where(better, log_p, best)
        log_df[better], log_scales[better] = np.log(df), log_scale[better]
    return Tails(log_df, log_scales)


def _scale_of_tails(x, weight, df):
    """Logs of the maximum-likelihood scales of columns, by expectation maximization."""
    pull = np.ones_like(x)
    for _ in range(1 + _STEPS):
        variance = np.maximum(weight @ (pull * x**2) / weight.sum(), _NARROW**2)
        pull = (df + 1) / (df + x**2 / variance)
    return 0.5 * np.log(variance)


def _chosen(x, weight, shrinkage, certain):
    """Cross-validated number of components and shrinkage; None for a single
    component."""
    n_rows, n = x.shape
    candidates = [k for k in _COMPONENTS if k * _MIN_ROWS_PER_COMPONENT <= n_rows]
    single_log_p = _held_out(x, weight, 1, shrinkage) if candidates else None
    if single_log_p is None:
        return None
    best_fit = None

    def better(k, prior):
        nonlocal best_fit
        candidate = shrinkage._replace(prior=prior * n)
        log_p = _held_out(x, weight, k, candidate)
        if log_p is None or (best_fit and weight @ (log_p - best_fit[0]) <= 0):
            return False
        best_fit = log_p, k, candidate
        return True

    worse = 0
    for k in candidates:
        worse = 0 if better(k, _PRIOR[0]) else worse + 1
        if worse == 2:
            break
    if best_fit is None:
        return None
    k = best_fit[1]
    for prior in _PRIOR[1:]:
        better(k, prior)
    gain, total_weight = best_fit[0] - single_log_p, weight.sum()
    mean = weight @ gain / total_weight
    error = np.sqrt(weight**2 @ (gain - mean) ** 2) / total_weight
    return best_fit[1:] if certain or mean > error else None


def _held_out(x, weight, k, shrinkage):
    """Held-out log-densities of rows; None if a covariance is singular."""
    log_p = np.empty(len(x))
    for fold in range(_FOLDS):
        held_out = np.arange(len(x)) % _FOLDS == fold
        try:
            components = _fitted(x[~held_out], weight[~held_out], k, shrinkage)
            log_p[held_out] = log_sum_exp(_log_p(x[held_out], components), axis=0)
        except np.linalg.LinAlgError:
            return None
    return log_p


def _fitted(x, weight, k, shrinkage):
    """Components fitted to rows by expectation maximization; k > 1 components are
    complemented by a broad one."""
    n_components = k + 1 if k > 1 else 1
    uniforms = stream(0, _START).generator().random(k)
    responsibility = np.zeros((n_components, len(x)))
    responsibility[:k] = clusters(x, weight, uniforms).T
    last_log_p = -np.inf
    for _ in range(_STEPS if k > 1 else 1):
        components = _maximized(x, weight * responsibility, shrinkage)
        if k == 1:
            break
        log_p = _log_p(x, components)
        log_p_total = log_sum_exp(log_p, axis=0)
        responsibility = np.exp(log_p - log_p_total)
        mean_log_p = weight @ log_p_total / weight.sum()
        if mean_log_p - last_log_p < _TOL:
            break
        last_log_p = mean_log_p
    return components


def _refined(x, weight, components, shrinkage, n_steps=_STEPS):
    """Components after at most ``n_steps`` of expectation maximization on incomplete
    rows."""
    groups, last_log_p = list(rows_by_gaps(x)), -np.inf
    max_steps = max(1, _MAX_EM_WORK // (len(groups) * len(components.weight)))
    for _ in range(min(max_steps, n_steps)):
        log_p, rows, spreads = _expected(x, groups, components)
        log_p_total = log_sum_exp(log_p, axis=0)
        mean_log_p = weight @ log_p_total / weight.sum()
        if mean_log_p - last_log_p < _TOL:
            break
        responsibility, last_log_p = weight * np.exp(log_p - log_p_total), mean_log_p
        scatter = np.zeros_like(components.covariance)
        for (index, missing), spread in zip(groups, spreads):
            n_in_group = responsibility[:, index].sum(axis=1)[:, None, None]
            block = np.ix_(range(len(scatter)), missing, missing)
            scatter[block] += n_in_group * spread
        components = _maximized(rows, responsibility, shrinkage, scatter)
    return components


def _expected(x, groups, components):
    """E-step: joint log-densities of components and observed entries, (n_components,
    n_rows); completed rows, (n_components, n_rows, n_columns); and covariances of
    missing entries, (n_components, n_missing, n_missing), for each group of rows."""
    n = len(components.weight)
    log_p, rows = np.empty((n, len(x))), np.repeat(x[None], n, axis=0)
    covariances = []
    for index, missing in groups:
        covariances.append(np.empty((n, missing.sum(), missing.sum())))
        for k, (weight, mean, covariance) in enumerate(zip(*components)):
            center, covariance_k, seen = given_seen(mean, covariance, x[index], missing)
            rows[k][np.ix_(index, missing)], covariances[-1][k] = center, covariance_k
            log_p[k, index] = np.log(weight) + seen.sum(axis=1)
    return log_p, rows, covariances


def _maximized(x, share, shrinkage, scatter_of_missing=None):
    """M-step: components, given weighted responsibilities, (n_components, n_rows).
    ``scatter_of_missing`` adds the uncertainty of missing entries."""
    prior, amount, wide = shrinkage
    counts = share.sum(axis=1) + 1
    share = share[:-1] if len(share) > 1 else share
    sizes = share.sum(axis=1) + 1e-9
    rows = np.broadcast_to(x, (len(counts), *x.shape[-2:]))
    mean = np.stack([w @ x_k for w, x_k in zip(share, rows)]) / sizes[:, None]
    scatter = np.zeros((len(mean), *2 * x.shape[-1:]))
    scatter += 0 if scatter_of_missing is None else scatter_of_missing[: len(mean)]
    for k, (center, w) in enumerate(zip(mean, share)):
        gap = rows[k] - center
        scatter[k] += (gap * w[:, None]).T @ gap
    pooled = scatter.sum(axis=0) / sizes.sum()
    pooled += lacking(pooled, _FLOOR)
    if len(mean) == 1 or np.isinf(prior):
        covariance = np.repeat(pooled[None], len(mean), axis=0)
    else:
        covariance = scatter + prior * pooled
        covariance /= (sizes + prior)[:, None, None]
    covariance *= 1 - amount * (1 - np.eye(x.shape[-1]))
    if len(counts) > 1:
        mean = np.concatenate([mean, np.zeros((1, x.shape[-1]))])
        covariance = np.concatenate([covariance, wide[None]])
    return Components(counts / counts.sum(), mean, covariance)


def _log_p(x, components):
    """Joint log-densities of components and rows, (n_components, n_rows)."""
    log_p = np.empty((len(components.weight), len(x)))
    for k, (weight, mean, covariance) in enumerate(zip(*components)):
        root = cholesky(covariance, lower=True)
        # One inverse and a product take half the time of a solution for each row.
        inverse = solve_triangular(root, np.eye(len(root)), lower=True)
        u = (x - mean) @ inverse.T
        constant = np.log(weight) - np.log(np.diag(root)).sum()
        distance = np.einsum("ij,ij->i", u, u)
        log_p[k] = constant - 0.5 * distance - 0.5 * LOG_2PI * x.shape[1]
    return log_p
