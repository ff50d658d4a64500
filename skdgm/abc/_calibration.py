r"""Calibration of posteriors, by simulation with known parameters.

.. math:: \theta^* \sim \pi, \quad x^* \sim p(x \mid \theta^*), \quad
   \theta_1, \dots, \theta_L \sim q(\theta \mid x^*), \qquad
   r = \frac{1}{L + 1} \Big( \sum_l [\theta_l < \theta^*] + \tfrac{1}{2} \Big)

If q is the posterior, the rank r of each parameter is uniform [1]_, and a central
interval with probability c contains the parameter with the frequency c.

References
----------
.. [1] Talts, Betancourt, Simpson, Vehtari and Gelman (2018). Validating Bayesian
   inference algorithms with simulation-based calibration. arXiv:1804.06788.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import kstest


class Calibration(NamedTuple):
    """Ranks of true parameters among draws from their posteriors.

    Attributes
    ----------
    ranks : ndarray of shape (n_data_sets, n_parameters)
        Shares of the draws that are less than the true parameter, in (0, 1). They are
        uniform if the posteriors are calibrated. Ranks close to 0 and 1 are a sign of
        posteriors that are too narrow, and ranks close to 1/2 of posteriors that are
        too wide.
    names : list of str
        Names of the parameters.
    """

    ranks: np.ndarray
    names: list

    def coverage(self, level: float = 0.9) -> np.ndarray:
        """Share of data sets whose central interval contains the true parameter.

        Parameters
        ----------
        level : float, default=0.9
            Probability of the interval, in (0, 1).

        Returns
        -------
        coverage : ndarray of shape (n_parameters,)
            With n data sets and a calibrated posterior, its standard error is
            ``sqrt(level * (1 - level) / n)``.

        Raises
        ------
        ValueError
            The level is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise ValueError(f"level={level!r} must be between 0 and 1.")
        return (np.abs(self.ranks - 0.5) <= level / 2).mean(axis=0)

    def p_values(self) -> np.ndarray:
        """P-values of Kolmogorov-Smirnov tests of uniform ranks, of shape
        (n_parameters,)."""
        return np.array([kstest(ranks, "uniform").pvalue for ranks in self.ranks.T])


def ranks(theta, draws):
    """Ranks of parameters, (n_parameters,), among draws, (n_draws, n_parameters); equal
    numbers count half."""
    below, equal = (draws < theta).sum(axis=0), (draws == theta).sum(axis=0)
    return (below + equal / 2 + 0.5) / (len(draws) + 1)
