r"""Likelihood gradient of the geometric mean of a model and its inference net.

.. math:: \tilde p(x) = \Bigl(\sum_z \sqrt{p(x, z) \, q(z \mid x)}\Bigr)^2, \qquad
   \nabla \log \tilde p(x) \approx \sum_k \tilde w_k \bigl(\nabla \log p(x, z_k) +
   \nabla \log q(z_k \mid x)\bigr), \quad \tilde w_k = \frac{w_k}{\sum_j w_j}, \quad
   w_k = \sqrt{\frac{p(x, z_k)}{q(z_k \mid x)}}

for :math:`z_k \sim q(z \mid x)` [1]_. Both nets follow the gradient of the same
objective with the same weights. The logs of the weights have half the spread of those
in reweighted wake-sleep. The bias of the gradient decreases with the number of draws.

References
----------
.. [1] Bornschein, Shabanian, Fischer and Bengio (2016). Bidirectional Helmholtz
   machines. ICML.
"""

import numpy as np
from scipy.special import softmax

from skdgm.gradients.stochastic.draws import DrawWeights, log_weights


def geometric(log_p, log_q):
    """DrawWeights from square roots of importance weights. Shapes are those of
    :mod:`~skdgm.gradients.stochastic.draws`."""
    of_p = softmax(0.5 * log_weights(log_p, log_q), axis=1)
    return DrawWeights(of_p, np.repeat(of_p[:, :, None], log_q.shape[2], axis=2))
