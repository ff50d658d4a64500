r"""Gradients through draws, as weights of log probabilities.

Given rows x, draw :math:`z_k` of L layers from q(z | x). The log probability
:math:`\log p(x, z_k) = \sum_{l=0}^L \log p_{kl}` has a term for x given the lowest
layer first, and the prior of the highest layer last. The log probability of the draws
is :math:`\log q(z_k \mid x) = \sum_{l=1}^L \log q_{kl}`. Gradient estimators are
gradients of

.. math:: \sum_k a_k \log p(x, z_k) + \sum_{k, l} b_{kl} \log q_{kl}

with weights a and b that do not depend on parameters. An estimator of this form applies
to all stochastic nets.
"""

from typing import NamedTuple

import numpy as np


class DrawWeights(NamedTuple):
    """Weights of log p, (n_rows, n_draws), and of log q, (n_rows, n_draws, n_layers).
    The lowest layer comes first."""

    of_p: np.ndarray
    of_q: np.ndarray


def log_weights(log_p, log_q):
    r"""Log importance weights :math:`\log p(x, z_k) - \log q(z_k \mid x)`, (n_rows,
    n_draws)."""
    return log_p.sum(axis=2) - log_q.sum(axis=2)
