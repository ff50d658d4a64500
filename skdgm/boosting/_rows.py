"""Rows that classifiers learn from and rows held out, and what weights these tell."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

# Largest weight: of margins it may be more than one.
_MOST = 10.0


class Rows(NamedTuple):
    """Rows, an index of those that classifiers learn from and of those held out, and
    the weights of both, which sum to 1."""

    X: np.ndarray
    here: np.ndarray
    there: np.ndarray
    weight: np.ndarray
    weight_there: np.ndarray

    def mean(self, values):
        """Weighted mean over the rows held out, of a value of each row."""
        return self.weight_there @ values[self.there]


def beside(log_Z, se, unseen):
    """Log Z and its standard error where so much may be where no draw has been, its log
    weight ``unseen``."""
    total = float(np.logaddexp(log_Z, unseen))
    return total, float(np.hypot(se, np.exp(unseen - total)))


def best_weight(mean, draws, odds, ratio):
    r"""Weight of log odds that raises the log-likelihood most, and by how much.

    .. math:: \max_\alpha \; \alpha \bar f - \log
        \frac{\sum_j e^{\alpha f(x_j)} + \max_i e^{r_i + \alpha f_i}}
        {M + \max_i e^{r_i}}

    with the mean :math:`\bar f` over held-out rows, M draws, and the log odds
    :math:`f_i` of all rows and the log ratios :math:`r_i` there, of the density to the
    first one. Where no draw of the first one has been, its probability may be 1 in M
    all the same: the term that stands apart is such a draw, with the weight that it has
    by now.
    """
    before = np.logaddexp(np.log(len(draws)), ratio.max())

    def loss(weight):
        seen = logsumexp(weight * draws), np.max(ratio + weight * odds)
        return np.logaddexp(*seen) - before - weight * mean

    found = minimize_scalar(loss, bounds=(0, _MOST), method="bounded")
    return float(found.x), -float(found.fun)
