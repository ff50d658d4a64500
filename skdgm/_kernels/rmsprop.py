r"""One step of RMSProp on numbers in a row.

.. math:: g \leftarrow g - \lambda_1 \operatorname{sign}\theta - \lambda_2 \theta,
   \qquad s \leftarrow \rho s + (1 - \rho) g^2, \qquad
   u \leftarrow \mu u + \epsilon \, g / (\sqrt{s} + \delta), \qquad
   \theta \leftarrow \theta + u
"""

import numpy as np

from skdgm._kernels.jit import kernel


@kernel
def rmsprop(theta, u, s, g, rate, momentum, rho, delta, l1, l2, start, stop):
    """Move some of the numbers, in place."""
    one = theta.dtype.type(1)
    theta, u, s, g = theta[start:stop], u[start:stop], s[start:stop], g[start:stop]
    for i in range(len(theta)):
        sign = theta.dtype.type(theta[i] > 0) - theta.dtype.type(theta[i] < 0)
        grad = g[i] - l1 * sign - l2 * theta[i]
        s[i] = rho * s[i] + (one - rho) * grad * grad
        u[i] = momentum * u[i] + rate * grad / (np.sqrt(s[i]) + delta)
        theta[i] += u[i]
