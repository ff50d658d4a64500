r"""Normal units of variance 1, on the whole line and on its upper half.

.. math:: p(x \mid \eta) = e^{\eta x - \frac12 x^2 - A(\eta)}, \qquad
   A(\eta) = \tfrac12 \eta^2 + \tfrac12 \log 2 \pi \qquad (x \in \mathbb{R}),

.. math:: A(\eta) = \tfrac12 \eta^2 + \tfrac12 \log 2 \pi + \log \Phi(\eta), \qquad
   \mathbb{E}[x] = \eta + \frac{\varphi(\eta)}{\Phi(\eta)} \qquad (x \ge 0)

The second, a normal distribution truncated at 0, is the rectified linear unit among
exponential families: its mean is a smooth version of max(0, eta), and its conditional
distribution is exact, so that models with it have energies, free energies and Z [2]_.
Noisy rectified linear units [1]_, max(0, eta + noise of variance sigmoid(eta)), stand
for infinitely many copies of a binary unit, of whose sum they are an approximation.

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
from skdgm.distributions.gaussian import LOG_2PI

# Standard deviations beyond which nothing is integrated, and distance of the nodes.
_REACH, _STEP = 9.0, 0.125


class UnitNormal(Sized, Columnwise):
    """A block of real units of variance 1, whose parameters are their means."""

    __slots__ = ()

    def natural(self, mean):
        """Means themselves."""
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
    """A block of units of values of at least 0, normal but for that."""

    __slots__ = ()

    def log_base(self, x):
        x = np.asarray(x, np.float64)
        return np.where(x >= 0, -0.5 * x**2, -np.inf)

    def log_partitions(self, eta):
        eta = np.asarray(eta, np.float64)
        return 0.5 * (eta**2 + LOG_2PI) + log_ndtr(eta)

    def mean(self, eta):
        wide = np.asarray(eta, np.float64)
        # Far below 0 the sum would cancel: 1 / |eta| (1 - 2 / eta^2).
        low = np.minimum(wide, -1.0)
        tail = -1 / low * (1 - 2 / low**2 + 10 / low**4)
        hazard = np.exp(-0.5 * (wide**2 + LOG_2PI) - log_ndtr(wide))
        return np.where(wide < -40.0, tail, wide + hazard).astype(eta.dtype)

    def draw_each(self, eta, rng):
        eta, u = np.asarray(eta, np.float64), rng.uniform(self.size) + 2.0**-33
        # The value beyond which lies u Phi(eta) of the probability.
        x = eta - ndtri_exp(np.log(u) + log_ndtr(eta))
        return np.maximum(x, 0.0)

    def grid(self, high=None):
        nodes, weight = np.polynomial.legendre.leggauss(96)
        reach = _REACH + (0.0 if high is None else high)
        return 0.5 * reach * (nodes + 1), np.log(0.5 * reach * weight)
