r"""One step of gradient ascent with momentum, on numbers in a row.

.. math:: u \leftarrow \mu u + \epsilon (g - \lambda_1 \operatorname{sign}\theta -
   \lambda_2 \theta), \qquad \theta \leftarrow \theta + u
"""

from skdgm._kernels.jit import kernel


@kernel
def sgd(theta, u, g, rate, momentum, l1, l2, start, stop):
    """Move some of the numbers, in place."""
    theta, u, g = theta[start:stop], u[start:stop], g[start:stop]
    for i in range(len(theta)):
        sign = theta.dtype.type(theta[i] > 0) - theta.dtype.type(theta[i] < 0)
        u[i] = momentum * u[i] + rate * (g[i] - l1 * sign - l2 * theta[i])
        theta[i] += u[i]
