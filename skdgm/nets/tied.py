r"""Hidden units that are shared by all conditionals, each of which sees a part.

.. math:: h_t = f\Bigl(\rho_t \bigl(c + \sum_{i < t} x_i W_i\bigr)\Bigr), \qquad
   z_t = b_t + V_t h_t

The work of all columns is that of one layer [1]_: what hidden units hear grows from
column to column. Real numbers, of which all are heard at once in the end, want it
scaled by a factor :math:`\rho_t` for each column [2]_.

References
----------
.. [1] Larochelle and Murray (2011). The neural autoregressive distribution estimator.
   AISTATS.
.. [2] Uria, Murray and Larochelle (2013). RNADE: the real-valued neural autoregressive
   density-estimator. NIPS.
"""

from typing import NamedTuple

import autograd.numpy  # noqa: F401  Which teaches autograd about arrays.
import numpy as np
from autograd.extend import defvjp_argnums, primitive

from skdgm._kernels import hidden
from skdgm._kernels import tied as kernels
from skdgm._kernels.tied_draw import draw
from skdgm.nets.feed_forward import Layer
from skdgm.utils.lists import Lists
from skdgm.utils.parallel import run

KINDS = {"logistic": hidden.LOGISTIC, "tanh": hidden.TANH, "relu": hidden.RELU}
# What a hidden unit's non-linearity costs, in multiply-adds.
_WORK = 20


class Tied(NamedTuple):
    """Parameters.

    Parameters
    ----------
    below : Layer
        W of shape (n_inputs, n_units), and c.
    above : Layer
        V of shape (n_outputs, n_units), and b.
    rho : ndarray of shape (n_columns,) or (0,)
        Without them all factors are 1.
    """

    below: Layer
    above: Layer
    rho: np.ndarray


class Shape(NamedTuple):
    """What belongs to which column.

    Parameters
    ----------
    columns : ndarray of shape (n_inputs,), int
        The column of each input; columns are in order.
    edges : ndarray of shape (n_columns + 1,), int
        Where each column's outputs begin.
    kind : int
        One of ``KINDS``.
    """

    columns: np.ndarray
    edges: np.ndarray
    kind: int


@primitive
def tied(x, shape, W, c, rho, V, b):
    """Outputs of all columns, each of which sees the inputs of those before.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_inputs)
    shape : Shape
    W, c, rho, V, b : ndarray
        As of :class:`Tied`.

    Returns
    -------
    z : ndarray of shape (n_rows, n_outputs)
    """
    z, given, net = np.empty((len(x), len(b)), b.dtype), _listed(x), (W, c, rho, V, b)
    given += shape.columns, shape.edges, net, shape.kind, z
    run(kernels.forward, *given, n=len(x), work=_work(x, shape, c))
    return z


def _tied_back(argnums, z, args, kwargs):
    x, shape, *net = args
    _, c, rho, *_ = net

    def pull(slope):
        dW, dc, dV = (np.zeros_like(part) for part in (net[0], c, net[3]))
        drho, given = np.zeros((len(c), len(rho)), c.dtype), _listed(x)
        given += shape.columns, shape.edges, tuple(net), shape.kind, slope
        slopes, work = (dW, dc, drho, dV), 2 * _work(x, shape, c)
        run(kernels.backward, *given, slopes, n=len(c), work=work)
        found = dW, dc, drho.sum(axis=0), dV, slope.sum(axis=0)
        return [found[argnum - 2] for argnum in argnums]

    return pull


defvjp_argnums(tied, _tied_back)


def draw_bits(params, v, rng, kind):
    """Rows of bits whose missing ones are drawn, each given those before it.

    Parameters
    ----------
    params : Tied
        With an input and an output for each column.
    v : ndarray of shape (n_rows, n_columns)
        NaN where missing.
    rng : Stream
        One for each row.
    kind : int
        One of ``KINDS``.
    """
    (W, c), (V, b), rho = params
    v, luck = v.copy(), rng.uniform(v.shape[1], v.dtype.type)
    work = v.size * len(c)
    run(draw, (W, c, rho, V, b), kind, luck, v, n=len(v), work=work)
    return v


def _listed(x):
    lists = Lists.pack(x)
    return lists.index, lists.value, lists.count


def _work(x, shape, c):
    return len(x) * len(c) * (shape.edges[-1] + _WORK * np.count_nonzero(x[0]))
