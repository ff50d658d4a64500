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
    parts = []
    for block in rows.blocks():
        X = rows.X[block]
        if sp.issparse(X):
            terms = _scramble(X.data, low, high) * multipliers[X.indices]
            sums = np.concatenate([[np.uint64(0)], np.cumsum(terms, dtype=np.uint64)])
            parts.append(sums[X.indptr[1:]] - sums[X.indptr[:-1]])
        else:
            terms = _scramble(X, low, high) * multipliers
            parts.append(terms.sum(axis=1, dtype=np.uint64))
    return np.concatenate(parts)


def _scramble(values, low, high):
    """Spread a number's bits over 64, leaving 0 (and -0) at 0, NaN at one value."""
    values = np.asarray(values, dtype=np.float64).clip(low, high) + 0.0
    values[np.isnan(values)] = np.nan
    bits = values.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return bits ^ (bits >> np.uint64(32))
