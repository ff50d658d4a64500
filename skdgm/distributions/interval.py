r"""Exponential distribution truncated to [0, 1], for shares and gray values.

.. math:: p(x \mid \eta) = e^{\eta x - A(\eta)}, \quad x \in [0, 1], \quad A(\eta) =
   \log \frac{e^\eta - 1}{\eta}, \quad \mathbb{E}[x] = \frac{1}{1 - e^{-\eta}} -
   \frac1\eta

It is also known as the continuous Bernoulli distribution [1]_: the Bernoulli
distribution with an integral over [0, 1] in place of the sum over {0, 1}.

References
----------
.. [1] Loaiza-Ganem and Cunningham (2019). The continuous Bernoulli: fixing a pervasive
   error in variational autoencoders. NeurIPS.
"""

import numpy as np

from skdgm.distributions.columnwise import Columnwise, Sized

# Below this, formulas are replaced by their series.
_SMALL = 1e-2
_N_NODES = 48


class Interval(Sized, Columnwise):
    """A block of units in [0, 1], whose parameters are slopes of log densities."""

    __slots__ = ()

    @property
    def ends(self):
        return 0.0, np.asarray(self.gain, np.float64)

    def log_base(self, x):
        return np.zeros(np.shape(x))

    def log_partitions(self, eta):
        eta = np.asarray(eta, np.float64)
        size = np.maximum(np.abs(eta), _SMALL)
        # A(eta) = A(-eta) + eta.
        far = np.log(-np.expm1(-size) / size) + np.maximum(eta, 0)
        near = 0.5 * eta + eta**2 / 24 - eta**4 / 2880
        return np.where(np.abs(eta) < _SMALL, near, far)

    def mean(self, eta):
        wide = np.asarray(eta, np.float64)
        size = np.maximum(np.abs(wide), _SMALL)
        far = -1 / np.expm1(-size) - 1 / size
        far = np.where(wide > 0, far, 1 - far)
        near = 0.5 + wide / 12 - wide**3 / 720
        return np.where(np.abs(wide) < _SMALL, near, far).astype(eta.dtype)

    def variance(self, params):
        """Maximum variance of each unit, 1 / 12."""
        return np.full_like(params, 1 / 12)

    def draw_each(self, eta, rng):
        eta, u = np.asarray(eta, np.float64), rng.uniform(self.size) + 2.0**-33
        size = np.maximum(np.abs(eta), _SMALL)
        # Inversion for negative slopes; draws for positive slopes are mirrored.
        x = -np.log1p(u * np.expm1(-size)) / size
        x = np.where(eta > 0, 1 - x, x)
        near = u + 0.5 * eta * u * (u - 1)
        return np.where(np.abs(eta) < _SMALL, near, x).clip(0, 1)

    def grid(self, high=None):
        nodes, weight = np.polynomial.legendre.leggauss(_N_NODES)
        return 0.5 * (nodes + 1), np.log(0.5 * weight)
