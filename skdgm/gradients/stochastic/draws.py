r"""Gradients through draws, as weights of their log probabilities.

For rows x, draws :math:`z_k` of L layers from q(z | x), and log probabilities
:math:`\log p(x, z_k) = \sum_{l=0}^L \log p_{kl}`, the data's given the lowest layer
first and the highest layer's prior last, and
:math:`\log q(z_k \mid x) = \sum_{l=1}^L \log q_{kl}`, a gradient is that of

.. math:: \sum_k a_k \log p(x, z_k) + \sum_{k, l} b_{kl} \log q_{kl}

with weights that do not depend on parameters. Whatever can be written so takes any
stochastic net.
"""

from typing import NamedTuple

import numpy as np


class DrawWeights(NamedTuple):
    """Weights of log p, (n_rows, n_draws), and of log q of each layer, the lowest
    first, (n_rows, n_draws, n_layers)."""

    of_p: np.ndarray
    of_q: np.ndarray


def log_weights(log_p, log_q):
    r"""Log importance weights :math:`\log p(x, z_k) - \log q(z_k \mid x)`, (n_rows,
    n_draws)."""
    return log_p.sum(axis=2) - log_q.sum(axis=2)
