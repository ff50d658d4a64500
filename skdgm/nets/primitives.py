r"""What nets are made of, with slopes written by hand.

A layer, and what it makes of the slope :math:`\bar y` of its output [1]_:

.. math:: y = f(x W + b), \qquad \delta = \bar y \odot f'(x W + b), \qquad
   \bar x = \delta W^\top, \quad \bar W = x^\top \delta, \quad
   \bar b = \textstyle\sum_r \delta_r

Each f' is a function of y, so that nothing but the output is kept for the way back.

References
----------
.. [1] Rumelhart, Hinton and Williams (1986). Learning representations by
   back-propagating errors. Nature.
"""

import autograd.numpy  # noqa: F401  Which teaches autograd about arrays.
import numpy as np
from autograd.extend import defvjp, defvjp_argnums, primitive

from skdgm._kernels.bernoulli import drop
from skdgm.nets.activations import BACK, FORWARD
from skdgm.nets.listed import Listed
from skdgm.utils.parallel import run
from skdgm.utils.products import matmul

# What a number costs, in multiply-adds.
_DROP_WORK = 5


@primitive
def dense(x, W, b, activation):
    """A layer of units, each of which sees all of the layer below.

    Parameters
    ----------
    x : {ndarray, Listed} of shape (n_rows, n_below)
    W : ndarray of shape (n_below, n_above)
    b : ndarray of shape (n_above,)
    activation : {"identity", "logistic", "tanh", "relu", "leaky_relu", "softplus"}

    Returns
    -------
    y : ndarray of shape (n_rows, n_above)
    """
    z = x.times(W) if isinstance(x, Listed) else matmul(x, W)
    z += b
    return FORWARD[activation](z)


def _dense_back(argnums, y, args, kwargs):
    x, W, _, activation = args
    back = (
        lambda delta: matmul(delta, W.T),
        lambda delta: _turned(x, delta),
        lambda delta: delta.sum(axis=0),
    )

    def pull(slope):
        delta = BACK[activation](y, slope)
        return [back[argnum](delta) for argnum in argnums]

    return pull


defvjp_argnums(dense, _dense_back)


def _turned(x, delta):
    return x.turned_times(delta) if isinstance(x, Listed) else matmul(x.T, delta)


@primitive
def columns(x, start, stop):
    """Some of the columns, as an array of their own."""
    return x[:, start:stop]


def _columns_back(_, x, start, stop):
    def pull(slope):
        back = np.zeros_like(x)
        back[:, start:stop] = slope
        return back

    return pull


defvjp(columns, _columns_back, None, None)


@primitive
def drop_out(x, rate, rng):
    """Rows with a share of entries left out at random, and the others the larger.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_columns)
    rate : float
        The share, in [0, 1).
    rng : Stream
        One for all rows, which are told apart by their place.

    Returns
    -------
    x : ndarray of shape (n_rows, n_columns)
    """
    real, ids, out = x.dtype.type, np.arange(len(x), dtype=np.uint64), np.empty_like(x)
    numbers = np.uint32(rate * 2.0**32), real(1 / (1 - rate))
    arguments = x, np.uint64(rng.root), ids, *numbers, out
    run(drop, *arguments, n=len(x), work=_DROP_WORK * x.size)
    return out


# On the way back the same entries are left out.
defvjp(drop_out, lambda _, x, *how: lambda slope: drop_out(slope, *how), None, None)
