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
from skdgm.utils.parallel import matmul, run

# What a number costs, in multiply-adds.
_DROP_WORK = 5


def _logistic(z):
    with np.errstate(over="ignore"):
        np.exp(np.negative(z, out=z), out=z)
    z += 1
    return np.reciprocal(z, out=z)


# Each works in place.
_ACTIVATIONS = {
    "identity": lambda z: z,
    "logistic": _logistic,
    "tanh": lambda z: np.tanh(z, out=z),
    "relu": lambda z: np.maximum(z, 0, out=z),
}
# From the output, and the slope of it.
_BACK = {
    "identity": lambda y, slope: slope,
    "logistic": lambda y, slope: slope * (y * (1 - y)),
    "tanh": lambda y, slope: slope * (1 - y * y),
    "relu": lambda y, slope: slope * (y > 0),
}


@primitive
def dense(x, W, b, activation):
    """A layer of units, each of which sees all of the layer below.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_below)
    W : ndarray of shape (n_below, n_above)
    b : ndarray of shape (n_above,)
    activation : {"identity", "logistic", "tanh", "relu"}

    Returns
    -------
    y : ndarray of shape (n_rows, n_above)
    """
    z = matmul(x, W)
    z += b
    return _ACTIVATIONS[activation](z)


def _dense_back(argnums, y, args, kwargs):
    x, W, _, activation = args
    back = (
        lambda delta: matmul(delta, W.T),
        lambda delta: matmul(x.T, delta),
        lambda delta: delta.sum(axis=0),
    )

    def pull(slope):
        delta = _BACK[activation](y, slope)
        return [back[argnum](delta) for argnum in argnums]

    return pull


defvjp_argnums(dense, _dense_back)


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
