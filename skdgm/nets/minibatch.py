r"""Minibatch discrimination: features of a row that tell how like the others it is.

.. math:: M_i = x_i T, \qquad
   o_{ib} = \sum_{j \ne i} \exp(-\lVert M_{ib} - M_{jb} \rVert_1)

for kernels b, each with a few columns of M [1]_. A discriminator that sees them rejects
a generator whose samples are all alike.

References
----------
.. [1] Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen (2016). Improved
   techniques for training GANs. NeurIPS.
"""

from functools import partial

import numpy as np
from autograd.extend import defvjp

from skdgm.nets.feed_forward import initial
from skdgm.nets.layers import Net
from skdgm.nets.tape import primitive

# Columns of M for each kernel.
_DIMENSIONS = 5


def minibatch(n_kernels):
    """Net that appends features of similarity to the other rows of a batch.

    Parameters
    ----------
    n_kernels : int

    Returns
    -------
    net : Net
        In training it has no tangent: rows depend on each other. Afterwards each row is
        judged by itself, and its features are zero.
    """
    return Net(partial(_begin, n_kernels), _apply)


def _begin(n_kernels, rng, n_inputs, dtype):
    W = initial("glorot_uniform", rng, n_inputs, n_kernels * _DIMENSIONS)
    return n_inputs + n_kernels, (W.astype(dtype),), ()


def _apply(params, statistics, x, rng=None, train=False):
    if train:
        return beside(x, params[0]), statistics
    # Each row by itself is like no other.
    alone = np.zeros((len(x), params[0].shape[1] // _DIMENSIONS), x.dtype)
    return np.concatenate([x, alone], axis=1), statistics


@primitive
def beside(x, T):
    """Append the sums of similarities to the other rows.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_inputs)
    T : ndarray of shape (n_inputs, 5 * n_kernels)

    Returns
    -------
    y : ndarray of shape (n_rows, n_inputs + n_kernels)
        A similarity is at most 1; the sum is divided by the number of other rows.
    """
    _, _, alike = _similar(x, T)
    return np.concatenate([x, alike.sum(axis=1) / max(1, len(x) - 1)], axis=1)


def _similar(x, T):
    """Signs of differences, of shape (n_rows, n_rows, n_kernels, 5), products x T and
    similarities, (n_rows, n_rows, n_kernels), 0 of a row with itself."""
    M = (x @ T).reshape(len(x), -1, _DIMENSIONS)
    gap = M[:, None] - M[None]
    alike = np.exp(-np.abs(gap).sum(axis=3))
    alike[np.arange(len(x)), np.arange(len(x))] = 0
    return np.sign(gap), M, alike


def _of_product(x, T, grad):
    """Gradient by x T."""
    signs, _, alike = _similar(x, T)
    own = grad[:, x.shape[1] :] / x.dtype.type(max(1, len(x) - 1))
    pair = -(own[:, None] + own[None]) * alike
    return np.einsum("ijb,ijbc->ibc", pair, signs).reshape(len(x), -1)


defvjp(
    beside,
    lambda _, x, T: lambda g: g[:, : x.shape[1]] + _of_product(x, T, g) @ T.T,
    lambda _, x, T: lambda g: x.T @ _of_product(x, T, g),
)
