"""Training and held-out rows, and the line search for classifier weights."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

# Upper bound of a classifier's weight. It exceeds 1 for margins.
_MAX_WEIGHT = 10.0


class SplitRows(NamedTuple):
    """Rows ``X``, the indices of training and of held-out rows, and the weights of both
    sets, each of which sums to 1."""

    X: np.ndarray
    train: np.ndarray
    held_out: np.ndarray
    weight: np.ndarray
    held_out_weight: np.ndarray

    def mean(self, values):
        """Weighted mean over held-out rows of an array of shape (n_rows,)."""
        return self.held_out_weight @ values[self.held_out]


def with_unseen(log_Z, se, unseen):
    """Return log Z and its standard error after adding a draw of log weight ``unseen``,
    which stands for regions without draws."""
    total = float(np.logaddexp(log_Z, unseen))
    return total, float(np.hypot(se, np.exp(unseen - total)))


def best_weight(mean, draws, odds, ratio):
    r"""Return the classifier weight that maximizes the gain in log-likelihood, and the
    gain.

    .. math:: \max_\alpha \; \alpha \bar f - \log
        \frac{\sum_j e^{\alpha f(x_j)} + \max_i e^{r_i + \alpha f_i}}
        {M + \max_i e^{r_i}}

    Here :math:`\bar f` is the mean log odds of held-out rows, the sum is over M draws,
    and :math:`f_i` and :math:`r_i` are the log odds and the log ratio to the first
    density at row i. M draws can miss regions of probability 1 / M, so the row with the
    largest weight counts as one more draw.
    """
    before = np.logaddexp(np.log(len(draws)), ratio.max())

    def loss(weight):
        seen, unseen = logsumexp(weight * draws), np.max(ratio + weight * odds)
        return np.logaddexp(seen, unseen) - before - weight * mean

    best = minimize_scalar(loss, bounds=(0, _MAX_WEIGHT), method="bounded")
    return float(best.x), -float(best.fun)
