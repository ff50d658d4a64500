r"""Wake-sleep, and reweighted: both nets learn as if draws were from the posterior.

.. math:: \nabla_\theta \log p(x) \approx \sum_k \tilde w_k \nabla \log p(x, z_k),
   \qquad \tilde w_k = \frac{w_k}{\sum_j w_j}, \quad
   w_k = \frac{p(x, z_k)}{q(z_k \mid x)}

for :math:`z_k \sim q(z \mid x)`, the wake phase [2]_; with one draw it is that of
wake-sleep [1]_. The inference net q learns from the same draws,
:math:`\sum_k \tilde w_k \nabla \log q(z_k \mid x)` (wake phase), or from dreams,
:math:`\nabla \log q(z \mid x)` for :math:`x, z \sim p` (sleep phase), or from both.
For finitely many draws the wake phases are biased, and less so with more of them.

References
----------
.. [1] Hinton, Dayan, Frey and Neal (1995). The wake-sleep algorithm for unsupervised
   neural networks. Science.
.. [2] Bornschein and Bengio (2015). Reweighted wake-sleep. ICLR.
"""

import numpy as np
from scipy.special import softmax

from skdgm.gradients.stochastic.draws import DrawWeights, log_weights


def wake(log_p, log_q, share=1.0):
    """Weights of log probabilities by importance; those of q times ``share``, which is
    0 if it learns from dreams alone."""
    of_p = softmax(log_weights(log_p, log_q), axis=1)
    of_q = np.repeat(share * of_p[:, :, None], log_q.shape[2], axis=2)
    return DrawWeights(of_p, of_q)


def plain(log_p, log_q):
    """Weights of wake-sleep: all draws count alike, and q learns from dreams alone."""
    of_p = np.full(log_q.shape[:2], 1 / log_q.shape[1])
    return DrawWeights(of_p, np.zeros(log_q.shape))
