r"""Energies of real units whose hidden units set their mean and their covariance.

.. math:: E(v, h, g) = \tfrac12 (v - b)^\top (\lambda \odot (v - b)) - h^\top (W^\top v
   + c) - g^\top d + \tfrac12 \sum_{kf} g_k P_{fk} (C_f^\top v)^2

With bits h of means and g of covariances [1]_, given which v is normal, with the
precision matrix :math:`\mathrm{diag}(\lambda) + C \, \mathrm{diag}(P g) \, C^\top`.
As P is not negative, a covariance unit that is on only narrows, and the density can be
normalised for all parameters.

References
----------
.. [1] Ranzato and Hinton (2010). Modeling pixel means and covariances using factorized
   third-order Boltzmann machines. CVPR.
"""

from typing import NamedTuple

import numpy as np

from skdgm.distributions import Gaussian, Normal
from skdgm.energies.potential import Potential
from skdgm.utils.math import sigmoid, softplus


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

    def __init__(self, n_visible):
        self.units = (Gaussian(n_visible),)

    def value(self, params, x):
        """Free energy, in nats, and its slope, as of :class:`Potential`."""
        (v,), (visible, W, c, C, P, d) = x, params
        precision, gap = np.exp(visible.log_precision), v - visible.mean
        means, along = v @ W + c, v @ C
        half = v.dtype.type(0.5)
        narrow = d - half * np.square(along) @ P
        found = half * (precision * np.square(gap)).sum(axis=1, dtype=float)
        found -= softplus(means).sum(axis=1, dtype=float)
        found -= softplus(narrow).sum(axis=1, dtype=float)
        slope = precision * gap - sigmoid(means) @ W.T
        slope += (sigmoid(narrow) @ P.T * along) @ C.T
        return found, slope

    def hidden(self, params, v):
        """Means of the hidden units: (n_rows, n_mean) and (n_rows, n_covariance)."""
        narrow = params.d - v.dtype.type(0.5) * np.square(v @ params.C) @ params.P
        return sigmoid(v @ params.W + params.c), sigmoid(narrow)

    def gradient(self, params, v):
        r"""Mean over rows of :math:`-\partial F / \partial \theta`, as parameters."""
        visible, along, n = params.visible, v @ params.C, v.dtype.type(1 / len(v))
        means, on = self.hidden(params, v)
        half, gap = v.dtype.type(0.5), v - visible.mean
        pull = np.exp(visible.log_precision) * gap
        return CovarianceParams(
            Normal(n * pull.sum(axis=0), n * (-half * pull * gap).sum(axis=0)),
            n * (v.T @ means),
            n * means.sum(axis=0),
            -n * (v.T @ (on @ params.P.T * along)),
            -n * half * (np.square(along).T @ on),
            n * on.sum(axis=0),
        )

    def precisions(self, params, on):
        """Precision matrices of the visible units given covariance units, of shape
        (n_rows, n_visible, n_visible)."""
        weight = on @ params.P.T
        found = np.einsum("if,rf,jf->rij", params.C, weight, params.C, optimize=True)
        found += np.diag(np.exp(params.visible.log_precision))
        return found

    def mean(self, params, means, on):
        """Means of the visible units given hidden ones, (n_rows, n_visible)."""
        visible = params.visible
        pull = np.exp(visible.log_precision) * visible.mean + means @ params.W.T
        return np.linalg.solve(self.precisions(params, on), pull[..., None])[..., 0]
