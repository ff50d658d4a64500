r"""Energies of real units whose hidden units set their means and covariances.

.. math:: E(v, h, g) = \tfrac12 (v - b)^\top (\lambda \odot (v - b)) - h^\top (W^\top v
   + c) - g^\top d + \tfrac12 \sum_{kf} g_k P_{fk} (C_f^\top v)^2

h are binary mean units, g binary covariance units [1]_. Given both, v is normal with
the precision matrix :math:`\mathrm{diag}(\lambda) + C \, \mathrm{diag}(P g) \, C^\top`.
Since P is nonnegative, covariance units only increase the precision, and the density is
normalizable for all parameters.

With gamma units u of shape :math:`\alpha_k = e^{d_k}` instead of g [2]_,

.. math:: E(v, h, u) = \tfrac12 (v - b)^\top (\lambda \odot (v - b)) - h^\top (W^\top
   v + c) + \sum_k u_k \Bigl(1 + \tfrac12 \sum_f P_{fk} (C_f^\top v)^2 \Bigr) - \sum_k
   (\alpha_k - 1) \log u_k

References
----------
.. [1] Ranzato and Hinton (2010). Modeling pixel means and covariances using factorized
   third-order Boltzmann machines. CVPR.
.. [2] Ranzato, Mnih and Hinton (2010). Generating more realistic images using gated
   MRF's. NIPS.
"""

from typing import NamedTuple

import numpy as np

from skdgm.distributions import Gaussian, Normal
from skdgm.energies.potential import Potential
from skdgm.utils.math import limit_norms, sigmoid, softplus

# Initial standard deviation of weights, and biases of mean units.
_SMALL, _OFF = 0.1, -2.0


class CovarianceParams(NamedTuple):
    """Parameters of :class:`Covariance`, or a gradient with respect to them: b and log
    lambda of shape (n_visible,), W (n_visible, n_mean), c (n_mean,), C (n_visible,
    n_factors), nonnegative P (n_factors, n_covariance), and d (n_covariance,)."""

    visible: Normal
    W: np.ndarray
    c: np.ndarray
    C: np.ndarray
    P: np.ndarray
    d: np.ndarray

    @property
    def dtype(self) -> np.dtype:
        """Data type of the arrays."""
        return self.c.dtype


