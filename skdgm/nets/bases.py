r"""Base distributions of flows: mixtures of normal distributions, and heavy tails.

.. math:: \log p(z) = \log \sum_k \pi_k \lvert \det R_k \rvert \,
   \mathcal{N}\big((z - \mu_k) R_k; 0, I\big), \qquad
   \log p(z) = \sum_j \log t_{\nu_j}(z_j / s_j) - \log s_j

A triangular matrix R whitens each component of a mixture. Columns with heavy tails have
Student's t distributions [1]_.

References
----------
.. [1] Jaini, Kobyzev, Yu and Brubaker (2020). Tails of Lipschitz triangular flows.
   ICML.
"""

from typing import NamedTuple

import numpy as np
from autograd.extend import defvjp, defvjp_argnums
from scipy.special import digamma, gammaln, stdtrit

from skdgm.nets.tape import primitive
from skdgm.utils import addresses
from skdgm.utils.math import LOG_2PI, log_sum_exp

_CHOICE, _HALF = addresses.BASE_COMPONENT, 2.0**-33


class NormalMixture(NamedTuple):
    """Mixture of normal distributions: log weights, (n_components,), means,
    (n_components, n_columns), and upper triangular matrices that whiten the components,
    (n_components, n_columns, n_columns)."""

    log_weight: np.ndarray
    mean: np.ndarray
    root: np.ndarray

    def log_p(self, z):
        """Log density of each row, (n_rows,), differentiable by z."""
        return _log_mixture(z, self.log_weight, self.mean, self.root)

    def draw(self, rng, n_columns, dtype):
        """Draw one row for each stream, (n_rows, n_columns)."""
        u = rng.fold(_CHOICE).uniform(1)
        component = (u > np.cumsum(np.exp(self.log_weight))[:-1]).sum(axis=1)
        noise, rows = rng.normal(n_columns), np.empty((len(u), n_columns), dtype)
        for k in np.unique(component):
            of_component = component == k
            inverse = np.linalg.inv(self.root[k].astype(np.float64))
            rows[of_component] = self.mean[k] + noise[of_component] @ inverse
        return rows


class Tails(NamedTuple):
    """Student's t distributions of independent columns: logs of the degrees of freedom
    and of the scales, (n_columns,)."""

    log_df: np.ndarray
    log_scale: np.ndarray

    def log_p(self, z):
        """Log density of each row, (n_rows,), differentiable."""
        return _log_tails(z, self.log_df, self.log_scale)

    def draw(self, rng, n_columns, dtype):
        """Draw one row for each stream, (n_rows, n_columns)."""
        df, scale = (np.exp(log_values.astype(np.float64)) for log_values in self)
        rows = stdtrit(df, rng.uniform(n_columns) + _HALF) * scale
        return rows.astype(dtype)


def normal_log_p(z):
    """Standard normal log density of each row, (n_rows,), differentiable."""
    return -0.5 * (z * z).sum(axis=1) - z.dtype.type(0.5 * LOG_2PI * z.shape[1])


@primitive
def _log_mixture(z, log_weight, mean, root):
    return log_sum_exp(_of_components(z, log_weight, mean, root)[0])


def _of_components(z, log_weight, mean, root):
    """Log densities of components plus log weights, (n_components, n_rows), and the
    rows as whitened by each component, (n_components, n_rows, n_columns)."""
    white = np.matmul(z - mean[:, None], root)
    log_det = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    constant = log_weight + log_det - z.dtype.type(0.5 * LOG_2PI * z.shape[1])
    distance = np.einsum("kri,kri->kr", white, white)
    return constant[:, None] - z.dtype.type(0.5) * distance, white


def _by_z(log_p, z, log_weight, mean, root):
    def backward(grad):
        parts, white = _of_components(z, log_weight, mean, root)
        responsibility = np.exp(parts - log_p) * -grad
        white *= responsibility[..., None]
        return np.matmul(white, root.swapaxes(1, 2)).sum(axis=0)

    return backward


defvjp(_log_mixture, _by_z, None, None, None)


@primitive
def _log_tails(z, log_df, log_scale):
    df, u = np.exp(log_df), z * np.exp(-log_scale)
    constant = gammaln(0.5 * (df + 1)) - gammaln(0.5 * df) - 0.5 * np.log(np.pi * df)
    constant = (constant - log_scale).sum()
    return constant - (0.5 * (df + 1) * np.log1p(u * u / df)).sum(axis=1)


def _tails_back(argnums, _, args, kwargs):
    z, log_df, log_scale = args
    df, u = np.exp(log_df), z * np.exp(-log_scale)
    pull = (df + 1) * u / (df + u * u)

    def of_df(grad):
        by_constant = 0.5 * (digamma(0.5 * (df + 1)) - digamma(0.5 * df) - 1 / df)
        by_log_df = by_constant - 0.5 * np.log1p(u * u / df) + 0.5 * pull * u / df
        return (grad[:, None] * df * by_log_df).sum(axis=0)

    back = (
        lambda grad: -grad[:, None] * pull * np.exp(-log_scale),
        of_df,
        lambda grad: (grad[:, None] * (pull * u - 1)).sum(axis=0),
    )
    return lambda grad: [back[argnum](grad) for argnum in argnums]


defvjp_argnums(_log_tails, _tails_back)
