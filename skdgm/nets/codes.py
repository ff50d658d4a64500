r"""Sparse codes of autoencoders, and penalties on codes and on their Jacobian.

.. math:: \sum_k |h_k|, \qquad
   \Bigl\lVert \frac{\partial h}{\partial x} \Bigr\rVert_F^2 =
   \sum_k f'(z_k)^2 \lVert W_k \rVert^2 =
   \mathbb{E}_{v \sim \mathcal{N}(0, 1)} \Bigl[
   \Bigl\lVert \frac{\partial h}{\partial x} \, v \Bigr\rVert^2 \Bigr]

The sum over units is for encoders of a single layer [2]_, and the expectation of
squared directional derivatives is for encoders of any depth. In k-sparse codes, all
units but the k largest are 0 [1]_.

References
----------
.. [1] Makhzani and Frey (2014). k-sparse autoencoders. ICLR.
.. [2] Rifai, Vincent, Muller, Glorot and Bengio (2011). Contractive auto-encoders:
   explicit invariance during feature extraction. ICML.
"""

from functools import partial

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp
from autograd.tracer import getval

from skdgm.nets.adversarial.tangents import activation_tangent
from skdgm.nets.layers import Net, unweighted
from skdgm.nets.tape import primitive


def largest(n_active):
    """Layer that keeps the ``n_active`` largest entries of each row and sets others to
    0. Among equal entries, it keeps the first."""
    apply, tangent = _apply_largest, _tangent_largest
    return Net(unweighted, partial(apply, n_active), partial(tangent, n_active))


def _apply_largest(n_active, params, statistics, x, rng=None, train=False):
    return masked(x, _kept(getval(x), n_active)), statistics


def _tangent_largest(n_active, params, statistics, x, dx, rng=None, train=False):
    mask = _kept(getval(x), n_active)
    return masked(x, mask), masked(dx, mask)


def _kept(x, n_active):
    """Mask of the ``n_active`` largest entries of each row."""
    order = np.argsort(-x, axis=1, kind="stable")[:, :n_active]
    mask = np.zeros(x.shape, bool)
    np.put_along_axis(mask, order, True, axis=1)
    return mask


@primitive
def masked(x, kept):
    """Entries of x where the mask ``kept`` is True, 0 elsewhere."""
    return np.where(kept, x, x.dtype.type(0))


defvjp(masked, lambda _, x, kept: lambda grad: np.where(kept, grad, 0), None)


@primitive
def absolute(h):
    """Sum of the absolute values of each row, (n_rows,)."""
    return np.abs(h).sum(axis=1)


defvjp(absolute, lambda _, h: lambda grad: grad[:, None] * np.sign(h))


@primitive
def scale_gradient(h, weight):
    """Identity whose gradient is multiplied by a weight."""
    return h


defvjp(
    scale_gradient,
    lambda _, h, weight: lambda grad: grad * grad.dtype.type(weight),
    None,
)


def squared_slopes(h, W, activation):
    """Squared norm of the Jacobian of a dense layer for each row, (n_rows,), given its
    units h and weights W."""
    ones = np.ones_like(getval(h))
    slopes = ones if activation == "identity" else _slopes(h, ones, activation)
    return anp.dot(slopes * slopes, anp.sum(W * W, axis=0))


def _slopes(h, ones, activation):
    return activation_tangent(
        h if activation not in _KINKED else getval(h), ones, activation
    )


# Activation functions with piecewise-constant slopes.
_KINKED = "relu", "leaky_relu"


def squared_along(net, params, statistics, x, directions):
    """Squared norm of the derivative of a net's outputs along directions of the rows,
    (n_rows,), differentiable by parameters."""
    _, along = net.tangent(params, statistics, x, directions)
    return anp.sum(along * along, axis=1)
