r"""Codes of autoencoders: sparse ones, and penalties on codes and on their Jacobian.

.. math:: \sum_k |h_k|, \qquad
   \Bigl\lVert \frac{\partial h}{\partial x} \Bigr\rVert_F^2 =
   \sum_k f'(z_k)^2 \lVert W_k \rVert^2 =
   \mathbb{E}_{v \sim \mathcal{N}(0, 1)} \Bigl[
   \Bigl\lVert \frac{\partial h}{\partial x} \, v \Bigr\rVert^2 \Bigr]

for units of a single layer [2]_, and for encoders of any depth, of which derivatives
along directions are known. All but the largest units of sparse codes are 0 [1]_.

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

from skdgm.nets.adversarial.tangents import bend
from skdgm.nets.layers import Net, unweighted
from skdgm.nets.tape import primitive


def largest(n_active):
    """Net that keeps the ``n_active`` largest entries of each row, the first ones among
    equals; all others become 0."""
    apply, tangent = _apply_largest, _tangent_largest
    return Net(unweighted, partial(apply, n_active), partial(tangent, n_active))


def _apply_largest(n_active, params, statistics, x, rng=None, train=False):
    return masked(x, _kept(getval(x), n_active)), statistics


def _tangent_largest(n_active, params, statistics, x, dx, rng=None, train=False):
    kept = _kept(getval(x), n_active)
    return masked(x, kept), masked(dx, kept)


def _kept(x, n_active):
    """Mask of the largest entries of each row."""
    order = np.argsort(-x, axis=1, kind="stable")[:, :n_active]
    kept = np.zeros(x.shape, bool)
    np.put_along_axis(kept, order, True, axis=1)
    return kept


@primitive
def masked(x, kept):
    """Entries of x where ``kept``, a mask of the same shape; 0 elsewhere."""
    return np.where(kept, x, x.dtype.type(0))


defvjp(masked, lambda _, x, kept: lambda grad: np.where(kept, grad, 0), None)


@primitive
def absolute(h):
    """Sum of the absolute values of each row, (n_rows,)."""
    return np.abs(h).sum(axis=1)


defvjp(absolute, lambda _, h: lambda grad: grad[:, None] * np.sign(h))


@primitive
def heard(h, weight):
    """Codes as they are, whose gradient is multiplied by a weight."""
    return h


defvjp(heard, lambda _, h, weight: lambda grad: grad * grad.dtype.type(weight), None)


def squared_slopes(h, W, activation):
    """Squared norm of the Jacobian of a dense layer by each of its rows, (n_rows,),
    given values h of its units and weights W."""
    ones = np.ones_like(getval(h))
    slopes = ones if activation == "identity" else _slopes(h, ones, activation)
    return anp.dot(slopes * slopes, anp.sum(W * W, axis=0))


def _slopes(h, ones, activation):
    return bend(h if activation not in _KINKED else getval(h), ones, activation)


# Slopes of these are constant but for jumps.
_KINKED = "relu", "leaky_relu"


def squared_along(net, params, statistics, x, directions):
    """Squared norm of the derivative of a net's outputs along directions of the rows x,
    (n_rows,), differentiable by parameters."""
    _, along = net.tangent(params, statistics, x, directions)
    return anp.sum(along * along, axis=1)
