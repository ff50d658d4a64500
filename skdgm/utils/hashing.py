"""Hash of each row's content, the same for dense and CSR data.

With odd random multipliers :math:`r_c` (multilinear hashing [1]_),

.. math:: h(x) = \\sum_c r_c \\, g(x_c) \\mod 2^{64}, \\qquad g(0) = 0,

so zeros contribute nothing and the order of the entries does not matter.

References
----------
.. [1] Lemire and Kaser (2014). Strongly universal string hashing is fast.
   The Computer Journal.
"""

import numpy as np
import scipy.sparse as sp

from skdgm._kernels.hashing import hash_csr, hash_rows
from skdgm.utils.parallel import run
from skdgm.utils.random import mix64
from skdgm.utils.rows import Rows


def row_hash(rows):
    """Hash every row of a :class:`~skdgm.utils.rows.Rows`.

    Parameters
    ----------
    rows : Rows
        With values clipped to their bounds, if any.

    Returns
    -------
    hashes : ndarray of shape (n_rows,), uint64
        Equal for equal rows with equal labels, whatever type their values are stored
        in.
    """
    multipliers = mix64(np.arange(1, rows.shape[1] + 1, dtype=np.uint64)) | np.uint64(1)
    low, high = rows.bounds or (-np.inf, np.inf)
    out = np.empty(rows.shape[0], np.uint64)
    for block in rows.blocks():
        X = rows.X[block]
        if sp.issparse(X):
            kernel, arrays = hash_csr, (_known(X.data), X.indices, X.indptr)
        else:
            kernel, arrays = hash_rows, (_known(np.ascontiguousarray(X)),)
        part, n = np.empty(X.shape[0], np.uint64), X.shape[0]
        run(kernel, *arrays, multipliers, low, high, part, n=n, work=2 * arrays[0].size)
        out[block] = part
    if rows.labels is not None:
        out += mix64(_of_labels(rows.labels) + np.uint64(2**32))
    return out


def _of_labels(labels):
    """Integer codes unchanged, as uint64; for real or multiple targets, their hash."""
    if labels.ndim == 1 and labels.dtype.kind in "iu":
        return labels.astype(np.uint64)
    return row_hash(Rows(labels.reshape(len(labels), -1), np.float64))


def _known(values):
    """Convert values to a type that the kernels are compiled for."""
    if values.dtype == bool:
        return values.view(np.uint8)
    if values.dtype in (np.uint8, np.float32, np.float64):
        return values
    return values.astype(np.float64)