class Covariance(Potential):
    """Free energy of real rows with binary mean and covariance units. A state x is a
    tuple of one block."""

    # Initial value of d, and whether covariance units are bounded, so that the scale of
    # rows is similar.
    start, bounded = 2.0, True

    def __init__(self, n_visible):
        self.units = (Gaussian(n_visible),)

    def value(self, params, x):
        slope, (precision, gap, mean_input, pooled) = self._slope(params, x)
        half = gap.dtype.type(0.5)
        energy = half * (precision * np.square(gap)).sum(axis=1, dtype=float)
        energy -= softplus(mean_input).sum(axis=1, dtype=float)
        energy -= self.log_sum(params.d, pooled).sum(axis=1, dtype=float)
        return energy, slope

    def slope(self, params, x):
        return self._slope(params, x)[0]

    def _slope(self, params, x):
        """Gradient, and the terms of the energy: precisions of columns, v - b, inputs
        of mean units, and pooled squared projections."""
        (v,), (visible, W, c, C, P, d) = x, params
        precision, gap = np.exp(visible.log_precision), v - visible.mean
        mean_input, projected = v @ W + c, v @ C
        one_each, pooled = is_identity(P), v.dtype.type(0.5) * np.square(projected)
        pooled = pooled if one_each else pooled @ P
        on = self.on(d, pooled)
        slope = precision * gap - sigmoid(mean_input) @ W.T
        slope += ((on if one_each else on @ P.T) * projected) @ C.T
        return slope, (precision, gap, mean_input, pooled)

    def on(self, d, pooled):
        """Means of the covariance units, given their pooled squared projections, (...,
        n_covariance)."""
        return sigmoid(d - pooled)

    def log_sum(self, d, pooled):
        """Log of the sum over the states of each covariance unit, as for :meth:`on`."""
        return softplus(d - pooled)

    def slope_of_bias(self, d, pooled, on):
        """Derivative of :meth:`log_sum` by d, given the means ``on`` of the units."""
        return on

    def hidden(self, params, v):
        """Means of the hidden units, of shapes (n_rows, n_mean) and (n_rows,
        n_covariance)."""
        pooled = times(v.dtype.type(0.5) * np.square(v @ params.C), params.P)
        return sigmoid(v @ params.W + params.c), self.on(params.d, pooled)

    def gradient(self, params, v):
        r"""Mean over rows of :math:`-\partial F / \partial \theta`, a
        CovarianceParams."""
        visible, projected, n = params.visible, v @ params.C, v.dtype.type(1 / len(v))
        half, gap = v.dtype.type(0.5), v - visible.mean
        means = sigmoid(v @ params.W + params.c)
        squares = half * np.square(projected)
        pooled = times(squares, params.P)
        on = self.on(params.d, pooled)
        pull = np.exp(visible.log_precision) * gap
        return CovarianceParams(
            Normal(n * pull.sum(axis=0), n * (-half * pull * gap).sum(axis=0)),
            n * (v.T @ means),
            n * means.sum(axis=0),
            -n * (v.T @ (times(on, params.P.T) * projected)),
            -n * (squares.T @ on),
            n * self.slope_of_bias(params.d, pooled, on).sum(axis=0),
        )

    def n_hidden(self, params):
        """Number of mean units and of covariance units."""
        return len(params.c) + len(params.d)

    def precisions(self, params, H):
        """Precision matrices given hidden units H, of shape (n_rows, n_visible,
        n_visible)."""
        weight = H[:, len(params.c) :] @ params.P.T
        precisions = (params.C * weight[:, None]) @ params.C.T
        precisions += np.diag(np.exp(params.visible.log_precision))
        return precisions

    def mean(self, params, H):
        """Means of the visible units given hidden units H, (n_rows, n_visible)."""
        visible = params.visible
        pull = np.exp(visible.log_precision) * visible.mean
        pull = pull + H[:, : len(params.c)] @ params.W.T
        return np.linalg.solve(self.precisions(params, H), pull[..., None])[..., 0]

    def along(self, params, v, column, shift):
        """Negative free energies, up to a constant of each row, along one column of
        each row. ``shift``, of shape (n_rows, n_shifts), is added to the column, whose
        number for each row is in ``column``; the result has the shape of ``shift``."""
        (visible, W, c, C, P, d), rows = params, np.arange(len(v))
        mean_input = (v @ W + c)[:, None] + shift[..., None] * W.T[:, column].T[:, None]
        projected = (v @ C)[:, None] + shift[..., None] * C.T[:, column].T[:, None]
        log_sum = self.log_sum(d, times(0.5 * np.square(projected), P))
        gap = (v[rows, column] - visible.mean[column])[:, None] + shift
        precision = np.exp(visible.log_precision[column])[:, None]
        log_p = softplus(mean_input).sum(axis=-1) + log_sum.sum(axis=-1)
        return log_p - 0.5 * precision * gap**2

    def initial(self, rng, n_mean, n_factors, n_covariance):
        """Small random weights, and identity or nearly block-diagonal pooling, in
        float64."""
        (unit,) = self.units
        n, of_unit = unit.size, np.arange(n_factors) * n_covariance // n_factors
        pooling = np.zeros((n_factors, n_covariance))
        pooling[np.arange(n_factors), of_unit] = 1
        if n_factors != n_covariance:
            pooling += 0.01 * rng.random(pooling.shape)
        return CovarianceParams(
            Normal(np.zeros(n), np.zeros(n)),
            _SMALL * rng.normal(size=(n, n_mean)),
            np.full(n_mean, _OFF),
            _SMALL * rng.normal(size=(n, n_factors)),
            pooling,
            np.full(n_covariance, self.start),
        )

    def constrain(self, params, total, max_norm):
        """Limit norms of weights and keep the column sums of P at ``total``, in
        place."""
        P = np.maximum(params.P, 0, out=params.P)
        if len(P) == len(total):
            P[...] = np.eye(len(P))
        sums = P.sum(axis=0)
        P *= np.divide(total, sums, out=np.ones_like(sums), where=sums > 0)
        for weights in (params.W, params.C):
            limit_norms(weights, max_norm)

    def tangent(self, params, grad):
        """Gradient projected to the allowed parameters: the gradient itself."""
        return grad

    def kept(self, params):
        """Quantities that :meth:`constrain` preserves: column sums of P,
        (n_covariance,)."""
        return params.P.sum(axis=0)


class ProductOfT(Covariance):
    """Free energy of real rows with mean units and gamma units. Projections on the
    factors of gamma units follow Student's t distribution."""

    start, bounded = 0.0, False

    def on(self, d, pooled):
        return np.exp(d) / (1 + pooled)

    def log_sum(self, d, pooled):
        """As :meth:`Covariance.log_sum`, up to a constant of each unit."""
        return -np.exp(d) * np.log1p(pooled)

    def slope_of_bias(self, d, pooled, on):
        return self.log_sum(d, pooled)


def times(x, P):
    """Product x P with pooling weights, which are often the identity."""
    return x if is_identity(P) else x @ P


def is_identity(P):
    """Return whether each unit has one factor."""
    is_diagonal = P.shape[0] == P.shape[1] == np.count_nonzero(P)
    return is_diagonal and (P.diagonal() == 1).all()
