r"""Steps of optimizers on flat arrays.

With the gradient :math:`g \leftarrow g - \lambda_1 \operatorname{sign}\theta -
\lambda_2 \theta`, these are gradient ascent with momentum,

.. math:: u \leftarrow \mu u + \epsilon g, \qquad \theta \leftarrow \theta + u,

Adam,

.. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
   s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \qquad
   \theta \leftarrow \theta + \epsilon \, m / (\sqrt{s} + \delta),

RMSProp,

.. math:: s \leftarrow \rho s + (1 - \rho) g^2, \qquad
   u \leftarrow \mu u + \epsilon \, g / (\sqrt{s} + \delta), \qquad
   \theta \leftarrow \theta + u,

and a running mean of parameters,

.. math:: m \leftarrow m + w (\theta - m).
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.jit import kernel


class GradientStep(NamedTuple):
    """Learning rate, momentum and penalties, in the dtype of the parameters."""

    rate: float
    momentum: float
    l1: float
    l2: float


class AdamStep(NamedTuple):
    """Learning rate, decay rates, delta and penalties, in the dtype of the
    parameters."""

    rate: float
    beta_1: float
    beta_2: float
    delta: float
    l1: float
    l2: float


class RMSPropStep(NamedTuple):
    """Learning rate, momentum, decay rate, delta and penalties, in the dtype of the
    parameters."""

    rate: float
    momentum: float
    rho: float
    delta: float
    l1: float
    l2: float


@kernel
def sgd(theta, u, g, step, start, stop):
    """Update parameters ``start`` to ``stop``, in place."""
    rate, momentum, l1, l2 = step
    theta, u, g = theta[start:stop], u[start:stop], g[start:stop]
    for i in range(len(theta)):
        sign = theta.dtype.type(theta[i] > 0) - theta.dtype.type(theta[i] < 0)
        u[i] = momentum * u[i] + rate * (g[i] - l1 * sign - l2 * theta[i])
        theta[i] += u[i]


@kernel
def adam(theta, m, s, g, step, start, stop):
    """Update parameters ``start`` to ``stop``, in place."""
    rate, beta_1, beta_2, delta, l1, l2 = step
    one = theta.dtype.type(1)
    theta, m, s, g = theta[start:stop], m[start:stop], s[start:stop], g[start:stop]
    for i in range(len(theta)):
        sign = theta.dtype.type(theta[i] > 0) - theta.dtype.type(theta[i] < 0)
        grad = g[i] - l1 * sign - l2 * theta[i]
        m[i] = beta_1 * m[i] + (one - beta_1) * grad
        s[i] = beta_2 * s[i] + (one - beta_2) * grad * grad
        theta[i] += rate * m[i] / (np.sqrt(s[i]) + delta)


@kernel
def rmsprop(theta, u, s, g, step, start, stop):
    """Update parameters ``start`` to ``stop``, in place."""
    rate, momentum, rho, delta, l1, l2 = step
    one = theta.dtype.type(1)
    theta, u, s, g = theta[start:stop], u[start:stop], s[start:stop], g[start:stop]
    for i in range(len(theta)):
        sign = theta.dtype.type(theta[i] > 0) - theta.dtype.type(theta[i] < 0)
        grad = g[i] - l1 * sign - l2 * theta[i]
        s[i] = rho * s[i] + (one - rho) * grad * grad
        u[i] = momentum * u[i] + rate * grad / (np.sqrt(s[i]) + delta)
        theta[i] += u[i]


@kernel
def average(mean, theta, weight, start, stop):
    """Update means ``start`` to ``stop``, in place."""
    mean, theta = mean[start:stop], theta[start:stop]
    for i in range(len(mean)):
        mean[i] += weight * (theta[i] - mean[i])
