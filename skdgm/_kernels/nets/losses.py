r"""Losses of rows of outputs, and their grads, in one pass each.

Of bits, with z their log odds:

.. math:: \ell(z, t) = \sum_j \log(1 + e^{z_j}) - t_j z_j, \qquad
   \partial \ell / \partial z_j = \sigma(z_j) - t_j

Several rows of outputs may have a row of targets in common, one after the other; what
is NaN does not count.
"""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.bernoulli import sum_logs


@kernel
def log_loss(z, t, out, start, stop):
    """The loss of each row, into ``out``."""
    room, share = np.empty((2, z.shape[1])), len(z) // len(t)
    terms, factors = room[0], room[1]
    for r in range(start, stop):
        row, target = z[r], t[r // share]
        for j in range(len(terms)):
            value, wanted = row[j], target[j]
            size = value if value > 0 else -value
            term = (value if value > 0 else 0 * value) - wanted * value
            known = wanted == wanted
            terms[j] = term if known else 0.0
            factors[j] = np.float64(exp(-size)) + 1.0 if known else 1.0
        out[r] = sum_logs(terms, factors)


@kernel
def log_loss_grad(z, t, weight, out, start, stop):
    """The loss's grad times each row's weight, into ``out``."""
    one, share = z.dtype.type(1), len(z) // len(t)
    for r in range(start, stop):
        row, target, grad, times = z[r], t[r // share], out[r], weight[r]
        for j in range(len(grad)):
            wanted = target[j]
            gap = times * (one / (one + exp(-row[j])) - wanted)
            grad[j] = gap if wanted == wanted else 0 * times
