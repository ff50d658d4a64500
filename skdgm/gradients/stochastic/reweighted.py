r"""Wake-sleep and reweighted wake-sleep.

.. math:: \nabla_\theta \log p(x) \approx \sum_k \tilde w_k \nabla \log p(x, z_k),
   \qquad \tilde w_k = \frac{w_k}{\sum_j w_j}, \quad
   w_k = \frac{p(x, z_k)}{q(z_k \mid x)}

for :math:`z_k \sim q(z \mid x)` is the wake phase of reweighted wake-sleep [2]_, and
with one draw that of wake-sleep [1]_. The inference net q learns from the same draws by
:math:`\sum_k \tilde w_k \nabla \log q(z_k \mid x)` (wake phase), from samples :math:`x,
z \sim p` by :math:`\nabla \log q(z \mid x)` (sleep phase), or from both. The bias of
the wake phases decreases with the number of draws.

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
    """DrawWeights of the wake phase, from normalized importance weights. Weights of log
    q are multiplied by ``share``, which is 0 if q learns in the sleep phase only."""
    of_p = softmax(log_weights(log_p, log_q), axis=1)
    of_q = np.repeat(share * of_p[:, :, None], log_q.shape[2], axis=2)
    return DrawWeights(of_p, of_q)


def plain(log_p, log_q):
    """DrawWeights of wake-sleep: equal weights of log p, and zero weights of log q."""
    of_p = np.full(log_q.shape[:2], 1 / log_q.shape[1])
    return DrawWeights(of_p, np.zeros(log_q.shape))
