r"""Masked weights, and columns selected and put side by side.

.. math:: W \odot M, \qquad \bar W = \overline{W \odot M} \odot M

restricts each output to some of the inputs [1]_.

References
----------
.. [1] Germain, Gregor, Murray and Larochelle (2015). MADE: masked autoencoder for
   distribution estimation. ICML.
"""

import autograd.numpy  # noqa: F401  Registers NumPy arrays with autograd.
import numpy as np
from autograd.extend import defvjp, primitive


@primitive
def masked(W, mask):
    """Multiply weights by a mask of zeros and ones.

    Parameters
    ----------
    W, mask : ndarray of shape (n_below, n_above)
        Of one dtype.

    Returns
    -------
    W : ndarray of shape (n_below, n_above)
    """
    return W * mask


defvjp(masked, lambda _, W, mask: lambda grad: grad * mask, None)


@primitive
def pick(x, index, axis=-1):
    """Select columns (or rows, along axis 0) in the order of an index.

    Parameters
    ----------
    x : ndarray
    index : ndarray of int
        No column may occur twice: the gradient would be wrong.
    axis : int, default=-1
        0 or the last.

    Returns
    -------
    x : ndarray
    """
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
def beside(a, b):
    """Concatenate the rows of two arrays.

    Parameters
    ----------
    a, b : ndarray of shape (n_rows, n_columns)
        Numbers of columns may differ.

    Returns
    -------
    ab : ndarray of shape (n_rows, n_columns_in_all)
    """
    return np.concatenate([a, b], axis=1)


defvjp(
    beside,
    lambda _, a, b: lambda grad: grad[:, : a.shape[1]],
    lambda _, a, b: lambda grad: grad[:, a.shape[1] :],
)
