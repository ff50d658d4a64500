r"""Normal units of variance 1, on the real line and truncated to its upper half.

.. math:: p(x \mid \eta) = e^{\eta x - \frac12 x^2 - A(\eta)}, \qquad
   A(\eta) = \tfrac12 \eta^2 + \tfrac12 \log 2 \pi \qquad (x \in \mathbb{R}),

.. math:: A(\eta) = \tfrac12 \eta^2 + \tfrac12 \log 2 \pi + \log \Phi(\eta), \qquad
   \mathbb{E}[x] = \eta + \frac{\varphi(\eta)}{\Phi(\eta)} \qquad (x \ge 0)

The truncated normal distribution is the exponential-family version of the rectified
linear unit. Its mean is a smooth version of max(0, eta). Its conditional distribution
is exact, so that models with such units have energies, free energies and Z [2]_. In
contrast, noisy rectified linear units [1]_, max(0, eta + noise of variance
sigmoid(eta)), approximate the sum of infinitely many copies of a binary unit.

References
----------
.. [1] Nair and Hinton (2010). Rectified linear units improve restricted Boltzmann
   machines. ICML.
.. [2] Su, Liao, Chen and Carin (2016). Nonlinear statistical learning with truncated
   Gaussian graphical models. ICML.
"""

import numpy as np
from scipy.special import log_ndtr, ndtri_exp

from skdgm.distributions.columnwise import Columnwise, Sized
from skdgm.utils.math import LOG_2PI

# Range of integration and distance of its nodes, in standard deviations.
_REACH, _STEP = 9.0, 0.125


class UnitNormal(Sized, Columnwise):
    """A block of real units of variance 1, whose parameters are their means."""

    __slots__ = ()

    def natural(self, mean):
        """The means themselves."""
        return np.asarray(mean, np.float64)

    def log_base(self, x):
        return -0.5 * np.asarray(x, np.float64) ** 2

    def log_partitions(self, eta):
        return 0.5 * (np.asarray(eta, np.float64) ** 2 + LOG_2PI)

    def mean(self, eta):
        return eta

    def draw_each(self, eta, rng):
        return eta + rng.normal(self.size)

    def grid(self, high=None):
        reach = _REACH + (0.0 if high is None else high)
        x = np.arange(-reach, reach + _STEP, _STEP)
        return x, np.full(len(x), np.log(_STEP))


class Rectified(Sized, Columnwise):
    """A block of units with values of at least 0, truncated normal of variance 1."""

    __slots__ = ()

    def log_base(self, x):
        x = np.asarray(x, np.float64)
        return np.where(x >= 0, -0.5 * x**2, -np.inf)

    def log_partitions(self, eta):
        eta = np.asarray(eta, np.float64)
        return 0.5 * (eta**2 + LOG_2PI) + log_ndtr(eta)

    def mean(self, eta):
        wide = np.asarray(eta, np.float64)
        # Far below 0 the sum would cancel; an asymptotic series replaces it.
        low = np.minimum(wide, -1.0)
        tail = -1 / low * (1 - 2 / low**2 + 10 / low**4)
        hazard = np.exp(-0.5 * (wide**2 + LOG_2PI) - log_ndtr(wide))
        return np.where(wide < -40.0, tail, wide + hazard).astype(eta.dtype)

    def draw_each(self, eta, rng):
        eta, u = np.asarray(eta, np.float64), rng.uniform(self.size) + 2.0**-33
        # The value that is exceeded with probability u Phi(eta).
        x = eta - ndtri_exp(np.log(u) + log_ndtr(eta))
        return np.maximum(x, 0.0)

    def grid(self, high=None):
        nodes, weight = np.polynomial.legendre.leggauss(96)
        reach = _REACH + (0.0 if high is None else high)
        return 0.5 * reach * (nodes + 1), np.log(0.5 * reach * weight)
