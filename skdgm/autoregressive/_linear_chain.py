r"""Linear model of each column given those before it.

.. math:: z_t = b_t + \sum_{i < t} x_i U_{it}

For real columns only the means depend on other columns; their scales are constant. If
all columns are real, their joint distribution is normal,

.. math:: L x = b + \epsilon, \quad L = 1 - U^\top, \quad \epsilon_t \sim
   \mathcal{N}(0, \sigma_t^2) \quad \Rightarrow \quad x \sim
   \mathcal{N}(L^{-1} b, L^{-1} \operatorname{diag}(\sigma^2) L^{-\top})
"""

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from skdgm.autoregressive._net_chains import MaskedChain
from skdgm.autoregressive._particles import Particles
from skdgm.nets import Layer
from skdgm.utils.math import LOG_2PI, distinct

# Options of scipy: all numbers are finite, and a check takes as long as to solve small
# systems.
QUICK = {"lower": True, "check_finite": False}
# Share of variances that is added to keep covariances from being singular.
_JITTER = 1e-10


class LinearChain(MaskedChain):
    """Linear conditionals of columns of any kind."""

    def __init__(self, conditionals, start, order):
        super().__init__(conditionals, start, order, [], "identity", None, True)
        self.masks[-1] &= ~self.conditionals.scaling

    @staticmethod
    def n_weights(n_inputs, n_outputs):
        """Number of weights."""
        return n_inputs * n_outputs


class NormalChain(LinearChain):
    """Linear conditionals of real columns, whose joint distribution is normal."""

    normal = True

    def moments(self, params):
        r"""Mean and covariance, float64, of the joint distribution with parameters in
        the chain's order of columns.

        .. math:: \mu = L^{-1} b, \qquad
            \Sigma = L^{-1} \operatorname{diag}(\sigma^2) L^{-\top}
        """
        ((W, b),) = self.prepared(params)
        log_scale = self.conditionals.mixture.parts(b[None])[2].ravel()
        L = np.eye(self.n_columns) - W[:, 1::3].T.astype(np.float64)
        mean = solve_triangular(L, b[1::3], lower=True, unit_diagonal=True)
        deviations = np.diag(np.exp(log_scale.astype(np.float64)))
        root = solve_triangular(L, deviations, lower=True, unit_diagonal=True)
        return mean, root @ root.T

    def solved(self, mean, covariance, penalty, dtype):
        """Parameters, in the data's order of columns, that fit a mean and a covariance,
        in the chain's order, best, in closed form.

        Weights are those of ridge regression of each column on those before it: they
        minimise half of the mean squared residual plus half of ``penalty``, weight
        decay for each row, times the sum of squared weights. The variance is that of
        the residual. ValueError tells of a scale beyond the limit of the mixture: rows
        are too far from the first ones, by which columns were standardised.
        """
        n, mixture = self.n_columns, self.conditionals.mixture
        # Rows of the inverse factor are regressions on the columns before.
        root = cholesky(covariance + np.diag(penalty + jitter(covariance)), lower=True)
        inverse = solve_triangular(root, np.eye(n), lower=True)
        L = inverse / np.diag(inverse)[:, None]
        deviation = np.sqrt(np.maximum(((L @ covariance) * L).sum(axis=1), 0))
        W, b = np.zeros((n, 3 * n)), np.zeros(3 * n)
        W[:, 1::3], b[1::3] = np.triu(-L.T, 1), L @ mean
        b[2::3] = mixture.raw_scale(deviation)
        # A mixture limits scales.
        if (np.exp(mixture.parts(b[None])[2].ravel()) < 0.999 * deviation).any():
            raise ValueError(
                "Rows are too far from the first ones, by which columns were "
                "standardised: fit all of them together."
            )
        return self.natural((Layer(W.astype(dtype), b.astype(dtype)),))

    def filled(self, params, v, rng, n_each, listed=False):
        """Particles of each row: exact draws from the conditional normal distribution,
        in antithetic pairs, mirror images around its mean. All weights are equal."""
        mean, covariance = self.moments(params)
        found, means = np.repeat(v[:, None], n_each, axis=1), v.copy()
        log_p = np.zeros(v.shape)
        half = -(-n_each // 2)
        noise = rng.normal(half * self.n_columns).reshape(len(v), half, -1)
        noise = np.concatenate([noise, -noise], axis=1)[:, :n_each]
        for rows, missing in patterns(v):
            there = ~missing
            center, spread, white = given_seen(mean, covariance, v[rows], missing)
            log_p[np.ix_(rows, there)] = white
            means[np.ix_(rows, missing)] = center
            steady = spread + np.diag(jitter(covariance)[missing])
            root = np.linalg.cholesky(steady)
            drawn = center[:, None] + noise[rows][..., missing] @ root.T
            found[np.ix_(rows, range(n_each), missing)] = drawn
        flat = found.reshape(-1, self.n_columns)
        joint = self.log_p(params, flat).sum(axis=1).reshape(len(v), n_each)
        log_w = np.repeat(log_p.sum(axis=1)[:, None], n_each, axis=1)
        inputs = np.repeat(means[:, None], n_each, axis=1)
        n, ones = np.full(len(v), float(n_each)), np.ones(len(v))
        return Particles(found, log_w, joint, log_p, inputs, n, ones)


def jitter(covariance):
    """Amounts to add to variances, (n_columns,), to keep a covariance of constant
    columns regular."""
    return _JITTER * np.maximum(1, np.diag(covariance))


def regular_root(covariance):
    """Lower Cholesky factor; with jitter where columns are linearly dependent."""
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return np.linalg.cholesky(covariance + np.diag(jitter(covariance)))


def patterns(v):
    """Yield groups of rows of which the same entries are missing: numbers of rows, and
    a mask of columns."""
    missing, groups = distinct(np.isnan(v))
    for number, own in enumerate(missing):
        yield np.flatnonzero(groups == number), own


def given_seen(mean, covariance, v, missing):
    r"""Conditional distribution of the columns of a mask that are missing in all rows
    v: means, (n_rows, n_missing), and covariance; and log density of each seen entry
    given the seen ones before it, (n_rows, n_seen).

    .. math:: \mu_m + \Sigma_{mo} \Sigma_{oo}^{-1} (x_o - \mu_o), \qquad
        \Sigma_{mm} - \Sigma_{mo} \Sigma_{oo}^{-1} \Sigma_{om}
    """
    seen = ~missing
    root = regular_root(covariance[np.ix_(seen, seen)])
    white = solve_triangular(root, (v[:, seen] - mean[seen]).T, **QUICK)
    projected = solve_triangular(root, covariance[np.ix_(seen, missing)], **QUICK)
    log_p = -0.5 * (white.T**2 + LOG_2PI) - np.log(np.diag(root))
    spread = covariance[np.ix_(missing, missing)] - projected.T @ projected
    return mean[missing] + white.T @ projected, spread, log_p
