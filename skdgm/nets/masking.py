r"""Weights some of which are not there, and columns in another order.

.. math:: W \odot M, \qquad \bar W = \overline{W \odot M} \odot M

which makes outputs see some of the inputs only [1]_.

References
----------
.. [1] Germain, Gregor, Murray and Larochelle (2015). MADE: masked autoencoder for
   distribution estimation. ICML.
"""

import autograd.numpy  # noqa: F401  Which teaches autograd about arrays.
import numpy as np
from autograd.extend import defvjp, primitive


@primitive
def masked(W, mask):
    """Weights where the mask is 1, zeros where it is 0.

    Parameters
    ----------
    W, mask : ndarray of shape (n_below, n_above)
        Of one type.
    """
    return W * mask


defvjp(masked, lambda _, W, mask: lambda slope: slope * mask, None)


@primitive
def pick(x, index, axis=-1):
    """Some of the columns (or rows, along axis 0), each of them once, in the order that
    an index has.

    Parameters
    ----------
    x : ndarray
    index : ndarray of int
    axis : int, default=-1
    """
    return np.take(x, index, axis=axis)


def _pick_back(_, x, index, axis=-1):
    def pull(slope):
        back = np.zeros_like(x)
        if axis == 0:
            back[index] = slope
        else:
            back[..., index] = slope
        return back

    return pull


defvjp(pick, _pick_back, None, None)


@primitive
def beside(a, b):
    """Rows of two arrays, side by side.

    Parameters
    ----------
    a, b : ndarray of shape (n_rows, n_columns)
    """
    return np.concatenate([a, b], axis=1)


defvjp(
    beside,
    lambda _, a, b: lambda slope: slope[:, : a.shape[1]],
    lambda _, a, b: lambda slope: slope[:, a.shape[1] :],
)
