r"""Tied weights of autoregressive models, whose conditionals share hidden units:

.. math:: h_t = f\Bigl(\rho_t \bigl(c + \sum_{i < t} x_i W_i\bigr)\Bigr), \qquad
   z_t = b_t + V_t h_t.

Pre-activations of hidden units accumulate from column to column, so that all columns
together cost as much as one layer [1]_. With real columns, whose terms are all nonzero,
pre-activations are multiplied by a factor :math:`\rho_t` for each column [2]_.

References
----------
.. [1] Larochelle and Murray (2011). The neural autoregressive distribution estimator.
   AISTATS.
.. [2] Uria, Murray and Larochelle (2013). RNADE: the real-valued neural autoregressive
   density-estimator. NIPS.
"""

from typing import NamedTuple

import numpy as np
from autograd.extend import defvjp, defvjp_argnums

from skdgm._kernels.compiler.cache_blocks import STEP
from skdgm._kernels.machines import hidden
from skdgm._kernels.nets import nade as kernels
from skdgm._kernels.sparse.lists import RowLists
from skdgm.nets import wide
from skdgm.nets.feed_forward import Layer
from skdgm.nets.stochastic.bernoulli_latents import tied_bits
from skdgm.nets.tape import primitive
from skdgm.utils.lists import Lists
from skdgm.utils.threading.parallel import run

KINDS = {"logistic": hidden.LOGISTIC, "tanh": hidden.TANH, "relu": hidden.RELU}
# Cost of an activation function in multiply-adds; number of rows of a block.
_WORK, _ROWS = 20, 16


@primitive
def pick(x, index, axis=-1):
    """Select columns, or rows along axis 0, by an index without repetitions. With
    repetitions, the gradient would be wrong."""
    return np.take(x, index, axis=axis)


def _pick_back(_, x, index, axis=-1):
    def backward(grad):
        back = np.zeros_like(x)
        if axis == 0:
            back[index] = grad
        else:
            back[..., index] = grad
        return back

    return backward


defvjp(pick, _pick_back, None, None)


@primitive
def pick_sorted(x, index):
    """Select rows by an index in increasing order, with or without repetitions."""
    return np.take(x, index, axis=0)


def _pick_sorted_back(_, x, index):
    def backward(grad):
        back = np.zeros_like(x)
        rows, first = np.unique(index, return_index=True)
        back[rows] = np.add.reduceat(grad, first, axis=0)
        return back

    return backward


defvjp(pick_sorted, _pick_sorted_back, None)


@primitive
def join_columns(a, b):
    """Concatenate the columns of two arrays of the same number of rows."""
    return np.concatenate([a, b], axis=1)


defvjp(
    join_columns,
    lambda _, a, b: lambda grad: grad[:, : a.shape[1]],
    lambda _, a, b: lambda grad: grad[:, a.shape[1] :],
)


@primitive
def moved(x, factor, shift, slope):
    """Multiply the columns of x by factors, (n_columns,), and add shifts,
    (n_rows, n_columns). Gradients are multiplied by ``slope``, (n_columns,), in place
    of the factors."""
    return x * factor.astype(x.dtype) + shift.astype(x.dtype)


defvjp(
    moved,
    lambda _, x, factor, shift, slope: lambda grad: grad * slope.astype(x.dtype),
    None,
    None,
    None,
)


class Tied(NamedTuple):
    """Parameters of tied conditionals. Layer ``below`` has W, (n_inputs, n_units), and
    c; layer ``above`` has V, (n_outputs, n_units), and b. ``rho`` has the factor of
    each column, or is empty if all factors are 1."""

    below: Layer
    above: Layer
    rho: np.ndarray


class Shape(NamedTuple):
    """Columns of inputs and outputs, and the activation function. ``columns`` is the
    column of each input, not decreasing. ``edges`` is the first output of each column,
    followed by the number of outputs. ``kind`` is a value of ``KINDS``."""

    columns: np.ndarray
    edges: np.ndarray
    kind: int


@primitive
def tied(x, shape, W, c, rho, V, b):
    """Outputs of all columns, (n_rows, n_outputs), each given the inputs of previous
    columns. Inputs x have shape (n_rows, n_inputs), and parameters are those of
    :class:`Tied`. Each row of c belongs to the same number of consecutive rows of x.
    Gradients are defined for the parameters, not for x."""
    c = np.ascontiguousarray(np.atleast_2d(c))
    if wide.worthwhile(shape.columns, shape.edges):
        return wide.forward(x, shape.kind, W, c, rho, V, b)
    z = np.empty((len(x), len(b)), b.dtype)
    # Weights are copied for each block of rows.
    run(
        kernels.forward,
        _listed(x),
        (W, c, rho, V, b),
        shape,
        z,
        n=len(x),
        work=_work(x, shape, c),
        step=_ROWS,
    )
    return z


def _tied_back(argnums, z, args, kwargs):
    x, shape, W, c, rho, V, b = args
    net = W, np.ascontiguousarray(np.atleast_2d(c)), rho, V, b

    def backward(grad):
        if wide.worthwhile(shape.columns, shape.edges):
            dW, dc, drho, dV, db = wide.backward(x, shape.kind, net, grad)
            grads = dW, dc.reshape(c.shape), drho, dV, db
            return [grads[argnum - 2] for argnum in argnums]
        dW, dc, dV = (np.zeros_like(array) for array in (W, net[1], V))
        drho = np.zeros((W.shape[1], len(rho)), c.dtype)
        # Blocks of units as wide as the kernel's loops.
        run(
            kernels.backward,
            _listed(x),
            net,
            shape,
            grad,
            (dW, dc, drho, dV),
            n=W.shape[1],
            work=2 * _work(x, shape, c),
            step=STEP,
        )
        grads = dW, dc.reshape(c.shape), drho.sum(axis=0), dV, grad.sum(axis=0)
        return [grads[argnum - 2] for argnum in argnums]

    return backward


defvjp_argnums(tied, _tied_back)


def draw_bits(params, v, rng, kind):
    """Impute the missing bits of rows v, (n_rows, n_columns), by ancestral sampling.
    ``params`` is a :class:`Tied` with one input and one output for each column, ``rng``
    has one stream for each row, and ``kind`` is a value of ``KINDS``."""
    (W, c), (V, b), rho = params
    return tied_bits((W, c, rho, V, b), kind, v, rng.uniform(v.shape[1], v.dtype.type))


def _listed(x):
    lists = Lists.pack(x)
    return RowLists(lists.index, lists.value, lists.count)


def _work(x, shape, c):
    n_units = c.shape[-1]
    return len(x) * n_units * (shape.edges[-1] + _WORK * np.count_nonzero(x[0]))
