r"""Spike-and-slab sparse coding: posterior, variational bound, and M-step.

.. math:: h_i \sim \mathrm{Bernoulli}(\sigma(b_i)), \quad s_i \mid h_i \sim
   \mathcal{N}(h_i \mu_i, \alpha_i^{-1}), \quad v \mid s, h \sim
   \mathcal{N}\bigl(W (h \odot s) + c, \mathrm{diag}(\beta)^{-1}\bigr)

The posterior is approximated by independent pairs, :math:`q(h, s) = \prod_i q(h_i,
s_i)` [1]_. Given the other pairs, the optimal pair is on with probability :math:`g_i`,
and its slab is then normal with precision :math:`a_i` and mean :math:`m_i`:

.. math:: a_i = \alpha_i + W_i^\top \mathrm{diag}(\beta) W_i, \qquad
   m_i = \frac{1}{a_i} \Bigl(\alpha_i \mu_i + W_i^\top \mathrm{diag}(\beta)
   \bigl(v - c - \sum_{k \ne i} W_k g_k m_k\bigr)\Bigr), \qquad
   g_i = \sigma\Bigl(b_i + \tfrac12 a_i m_i^2 - \tfrac12 \alpha_i \mu_i^2
   + \tfrac12 \log \frac{\alpha_i}{a_i}\Bigr)

Pairs are updated one after another by coordinate ascent, so the bound never decreases.
If the columns of W are orthogonal, one sweep gives the exact posterior. Sums over
columns omit missing entries.

References
----------
.. [1] Goodfellow, Courville and Bengio (2012). Large-scale feature learning with
   spike-and-slab sparse coding. ICML.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import entr

from skdgm._kernels.machines.spike_slab import CodedRows, SparseCoding, mean_field_pairs
from skdgm.utils.math import LOG_2PI, logit, softplus
from skdgm.utils.threading.parallel import run
from skdgm.utils.tree import astype

# Pull of weights towards previous values, which preserves weights of unused units.
_PULL = 1e-9
# Tolerance of products in coordinate ascent.
_TOLERANCE = 1e-9
# Minimum share of the rows in which a unit is on, or off; minimum of other quantities.
_MIN_SHARE, _FLOOR = 1e-9, 1e-12


class CodingParams(NamedTuple):
    """Weights W, (n_columns, n_components), and means c of the columns; biases b of the
    spikes; means and precisions of the slabs; and precisions of the columns."""

    W: np.ndarray
    c: np.ndarray
    b: np.ndarray
    mu: np.ndarray
    alpha: np.ndarray
    beta: np.ndarray

    @property
    def exact(self):
        """Parameters in float64, the type of all computations."""
        return astype(self, np.float64)


class Pairs(NamedTuple):
    """Posterior of pairs, arrays of shape (n_components, n_rows): probability g of the
    spike, mean m and precision a of the slab given the spike, and mean u of their
    product. Complete rows share precisions, (n_components, 1)."""

    g: np.ndarray
    m: np.ndarray
    a: np.ndarray
    u: np.ndarray

    @property
    def variance(self):
        """Variances of the products."""
        return self.g * (self.m**2 + 1 / self.a) - self.u**2


class Sums(NamedTuple):
    """Expected sufficient statistics, averaged over rows, of products u, columns v, and
    spikes."""

    uu: np.ndarray
    u: np.ndarray
    vu: np.ndarray
    vv: np.ndarray
    v: np.ndarray
    spike: np.ndarray


def pairs(params, v, n_sweeps):
    """Posterior of rows v, NaN where missing, after at most ``n_sweeps`` sweeps over
    all components, alternately forwards and backwards."""
    W, c, b, mu, alpha, beta = params
    seen, weighted = ~np.isnan(v), W * beta[:, None]
    x = np.where(seen, v - c, 0.0)
    field = x @ weighted + alpha * mu
    if seen.all():
        gram, seen = W.T @ weighted, np.empty((0, 0))
        scale = np.diag(gram)[None].copy()
    else:
        gram, scale = np.empty((0, 0)), seen @ (W * weighted)
    odds, (g, m, u) = b - 0.5 * alpha * mu**2, np.zeros((3, *field.shape))
    run(
        mean_field_pairs,
        CodedRows(field, scale, seen + 0.0),
        SparseCoding(
            alpha,
            odds,
            gram,
            W=np.ascontiguousarray(W.T),
            weighted=np.ascontiguousarray(weighted.T),
        ),
        (g, m, u),
        n_sweeps,
        _TOLERANCE,
        n=len(v),
        work=n_sweeps * field.size * len(b),
    )
    return Pairs(g.T, m.T, (alpha + scale).T, u.T)


def bound(params, v, posterior):
    """Variational bound on the log-likelihood of the observed entries of rows,
    (n_rows,), for their posterior."""
    W, c, b, mu, alpha, beta = params
    g, m, a, u = posterior
    seen = ~np.isnan(v).T
    residual = np.where(seen, v.T - c[:, None] - W @ u, 0.0)
    spread = (W**2) @ posterior.variance
    fit = seen.T @ (np.log(beta) - LOG_2PI) - beta @ (residual**2 + seen * spread)
    ratio = alpha[:, None] / a
    slabs = ratio - np.log(ratio) - 1 + alpha[:, None] * (m - mu[:, None]) ** 2
    spikes = entr(g) + entr(1 - g) + g * b[:, None] - softplus(b)[:, None]
    return 0.5 * fit + (spikes - 0.5 * g * slabs).sum(axis=0)


def sums(params, v, posterior):
    """Expected statistics of rows for their posterior. Missing entries have their mean
    and variance given the products."""
    u, n, variance, missing = posterior.u, len(v), posterior.variance, np.isnan(v)
    x = np.where(missing, u.T @ params.W.T + params.c, v)
    spread = missing.T @ variance.T / n
    noise = missing.mean(axis=0) / params.beta
    return Sums(
        u @ u.T / n + np.diag(variance.mean(axis=1)),
        u.mean(axis=1),
        x.T @ u.T / n + params.W * spread,
        (x**2).mean(axis=0) + (params.W**2 * spread).sum(axis=1) + noise,
        x.mean(axis=0),
        posterior.g.mean(axis=1),
    )


def maximized(params, means, min_variance, pseudo):
    r"""Parameters that maximize the expected complete log-likelihood of a row, given
    :class:`Sums`, plus the log prior

    .. math:: \log p = \kappa \sum_i \Bigl(\log \sigma(b_i) \sigma(-b_i) + \tfrac12 \log
       \alpha_i - \tfrac12 \alpha_i (1 + \mu_i^2) - \tfrac12 \sum_j \beta_j
       W_{ji}^2\Bigr)

    ``pseudo`` is the number :math:`\kappa` of prior rows, relative to the number of
    rows. Variances of columns are at least ``min_variance``.
    """
    k, (uu, u, vu, vv, v, spike) = len(params.b), means
    A = np.ones((k + 1, k + 1))
    A[:k, :k], A[k, :k], A[:k, k] = uu, u, u
    ridge = _PULL * np.diag(A) + _FLOOR
    B = np.column_stack([vu, v])
    target = B + ridge * np.column_stack([params.W, params.c])
    A[np.arange(k), np.arange(k)] += pseudo
    system = A + np.diag(ridge)
    # Scales of products may differ by many orders of magnitude.
    size = np.sqrt(np.diag(system))
    system /= np.multiply.outer(size, size)
    coefs = np.linalg.solve(system, (target / size).T).T / size
    residual = vv + ((coefs @ A - 2 * B) * coefs).sum(axis=1)
    mu = u / (np.maximum(spike, _MIN_SHARE) + pseudo)
    square = np.diag(uu) - 2 * mu * u + mu**2 * spike
    variance = (square + pseudo * (1 + mu**2)) / (
        np.maximum(spike, _MIN_SHARE) + pseudo
    )
    share = (spike + pseudo) / (1 + 2 * pseudo)
    return CodingParams(
        np.ascontiguousarray(coefs[:, :k]),
        coefs[:, k].copy(),
        logit(share.clip(_MIN_SHARE, 1 - _MIN_SHARE)),
        mu,
        1 / np.maximum(variance, _FLOOR),
        1 / np.maximum(residual, min_variance),
    )


def given_spikes(params, v, h):
    """Log-likelihoods of rows v with the same missing entries given spikes h,
    (n_states, n_components), and the posterior of the products.

    Returns log p(v | h) and log p(v, h), both (n_states, n_rows); posterior means,
    (n_states, n_components, n_rows); and covariances of the slabs, (n_states,
    n_components, n_components).
    """
    W, c, b, mu, alpha, beta = params
    seen = ~np.isnan(v[0])
    x, W, beta = v[:, seen] - c[seen], W[seen], beta[seen]
    weighted = W * beta[:, None]
    both = h[:, :, None] * h[:, None, :]
    precision = both * (W.T @ weighted) + np.diag(alpha)
    covariance = np.linalg.inv(precision)
    field = h[:, :, None] * ((x @ weighted) + alpha * mu).T
    mean = covariance @ field
    log_p = 0.5 * (field * mean).sum(axis=1) - 0.5 * (x**2 @ beta)
    log_scale = (
        np.log(alpha).sum() - np.linalg.slogdet(precision)[1] - h @ (alpha * mu**2)
    )
    log_p += 0.5 * (log_scale[:, None] + (np.log(beta) - LOG_2PI).sum())
    log_h = h @ b - softplus(b).sum()
    return log_p, log_p + log_h[:, None], mean, covariance
