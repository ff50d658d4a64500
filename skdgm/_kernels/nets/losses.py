r"""Losses of rows of outputs, and their gradients, in one pass.

The loss of bits t with log odds z is

.. math:: \ell(z, t) = \sum_j \log(1 + e^{z_j}) - t_j z_j, \qquad
   \partial \ell / \partial z_j = \sigma(z_j) - t_j

Several consecutive rows of outputs may share a row of targets; targets that are NaN are
ignored.
"""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.bernoulli import sum_logs


@kernel
def log_loss(z, t, out, start, stop):
    """Write the loss of each row to ``out``."""
    work, share = np.empty((2, z.shape[1])), len(z) // len(t)
    terms, factors = work[0], work[1]
    for r in range(start, stop):
        row, target = z[r], t[r // share]
        for j in range(len(terms)):
            value, label = row[j], target[j]
            size = value if value > 0 else -value
            term = (value if value > 0 else 0 * value) - label * value
            known = label == label
            terms[j] = term if known else 0.0
            factors[j] = np.float64(exp(-size)) + 1.0 if known else 1.0
        out[r] = sum_logs(terms, factors)


@kernel
def log_loss_grad(z, t, weight, out, start, stop):
    """Write the gradient of the loss, times the weight of each row, to ``out``."""
    one, share = z.dtype.type(1), len(z) // len(t)
    for r in range(start, stop):
        row, target, grad, times = z[r], t[r // share], out[r], weight[r]
        for j in range(len(grad)):
            label = target[j]
            gap = times * (one / (one + exp(-row[j])) - label)
            grad[j] = gap if label == label else 0 * times
