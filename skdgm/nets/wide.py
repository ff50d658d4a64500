r"""Tied conditionals of columns with one input and many outputs each, such as mixtures.

.. math:: a_{t+1} = a_t + x_t W_t, \qquad h_t = f(\rho_t a_t), \qquad
   z_t = b_t + V_t h_t

The products with V are nearly all of the work, and are computed by BLAS for a block of
columns at a time. With mixtures of ten components, this is three times as fast as the
kernels of :mod:`skdgm._kernels.nets.nade`. The kernels are faster if columns have few
outputs, or if many inputs are zero.
"""

import numpy as np

from skdgm._kernels.nets import wide as kernels
from skdgm.utils.products import matmul
from skdgm.utils.threading.parallel import run

# Number of outputs of each column from which this is faster.
_OUTPUTS = 4
# Number of hidden units of a block, of all rows and columns, which fit in the cache.
_MAX_UNITS = 2**18
# Cost of an activation function, in multiply-adds.
_WORK = 20


def worthwhile(columns, edges):
    """Return whether each column has one input and the same, large number of outputs.
    Arguments are those of :class:`~skdgm.nets.constrained.Shape`."""
    n_columns, n = len(edges) - 1, edges[1] - edges[0]
    if n < _OUTPUTS or len(columns) != n_columns or edges[-1] != n * n_columns:
        return False
    return bool((np.diff(edges) == n).all())


def forward(x, kind, W, c, rho, V, b):
    """Outputs of all columns, (n_rows, n_outputs); see
    :func:`~skdgm.nets.constrained.tied`."""
    z, A = np.empty((len(x), len(b)), b.dtype), _by_row(c, x)
    V, Z = (_by_column(array, W) for array in (V, z.T))
    layer = kernels.WideLayer(W, rho, kind)
    for block, H in _blocks(x, W):
        work = _WORK * H.size
        run(kernels.ahead, x, layer, block.start, A, H, n=len(x), work=work)
        _multiply(H, V[block].transpose(0, 2, 1), Z[block].transpose(0, 2, 1))
    z += b
    return z


def backward(x, kind, net, dz):
    """Gradients by the parameters ``net``, given the gradient by the outputs."""
    W, c, rho, V, _ = net
    dW, dV, S = (np.zeros(s, W.dtype) for s in (W.shape, V.shape, (len(x), W.shape[1])))
    layer = kernels.WideLayer(W, rho, kind)
    drho, A = np.zeros((len(rho), W.shape[1]), c.dtype), matmul(x, W) + _by_row(c, x)
    V, dVs, dZ, before = *(_by_column(array, W) for array in (V, dV, dz.T)), A.copy()
    for block, H in reversed(list(_blocks(x, W))):
        G, start, work = np.empty_like(H), block.start, _WORK * H.size
        run(kernels.back, x, layer, start, before, H, n=len(x), work=work)
        _multiply(dZ[block], H, dVs[block])
        _multiply(dZ[block].transpose(0, 2, 1), V[block], G)
        arrays, grads = kernels.WideBlock(A, H, G, S), (dW, drho)
        run(kernels.learn, x, layer, start, arrays, grads, n=W.shape[1], work=work)
    dc = S.reshape(len(c), -1, W.shape[1]).sum(axis=1)
    return dW, dc, drho.sum(axis=1), dV, dz.sum(axis=0)


def _by_row(c, x):
    """Biases of hidden units for each row of x, (n_rows, n_units)."""
    return np.repeat(c, len(x) // len(c), axis=0)


def _by_column(outputs, W):
    """Reshape outputs, (n_outputs, n), to (n_columns, n_outputs_each, n)."""
    return outputs.reshape(len(W), -1, outputs.shape[1])


def _blocks(x, W):
    """Yield slices of columns, with a shared array for their hidden units."""
    (n_columns, n_units), n_rows = W.shape, len(x)
    size = min(n_columns, max(1, _MAX_UNITS // max(1, n_rows * n_units)))
    H = np.empty((size, n_rows, n_units), W.dtype)
    for first in range(0, n_columns, size):
        last = min(first + size, n_columns)
        yield slice(first, last), H[: last - first]


def _multiply(A, B, out):
    """Products of stacks of matrices, divided among threads."""
    run(_product, A, B, out, n=len(out), work=A[0].shape[1] * out.size)


def _product(A, B, out, start, stop):
    with np.errstate(all="ignore"):  # Threads do not inherit it.
        np.matmul(A[start:stop], B[start:stop], out[start:stop])
