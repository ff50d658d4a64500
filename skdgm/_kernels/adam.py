r"""One step of Adam on numbers in a row.

.. math:: g \leftarrow g - \lambda_1 \operatorname{sign}\theta - \lambda_2 \theta,
   \qquad m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
   s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \qquad
   \theta \leftarrow \theta + \epsilon \, m / (\sqrt{s} + \delta)
"""

import numpy as np

from skdgm._kernels.jit import kernel


@kernel
def adam(theta, m, s, g, rate, beta_1, beta_2, delta, l1, l2, start, stop):
    """Move some of the numbers, in place."""
    one = theta.dtype.type(1)
    theta, m, s, g = theta[start:stop], m[start:stop], s[start:stop], g[start:stop]
    for i in range(len(theta)):
        sign = theta.dtype.type(theta[i] > 0) - theta.dtype.type(theta[i] < 0)
        grad = g[i] - l1 * sign - l2 * theta[i]
        m[i] = beta_1 * m[i] + (one - beta_1) * grad
        s[i] = beta_2 * s[i] + (one - beta_2) * grad * grad
        theta[i] += rate * m[i] / (np.sqrt(s[i]) + delta)
