r"""Minibatch discrimination: similarity of a row to the other rows of its batch.

.. math:: M_i = x_i T, \qquad
   o_{ib} = \sum_{j \ne i} \exp(-\lVert M_{ib} - M_{jb} \rVert_1)

for kernels b, each with a few columns of M [1]_. A discriminator with these features
rejects a generator whose samples are all alike.

References
----------
.. [1] Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen (2016). Improved
   techniques for training GANs. NeurIPS.
"""

from functools import partial

import numpy as np
from autograd.extend import defvjp

from skdgm.nets.constrained import join_columns
from skdgm.nets.feed_forward import initial
from skdgm.nets.layers import Net
from skdgm.nets.primitives import dense
from skdgm.nets.tape import primitive

# Columns of M for each kernel.
_DIMENSIONS = 5


def minibatch(n_kernels):
    """Layer that appends similarities to the other rows of a batch, by ``n_kernels``
    kernels. In training it has no tangent, since rows depend on each other. Otherwise
    each row is evaluated by itself, and its similarities are zero."""
    return Net(partial(_begin, n_kernels), _apply)


def _begin(n_kernels, rng, n_inputs, dtype):
    W = initial("glorot_uniform", rng, n_inputs, n_kernels * _DIMENSIONS)
    return n_inputs + n_kernels, (W.astype(dtype),), ()


def _apply(params, statistics, x, rng=None, train=False):
    (T,) = params
    if not train:
        # Rows are evaluated one by one.
        no_similarity = np.zeros((len(x), T.shape[1] // _DIMENSIONS), x.dtype)
        return np.concatenate([x, no_similarity], axis=1), statistics
    no_bias = np.zeros(T.shape[1], T.dtype)
    return join_columns(x, likeness(dense(x, T, no_bias, "identity"))), statistics


@primitive
def likeness(M):
    """Mean similarity of each row to the other rows, (n_rows, n_kernels). M has shape
    (n_rows, n_kernels * 5). Similarities are between 0 and 1, and 0 for a single
    row."""
    return _similar(_parts(M)).sum(axis=2).T / _number(M)


def _parts(M):
    """Columns of M, (5, n_kernels, n_rows)."""
    return np.ascontiguousarray(M.reshape(len(M), -1, _DIMENSIONS).transpose(2, 1, 0))


def _number(M):
    """Number of other rows, at least 1."""
    return M.dtype.type(max(1, len(M) - 1))


def _similar(parts):
    """Similarities of pairs of rows, (n_kernels, n_rows, n_rows); the diagonal is 0."""
    alike = np.exp(-sum(np.abs(_gaps(columns)) for columns in parts))
    diagonal = np.arange(alike.shape[1])
    alike[:, diagonal, diagonal] = 0
    return alike


def _gaps(part):
    """Differences of pairs of rows, (n_kernels, n_rows, n_rows)."""
    return part[:, :, None] - part[:, None]


def _likeness_back(_, M):
    def backward(grad):
        parts, by_sum = _parts(M), np.ascontiguousarray(grad.T) / _number(M)
        pair = (by_sum[:, :, None] + by_sum[:, None]) * _similar(parts)
        back = [-(pair * np.sign(_gaps(columns))).sum(axis=2) for columns in parts]
        return np.stack(back).transpose(2, 1, 0).reshape(M.shape)

    return backward


defvjp(likeness, _likeness_back)
