r"""Building blocks of nets, with hand-written gradients.

A layer, and the gradients by its arguments given the gradient :math:`\bar y` by its
output [1]_, are

.. math:: y = f(x W + b), \qquad \delta = \bar y \odot f'(x W + b), \qquad
   \bar x = \delta W^\top, \quad \bar W = x^\top \delta, \quad
   \bar b = \textstyle\sum_r \delta_r

Each f' is computed from y, so that the backward pass needs only the output. Products
with sparse minibatches,

.. math:: x W = \sum_{i: x_i \ne 0} x_i W_i, \qquad
   \bar W_i = \sum_{r: x_{ri} \ne 0} x_{ri} \delta_r

are sums of a few rows of W and of :math:`\delta`. If one pixel in eight is on, they are
four times as fast as dense products.

Activation functions, whose derivatives are functions of their values, are

.. math:: \sigma(z), \quad \tanh z, \quad \max(0, z), \quad \max(0.01 z, z), \quad
   \log(1 + e^z), \quad \max_k z_k.

The last is the function of maxout units [2]_, which have several pre-activations each.

References
----------
.. [1] Rumelhart, Hinton and Williams (1986). Learning representations by
   back-propagating errors. Nature.
.. [2] Goodfellow, Warde-Farley, Mirza, Courville and Bengio (2013). Maxout networks.
   ICML.
"""

import numpy as np
from autograd.extend import defvjp, defvjp_argnums

from skdgm._kernels.machines.bernoulli import drop
from skdgm._kernels.nets import activations
from skdgm.nets.tape import Factors, primitive
from skdgm.utils.lists import Lists
from skdgm.utils.math import softplus
from skdgm.utils.products import matmul, product, tiles
from skdgm.utils.threading.parallel import run

# Costs of one entry, in multiply-adds.
_DROP_WORK, _BACK_WORK = 5, 4
# Largest share of nonzero entries for which lists are faster.
WORTHWHILE = 0.25
# Derivative of the leaky rectifier for negative numbers.
LEAK = 0.01


def lists_if_sparse(x):
    """Convert a batch, (n_rows, n_columns), to Lists if at most a quarter of it is
    nonzero. Otherwise, or if x is traced, return x."""
    if not isinstance(x, np.ndarray):
        return x
    rows = Lists.pack(np.ascontiguousarray(x))
    return rows if rows.count.sum() <= WORTHWHILE * x.size else x


@primitive
def dense(x, W, b, activation):
    """Fully connected layer, with outputs of shape (n_rows, n_above). x is an ndarray
    or Lists, (n_rows, n_below), W has shape (n_below, n_above) and b (n_above,).
    ``activation`` is one of ``ACTIVATIONS``."""
    if isinstance(x, Lists):
        z = product(x, tiles(W), W.shape[1])
        z += b
    else:
        z = matmul(x, W, b)
    return FORWARD[activation](z)


def _dense_back(argnums, y, args, kwargs):
    x, W, _, activation = args
    back = (
        lambda delta, _: matmul(delta, W.T),
        lambda delta, _: _transpose_times(x, delta),
        lambda _, total: total,
    )

    def backward(grad):
        delta, total = pull_back(activation, y, grad)
        return [back[argnum](delta, total) for argnum in argnums]

    return backward


defvjp_argnums(dense, _dense_back)


def _transpose_times(x, delta):
    if isinstance(x, Lists):
        return product(x.transposed(), tiles(delta), delta.shape[1])
    return Factors(x, delta)


@primitive
def columns(x, start, stop):
    """Select a range of columns, ``x[:, start:stop]``, as a view."""
    return x[:, start:stop]


def _columns_back(_, x, start, stop):
    def backward(grad):
        back = np.zeros_like(x)
        back[:, start:stop] = grad
        return back

    return backward


defvjp(columns, _columns_back, None, None)


@primitive
def drop_out(x, rate, rng):
    """Set random entries of x to zero, with probability ``rate``, and divide the others
    by 1 - rate. ``rng`` is one stream for all rows, (n_rows, n_columns), which are
    distinguished by their position."""
    real, ids, out = x.dtype.type, np.arange(len(x), dtype=np.uint64), np.empty_like(x)
    threshold, scale = np.uint32(rate * 2.0**32), real(1 / (1 - rate))
    root, work = np.uint64(rng.root), _DROP_WORK * x.size
    run(drop, x, root, ids, threshold, scale, out, n=len(x), work=work)
    return out


def _drop_out_back(_, x, rate, rng):
    # The backward pass drops the same entries.
    return lambda grad: drop_out(grad, rate, rng)


defvjp(drop_out, _drop_out_back, None, None)


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
ACTIVATIONS = tuple(FORWARD)


def pull_back(activation, y, grad, in_thread=False):
    """Gradient by pre-activations, of the shape of the outputs y, and its sums over
    rows, (n_units,), given the gradient by the outputs. ``in_thread`` is whether
    several threads are already in use."""
    if activation == "softplus":
        delta = grad * -np.expm1(-y)
        return delta, delta.sum(axis=0)
    dtype, shape = np.result_type(y, grad), y.shape
    y, grad = (
        np.ascontiguousarray(part, dtype).reshape(len(part), -1) for part in (y, grad)
    )
    delta, total = np.empty_like(y), np.zeros(y.shape[1], dtype)
    number, leak = activations.NUMBERS[activation], dtype.type(LEAK)
    n, work = len(total), 0 if in_thread else _BACK_WORK * y.size
    run(activations.pull_back, number, leak, y, grad, delta, total, n=n, work=work)
    return delta.reshape(shape), total


@primitive
def activate(z, activation):
    """Apply an activation function, one of ``ACTIVATIONS``, to pre-activations z."""
    return FORWARD[activation](z.copy())


defvjp(activate, lambda y, z, name: lambda grad: pull_back(name, y, grad)[0], None)


@primitive
def max_out(z, n_pieces):
    """Maximum of each group of ``n_pieces`` adjacent pre-activations, (n_rows, n_units)
    [2]_. z has shape (n_rows, n_units * n_pieces). The gradient goes to the first
    maximum."""
    return z.reshape(len(z), -1, n_pieces).max(axis=2)


def _max_out_back(y, z, n_pieces):
    pieces = z.reshape(len(z), -1, n_pieces)
    first = pieces.argmax(axis=2)[..., None] == np.arange(n_pieces)
    return lambda grad: (first * grad[..., None]).reshape(z.shape)


defvjp(max_out, _max_out_back, None)


@primitive
def gate(z):
    """First half of the pre-activations, times the logistic function of the second."""
    half = z.shape[1] // 2
    return z[:, :half] * _logistic(z[:, half:].copy())


def _gate_back(y, z):
    half = z.shape[1] // 2
    share = _logistic(z[:, half:].copy())

    def backward(grad):
        return np.concatenate([grad * share, grad * y * (1 - share)], axis=1)

    return backward


defvjp(gate, _gate_back)
