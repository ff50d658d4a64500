r"""Energies of real units whose hidden units set their mean and their covariance.

.. math:: E(v, h, g) = \tfrac12 (v - b)^\top (\lambda \odot (v - b)) - h^\top (W^\top v
   + c) - g^\top d + \tfrac12 \sum_{kf} g_k P_{fk} (C_f^\top v)^2

With bits h of means and g of covariances [1]_, given which v is normal, with the
precision matrix :math:`\mathrm{diag}(\lambda) + C \, \mathrm{diag}(P g) \, C^\top`.
As P is not negative, a covariance unit that is on only narrows, and the density can be
normalised for all parameters.

With gamma units u in place of g, of shape :math:`\alpha_k = e^{d_k}` [2]_,

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

# Initial deviation of weights; biases of mean units.
_SMALL, _OFF = 0.1, -2.0


class CovarianceParams(NamedTuple):
    """Parameters of :class:`Covariance`, or a gradient by them.

    Parameters
    ----------
    visible : Normal
        b and the log of lambda, of shape (n_visible,).
    W : ndarray of shape (n_visible, n_mean)
    c : ndarray of shape (n_mean,)
    C : ndarray of shape (n_visible, n_factors)
    P : ndarray of shape (n_factors, n_covariance)
        At least 0.
    d : ndarray of shape (n_covariance,)
    """

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
    """Free energy of real rows; a state x is a tuple of one block.

    Parameters
    ----------
    n_visible : int
    """

    # Value of d at which learning begins.
    start = 2.0

    def __init__(self, n_visible):
        self.units = (Gaussian(n_visible),)

    def value(self, params, x):
        """Free energy, in nats, and its slope, as of :class:`Potential`."""
        (v,), (visible, W, c, C, P, d) = x, params
        precision, gap = np.exp(visible.log_precision), v - visible.mean
        means, along = v @ W + c, v @ C
        half = v.dtype.type(0.5)
        log_sum, on, _ = self.gates(d, times(half * np.square(along), P))
        found = half * (precision * np.square(gap)).sum(axis=1, dtype=float)
        found -= softplus(means).sum(axis=1, dtype=float)
        found -= log_sum.sum(axis=1, dtype=float)
        slope = precision * gap - sigmoid(means) @ W.T
        slope += (times(on, P.T) * along) @ C.T
        return found, slope

    def gates(self, d, pooled):
        """Logs of sums over covariance units, their means, and slopes of the former by
        d, given pooled squares of shape (..., n_covariance)."""
        on = sigmoid(d - pooled)
        return softplus(d - pooled), on, on

    def hidden(self, params, v):
        """Means of the hidden units: (n_rows, n_mean) and (n_rows, n_covariance)."""
        pooled = times(v.dtype.type(0.5) * np.square(v @ params.C), params.P)
        return sigmoid(v @ params.W + params.c), self.gates(params.d, pooled)[1]

    def gradient(self, params, v):
        r"""Mean over rows of :math:`-\partial F / \partial \theta`, as parameters."""
        visible, along, n = params.visible, v @ params.C, v.dtype.type(1 / len(v))
        half, gap = v.dtype.type(0.5), v - visible.mean
        means = sigmoid(v @ params.W + params.c)
        squares = half * np.square(along)
        _, on, slope = self.gates(params.d, times(squares, params.P))
        pull = np.exp(visible.log_precision) * gap
        return CovarianceParams(
            Normal(n * pull.sum(axis=0), n * (-half * pull * gap).sum(axis=0)),
            n * (v.T @ means),
            n * means.sum(axis=0),
            -n * (v.T @ (times(on, params.P.T) * along)),
            -n * (squares.T @ on),
            n * slope.sum(axis=0),
        )

    def n_hidden(self, params):
        """Number of mean units and of covariance units."""
        return len(params.c) + len(params.d)

    def precisions(self, params, H):
        """Precision matrices of the visible units given hidden ones, of shape (n_rows,
        n_hidden): an array of shape (n_rows, n_visible, n_visible)."""
        weight = H[:, len(params.c) :] @ params.P.T
        found = np.einsum("if,rf,jf->rij", params.C, weight, params.C, optimize=True)
        found += np.diag(np.exp(params.visible.log_precision))
        return found

    def mean(self, params, H):
        """Means of the visible units given hidden ones, (n_rows, n_visible)."""
        visible = params.visible
        pull = np.exp(visible.log_precision) * visible.mean
        pull = pull + H[:, : len(params.c)] @ params.W.T
        return np.linalg.solve(self.precisions(params, H), pull[..., None])[..., 0]

    def along(self, params, v, column, shift):
        """Negative free energies of rows, up to a constant of each, with one column of
        each shifted, (n_rows, n_shifts), by ``shift`` of that shape."""
        (visible, W, c, C, P, d), rows = params, np.arange(len(v))
        means = (v @ W + c)[:, None] + shift[..., None] * W.T[:, column].T[:, None]
        pulled = (v @ C)[:, None] + shift[..., None] * C.T[:, column].T[:, None]
        log_sum, _, _ = self.gates(d, times(0.5 * np.square(pulled), P))
        gap = (v[rows, column] - visible.mean[column])[:, None] + shift
        precision = np.exp(visible.log_precision[column])[:, None]
        found = softplus(means).sum(axis=-1) + log_sum.sum(axis=-1)
        return found - 0.5 * precision * gap**2

    def initial(self, rng, n_mean, n_factors, n_covariance):
        """Small random weights from a generator, as parameters of float64."""
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
        """Limit norms of weights, and keep sums of pooling at ``total``, in place."""
        P = np.maximum(params.P, 0, out=params.P)
        if len(P) == len(total):
            P[...] = np.eye(len(P))
        now = P.sum(axis=0)
        P *= np.divide(total, now, out=np.ones_like(now), where=now > 0)
        for weights in (params.W, params.C):
            limit_norms(weights, max_norm)

    def tangent(self, params, grad):
        """The gradient as it is."""
        return grad

    def kept(self, params):
        """What :meth:`constrain` keeps: sums of pooling, (n_covariance,)."""
        return params.P.sum(axis=0)


class ProductOfT(Covariance):
    """The same with gamma units, whose factors are of Student's t.

    Parameters
    ----------
    n_visible : int
    """

    start = 0.0

    def gates(self, d, pooled):
        """As :meth:`Covariance.gates`, but for a constant of each unit."""
        shape = np.exp(d)
        log_sum = -shape * np.log1p(pooled)
        return log_sum, shape / (1 + pooled), log_sum


def times(x, P):
    """Product with weights of pooling; where each unit has a factor of its own, these
    are the identity."""
    own = P.shape[0] == P.shape[1] == np.count_nonzero(P)
    return x if own and (P.diagonal() == 1).all() else x @ P
