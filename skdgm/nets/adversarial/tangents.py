r"""Directional derivatives of nets, and penalties on gradients by the input.

Layers and activation functions map inputs x with directions :math:`\dot x` to outputs
with directional derivatives [1]_,

.. math:: z = x W + b, \quad \dot z = \dot x W, \qquad
   y = f(z), \quad \dot y = f'(z) \odot \dot z,

by differentiable functions, so that second derivatives are gradients of :math:`\dot y`.
The norm of the gradient of a critic D is the derivative along its direction,

.. math:: \lVert \nabla_x D \rVert = v^\top \nabla_x D, \quad
   v = \frac{\nabla_x D}{\lVert \nabla_x D \rVert}, \qquad
   \nabla_\theta \lVert \nabla_x D \rVert = \nabla_\theta (v^\top \nabla_x D)
   \quad \text{for fixed } v,

because changes of a unit vector are orthogonal to it. An update with the penalty
:math:`(\lVert \nabla_x D \rVert - 1)^2` [2]_ thus needs a gradient by x, and the
gradient by the parameters of a forward pass with directions.

References
----------
.. [1] Pearlmutter (1994). Fast exact multiplication by the Hessian. Neural Computation.
.. [2] Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville (2017). Improved training of
   Wasserstein GANs. NIPS.
"""

import numpy as np
from autograd.extend import defvjp
from autograd.tracer import getval

from skdgm.nets.losses import row_mean
from skdgm.nets.primitives import activate, pull_back
from skdgm.nets.tape import primitive, vjp
from skdgm.utils.tree import tree_map

# Derivatives of slopes f' by the value f, where these are not zero.
_CURVES = {
    "logistic": lambda y: 1 - 2 * y,
    "tanh": lambda y: -2 * y,
    "softplus": lambda y: np.exp(-y),
}


@primitive
def activation_tangent(y, dz, activation):
    """Derivative of an activation function with values y, along a direction dz of the
    pre-activations, of the same shape."""
    return pull_back(activation, y, dz)[0]


defvjp(
    activation_tangent,
    lambda _, y, dz, name: lambda grad: grad * dz * _CURVES[name](y),
    lambda _, y, dz, name: lambda grad: pull_back(name, y, grad)[0],
    None,
)


def activated(z, dz, activation):
    """Values of an activation function at z, and derivatives along a direction dz."""
    if activation == "identity":
        return z, dz
    y = activate(z, activation)
    return y, activation_tangent(
        y if activation in _CURVES else getval(y), dz, activation
    )


@primitive
def maxout_tangent(z, dz, n_pieces):
    """Directional derivatives of maxout units, (n_rows, n_units): the entries of dz at
    the maxima of z. Both arrays have shape (n_rows, n_units * n_pieces)."""
    pieces = dz.reshape(len(dz), -1, n_pieces)
    return np.take_along_axis(pieces, _largest(z, n_pieces), axis=2)[..., 0]


def _largest(z, n_pieces):
    return z.reshape(len(z), -1, n_pieces).argmax(axis=2)[..., None]


def _at_largest_back(_, z, dz, n_pieces):
    def backward(grad):
        back = np.zeros((*grad.shape, n_pieces), grad.dtype)
        np.put_along_axis(back, _largest(z, n_pieces), grad[..., None], axis=2)
        return back.reshape(dz.shape)

    return backward


defvjp(
    maxout_tangent,
    lambda _, z, *rest: lambda grad: np.zeros_like(z),
    _at_largest_back,
    None,
)


def gradient_norm(net, params, statistics, x, rng=None, train=False):
    """Norm of the gradient of a net's output by each row, (n_rows,), differentiable by
    params.

    Several outputs are averaged. No other argument may be traced. With ``rng`` and
    ``train``, the same units are dropped out in both passes. ValueError is raised for
    layers without second derivatives, such as batch normalization.
    """
    fixed = tree_map(getval, params)

    def outputs(rows):
        return net.apply(fixed, statistics, rows[0], rng=rng, train=train)[0]

    def mean(y):
        return np.full_like(y, 1 / y.shape[1])

    _, (slope,) = vjp(outputs, (x,), mean)
    norm = np.sqrt(np.einsum("ij,ij->i", slope, slope))[:, None]
    direction = slope / np.where(norm > 0, norm, 1)
    _, along = net.tangent(params, statistics, x, direction, rng=rng, train=train)
    return row_mean(along)


def gradient_penalty(net, params, statistics, x, target=1.0, rng=None, train=False):
    """Squared difference of each row's :func:`gradient_norm` and a target, (n_rows,).
    It is differentiable by ``params`` only; the gradient is zero where the net does not
    depend on a row."""
    gap = gradient_norm(net, params, statistics, x, rng, train) - target
    return gap * gap
