r"""Linear model of each column given the previous columns.

.. math:: z_t = b_t + \sum_{i < t} x_i U_{it}

For real columns, only the means depend on other columns; scales are constant. If all
columns are real, their joint distribution is normal,

.. math:: L x = b + \epsilon, \quad L = 1 - U^\top, \quad \epsilon_t \sim
   \mathcal{N}(0, \sigma_t^2) \quad \Rightarrow \quad x \sim
   \mathcal{N}(L^{-1} b, L^{-1} \operatorname{diag}(\sigma^2) L^{-\top})
"""

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from skdgm.autoregressive.net_chains import MaskedChain
from skdgm.autoregressive.normal_moments import given_seen, jitter
from skdgm.autoregressive.particles import CompletedRows
from skdgm.nets import Layer
from skdgm.utils.math import rows_by_gaps


class LinearChain(MaskedChain):
    """Linear conditionals of columns of any type."""

    def __init__(self, conditionals, start, order, layers):
        super().__init__(conditionals, start, order, layers)
        self.masks[-1] &= ~self.conditionals.scaling


class NormalChain(LinearChain):
    """Linear conditionals of real columns, whose joint distribution is normal."""

    normal = True

    def moments(self, params):
        r"""Mean and covariance of the joint distribution, float64, given parameters in
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
        """Maximum likelihood parameters, in the data's order of columns, for a mean and
        a covariance in the chain's order, in closed form.

        Weights are ridge regressions of each column on the previous columns. They
        minimize half of the mean squared residual plus half of ``penalty``, the weight
        decay per row, times the sum of squared weights. Variances are those of the
        residuals. Raises ValueError if a variance exceeds the limit of the mixture.
        """
        n, mixture = self.n_columns, self.conditionals.mixture
        # Rows of the inverse factor are regressions on the previous columns.
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
                "standardized: fit all of them together."
            )
        return self.natural((Layer(W.astype(dtype), b.astype(dtype)),))

    def filled(self, params, v, rng, n_each, listed=False):
        """Particles of each row: exact draws from the conditional normal distribution
        with equal weights, in antithetic pairs mirrored at its mean."""
        mean, covariance = self.moments(params)
        draws, means = np.repeat(v[:, None], n_each, axis=1), v.copy()
        log_p = np.zeros(v.shape)
        half = -(-n_each // 2)
        noise = rng.normal(half * self.n_columns).reshape(len(v), half, -1)
        noise = np.concatenate([noise, -noise], axis=1)[:, :n_each]
        for rows, missing in rows_by_gaps(v):
            center, spread, seen = given_seen(mean, covariance, v[rows], missing)
            log_p[np.ix_(rows, ~missing)] = seen
            means[np.ix_(rows, missing)] = center
            steady = spread + np.diag(jitter(covariance)[missing])
            root = np.linalg.cholesky(steady)
            drawn = center[:, None] + noise[rows][..., missing] @ root.T
            draws[np.ix_(rows, np.arange(n_each), missing)] = drawn
        flat = draws.reshape(-1, self.n_columns)
        return CompletedRows(
            draws,
            log_w=np.repeat(log_p.sum(axis=1)[:, None], n_each, axis=1),
            log_joint=self.log_p(params, flat).sum(axis=1).reshape(len(v), n_each),
            log_p=log_p,
            inputs=np.repeat(means[:, None], n_each, axis=1),
            effective=np.full(len(v), float(n_each)),
            near_share=np.ones(len(v)),
        )
