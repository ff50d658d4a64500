r"""Free energies of restricted Boltzmann machines whose biases are a net's outputs.

.. math:: F(v) = -\sum_i b_i(v) - \sum_j \zeta(c_j + y_j) - \tfrac12 y_j, \qquad
   y = (x - \mu)^\top W, \qquad \zeta(a) = \log(1 + e^a)

where a bit or one-hot entry v has :math:`x = v`, :math:`b(v) = b v`, and a real number
of log precision :math:`\ell` has :math:`x = e^{\ell/2} v`,
:math:`b(v) = -\frac12 (x - e^{\ell/2} b)^2`. The gradient of the log-likelihood is the
difference of two gradients of F, by data and by draws of the model [1]_. The couplings
are of centred units, :math:`(x - \mu)^\top W (h - \frac12)`: without that the gradient
by W is mostly that by the biases, and units all learn the same [2]_.

References
----------
.. [1] Hinton (2002). Training products of experts by minimizing contrastive divergence.
   Neural Computation.
.. [2] Montavon and Müller (2012). Deep Boltzmann machines and the centering trick.
   Neural Networks: Tricks of the Trade.
"""

import numpy as np
from autograd.extend import defvjp_argnums
from scipy.special import expit

from skdgm.nets.tape import primitive
from skdgm.utils.math import softplus
from skdgm.utils.products import matmul


@primitive
def free_energy(v, real, centre, W, c, b, precision):
    """Free energy of each row, of shape (n_rows,).

    Parameters
    ----------
    v : ndarray of shape (n_rows, n_visible)
        Bits, one-hot entries and real numbers.
    real : ndarray of bool, of shape (n_visible,)
        Which of them are real.
    centre : ndarray of shape (n_visible,)
        Offsets of x.
    W : ndarray of shape (n_visible, n_hidden)
    c, b : ndarray of shape (n_rows, n_hidden) and (n_rows, n_visible)
        Biases of each row.
    precision : ndarray of shape (n_real,)
        Log precisions of real numbers.
    """
    x = statistic(v, real, precision)
    y = matmul(x - centre, W)
    energy = (0.5 * y - softplus(c + y)).sum(axis=1)
    if not real.any():
        return energy - (v * b).sum(axis=1)
    gap = x[:, real] - np.exp(precision / 2) * b[:, real]
    energy += 0.5 * (gap**2).sum(axis=1)
    return energy - (v[:, ~real] * b[:, ~real]).sum(axis=1)


def _free_energy_back(argnums, _, args, kwargs):
    v, real, centre, W, c, b, precision = args

    def backward(grad):
        x, weight = statistic(v, real, precision), grad[:, None]
        h = expit(c + matmul(x - centre, W))
        apart, h = weight * (h - x.dtype.type(0.5)), weight * h
        db, dl = -weight * v, np.zeros_like(precision)
        if real.any():
            scale = np.exp(precision / 2)
            gap = x[:, real] - scale * b[:, real]
            db[:, real] = -weight * scale * gap
            back = matmul(apart, np.ascontiguousarray(W[real].T)) * x[:, real]
            dl = 0.5 * (weight * gap**2 - back).sum(axis=0)
        grads = -matmul((x - centre).T, apart), -h, db, dl
        return [grads[argnum - 3] for argnum in argnums]

    return backward


defvjp_argnums(free_energy, _free_energy_back)


@primitive
def statistic(v, real, precision):
    """Entries as hidden units see them: real ones times the root of their precision."""
    if not real.any():
        return v
    x = v.copy()
    x[:, real] *= np.exp(precision / 2)
    return x


def _statistic_back(argnums, x, args, kwargs):
    _, real, _ = args
    return lambda grad: [0.5 * (grad[:, real] * x[:, real]).sum(axis=0)] * len(argnums)


defvjp_argnums(statistic, _statistic_back)
