"""A hash of each row's content, the same for dense and for CSR.

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

from skdgm._kernels.hashing import hash_rows
from skdgm.utils.parallel import run
from skdgm.utils.random import mix64


def row_hash(rows):
    """Hash every row of a :class:`~skdgm.utils.rows.Rows`.

    Returns
    -------
    hashes : ndarray of shape (n_rows,), uint64
        Equal for equal rows, whatever the type the values are stored in.
    """
    multipliers = mix64(np.arange(1, rows.shape[1] + 1, dtype=np.uint64)) | np.uint64(1)
    low, high = rows.bounds or (-np.inf, np.inf)
    out = np.empty(rows.shape[0], np.uint64)
    for block in rows.blocks():
        X = rows.X[block]
        if sp.issparse(X):
            terms = _scramble(X.data, low, high) * multipliers[X.indices]
            sums = np.concatenate([[np.uint64(0)], np.cumsum(terms, dtype=np.uint64)])
            out[block] = sums[X.indptr[1:]] - sums[X.indptr[:-1]]
        else:
            X = np.ascontiguousarray(X)
            if X.dtype == bool:
                X = X.view(np.uint8)
            elif X.dtype not in (np.uint8, np.float32, np.float64):
                X = X.astype(np.float64)
            part = np.empty(len(X), np.uint64)
            run(hash_rows, X, multipliers, low, high, part, n=len(X), work=2 * X.size)
            out[block] = part
    return out


def _scramble(values, low, high):
    """Spread a number's bits over 64, leaving 0 (and -0) at 0, NaN at one value."""
    values = np.asarray(values, dtype=np.float64).clip(low, high) + 0.0
    values[np.isnan(values)] = np.nan
    bits = values.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return bits ^ (bits >> np.uint64(32))
