r"""Free energies of restricted Boltzmann machines whose biases are outputs of a net.

.. math:: F(v) = -\sum_i b_i(v) - \sum_j \zeta(c_j + y_j) - \tfrac12 y_j, \qquad
   y = (x - \mu)^\top W, \qquad \zeta(a) = \log(1 + e^a)

A bit or one-hot entry v has :math:`x = v` and :math:`b(v) = b v`. A real number of log
precision :math:`\ell` has :math:`x = e^{\ell/2} v` and :math:`b(v) = -\frac12 (x -
e^{\ell/2} b)^2`. The gradient of the log-likelihood is the difference of the expected
gradients of F under the model and under the data [1]_. Units are centered, with
couplings :math:`(x - \mu)^\top W (h - \frac12)`. Otherwise the gradient by W would be
nearly that by the biases, and all units would become alike [2]_.

References
----------
.. [1] Hinton (2002). Training products of experts by minimizing contrastive divergence.
   Neural Computation.
.. [2] Montavon and Müller (2012). Deep Boltzmann machines and the centering trick.
   Neural Networks: Tricks of the Trade.
"""

import numpy as np
from autograd.extend import defvjp_argnums

from skdgm.nets.tape import primitive
from skdgm.utils.math import sigmoid, softplus
from skdgm.utils.products import matmul


@primitive
def free_energy(v, real, center, W, c, b, precision):
    """Free energy of each row, (n_rows,).

    Rows v, (n_rows, n_visible), have bits, one-hot entries and real numbers, and
    ``real`` is the mask of real columns. ``center`` are offsets of x, (n_visible,); c
    and b are biases of each row, (n_rows, n_hidden) and (n_rows, n_visible);
    ``precision`` are log precisions of real columns, (n_real,).
    """
    x = statistic(v, real, precision)
    y = matmul(x - center, W)
    energy = (0.5 * y - softplus(c + y)).sum(axis=1)
    if not real.any():
        return energy - (v * b).sum(axis=1)
    gap = x[:, real] - np.exp(precision / 2) * b[:, real]
    energy += 0.5 * (gap**2).sum(axis=1)
    return energy - (v[:, ~real] * b[:, ~real]).sum(axis=1)


def _free_energy_back(argnums, _, args, kwargs):
    v, real, center, W, c, b, precision = args

    def backward(grad):
        x, weight = statistic(v, real, precision), grad[:, None]
        h = sigmoid(c + matmul(x - center, W))
        centered, h = weight * (h - x.dtype.type(0.5)), weight * h
        db, dl = -weight * v, np.zeros_like(precision)
        if real.any():
            scale = np.exp(precision / 2)
            gap = x[:, real] - scale * b[:, real]
            db[:, real] = -weight * scale * gap
            back = matmul(centered, np.ascontiguousarray(W[real].T)) * x[:, real]
            dl = 0.5 * (weight * gap**2 - back).sum(axis=0)
        grads = -matmul((x - center).T, centered), -h, db, dl
        return [grads[argnum - 3] for argnum in argnums]

    return backward


defvjp_argnums(free_energy, _free_energy_back)


@primitive
def statistic(v, real, precision):
    """Inputs x of the couplings, (n_rows, n_visible)."""
    if not real.any():
        return v
    x = v.copy()
    x[:, real] *= np.exp(precision / 2)
    return x


def _statistic_back(argnums, x, args, kwargs):
    _, real, _ = args
    return lambda grad: [0.5 * (grad[:, real] * x[:, real]).sum(axis=0)] * len(argnums)


defvjp_argnums(statistic, _statistic_back)
