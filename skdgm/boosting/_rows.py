"""Training and held-out rows, and the best weights of classifiers."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

# Largest weight: of margins it may be more than one.
_MOST = 10.0


class SplitRows(NamedTuple):
    """Rows, the row numbers of training and of held-out rows, and the weights of each,
    which sum to 1."""

    X: np.ndarray
    train: np.ndarray
    held_out: np.ndarray
    weight: np.ndarray
    held_out_weight: np.ndarray

    def mean(self, values):
        """Weighted mean of a value of each row over held-out rows."""
        return self.held_out_weight @ values[self.held_out]


def with_unseen(log_Z, se, unseen):
    """Log Z and its standard error with a further draw of log weight ``unseen``, for
    regions without draws."""
    total = float(np.logaddexp(log_Z, unseen))
    return total, float(np.hypot(se, np.exp(unseen - total)))


def best_weight(mean, draws, odds, ratio):
    r"""Weight of log odds that raises the log-likelihood most, and by how much.

    .. math:: \max_\alpha \; \alpha \bar f - \log
        \frac{\sum_j e^{\alpha f(x_j)} + \max_i e^{r_i + \alpha f_i}}
        {M + \max_i e^{r_i}}

    with the mean :math:`\bar f` over held-out rows, M draws, and the log odds
    :math:`f_i` of all rows and the log ratios :math:`r_i` there, of the density to the
    first one. Regions without draws of the first density may have a probability of 1 /
    M: the separate term is such a draw, with its present weight.
    """
    before = np.logaddexp(np.log(len(draws)), ratio.max())

    def loss(weight):
        seen, unseen = logsumexp(weight * draws), np.max(ratio + weight * odds)
        return np.logaddexp(seen, unseen) - before - weight * mean

    best = minimize_scalar(loss, bounds=(0, _MOST), method="bounded")
    return float(best.x), -float(best.fun)
