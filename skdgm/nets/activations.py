r"""Activation functions, with derivatives as functions of their values.

.. math:: \sigma(z), \quad \tanh z, \quad \max(0, z), \quad \max(0.01 z, z), \quad
   \log(1 + e^z), \quad \max_k z_k

The last is that of maxout units [1]_, which have several pre-activations each.

References
----------
.. [1] Goodfellow, Warde-Farley, Mirza, Courville and Bengio (2013). Maxout networks.
   ICML.
"""

import autograd.numpy  # noqa: F401  Registers NumPy arrays with autograd.
import numpy as np
from autograd.extend import defvjp, primitive

from skdgm.utils.math import softplus

# Derivative of the leaky rectifier for negative numbers.
LEAK = 0.01


def _logistic(z):
    with np.errstate(over="ignore"):
        np.exp(np.negative(z, out=z), out=z)
    z += 1
    return np.reciprocal(z, out=z)


# Each may overwrite its argument.
FORWARD = {
    "identity": lambda z: z,
    "logistic": _logistic,
    "tanh": lambda z: np.tanh(z, out=z),
    "relu": lambda z: np.maximum(z, 0, out=z),
    "leaky_relu": lambda z: np.maximum(z, z.dtype.type(LEAK) * z, out=z),
    "softplus": lambda z: softplus(z),
}
# Vector-Jacobian products, from the output and the gradient by it.
BACK = {
    "identity": lambda y, grad: grad,
    "logistic": lambda y, grad: grad * (y * (1 - y)),
    "tanh": lambda y, grad: grad * (1 - y * y),
    "relu": lambda y, grad: grad * (y > 0),
    "leaky_relu": lambda y, grad: grad * np.where(y > 0, 1, y.dtype.type(LEAK)),
    "softplus": lambda y, grad: grad * -np.expm1(-y),
}
ACTIVATIONS = tuple(FORWARD)


@primitive
def activate(z, activation):
    """Apply an activation function.

    Parameters
    ----------
    z : ndarray of shape (n_rows, n_units)
        Pre-activations; not changed.
    activation : str
        One of ``ACTIVATIONS``, as for :func:`~skdgm.nets.dense`.

    Returns
    -------
    y : ndarray of shape (n_rows, n_units)
    """
    return FORWARD[activation](z.copy())


defvjp(activate, lambda y, z, name: lambda grad: BACK[name](y, grad), None)


@primitive
def max_out(z, n_pieces):
    """Maximum over each group of adjacent pre-activations, as in maxout [1]_.

    Parameters
    ----------
    z : ndarray of shape (n_rows, n_units * n_pieces)
    n_pieces : int
        Number of pre-activations of a unit. The gradient goes to the first maximum.

    Returns
    -------
    y : ndarray of shape (n_rows, n_units)
    """
    return z.reshape(len(z), -1, n_pieces).max(axis=2)


def _max_out_back(y, z, n_pieces):
    pieces = z.reshape(len(z), -1, n_pieces)
    first = pieces.argmax(axis=2)[..., None] == np.arange(n_pieces)
    return lambda grad: (first * grad[..., None]).reshape(z.shape)


defvjp(max_out, _max_out_back, None)
