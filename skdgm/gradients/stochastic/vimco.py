r"""VIMCO: the gradient of the importance-weighted bound with leave-one-out baselines.

.. math:: \nabla \mathbb{E}\Bigl[\hat L = \log \tfrac1K \sum_k w_k\Bigr] =
   \mathbb{E}\Bigl[\sum_k (\hat L - \hat L_{-k}) \nabla \log q(z_k \mid x) +
   \tilde w_k \nabla \log w_k\Bigr]

with :math:`\tilde w_k = w_k / \sum_j w_j`. In :math:`\hat L_{-k}`, the geometric mean
of the other weights replaces :math:`w_k` [1]_.

References
----------
.. [1] Mnih and Rezende (2016). Variational inference for Monte Carlo objectives. ICML.
"""

import numpy as np
from scipy.special import logsumexp, softmax

from skdgm.gradients.stochastic.draws import DrawWeights, log_weights


def vimco(log_p, log_q):
    """DrawWeights of at least two draws."""
    log_w = log_weights(log_p, log_q)
    n_draws = log_w.shape[1]
    geometric_means = (log_w.sum(axis=1, keepdims=True) - log_w) / (n_draws - 1)
    # Shape (n_rows, omitted draw, draw).
    swapped = np.repeat(log_w[:, None], n_draws, axis=1)
    diagonal = np.arange(n_draws)
    swapped[:, diagonal, diagonal] = geometric_means
    gain = logsumexp(log_w, axis=1, keepdims=True) - logsumexp(swapped, axis=2)
    of_p = softmax(log_w, axis=1)
    of_q = np.repeat((gain - of_p)[:, :, None], log_q.shape[2], axis=2)
    return DrawWeights(of_p, of_q)
