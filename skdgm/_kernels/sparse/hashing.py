"""Multilinear hashes of rows; see :mod:`skdgm.utils.rows`."""

import numpy as np

from skdgm._kernels.compiler.jit import kernel

MINUS_ZERO, NAN = np.array([-0.0, np.nan]).view(np.uint64)


@kernel
def hash_rows(X, multipliers, low, high, out, start, stop):
    """Hash the rows of an array, with values clipped to [low, high]."""
    for r in range(start, stop):
        total = np.uint64(0)
        for c in range(X.shape[1]):
            term = np.uint64(scramble(X[r, c], low, high) * multipliers[c])
            total = np.uint64(total + term)
        out[r] = total


@kernel
def hash_csr(array, multipliers, low, high, out, start, stop):
    """Hash the rows of a CSR array: data, indices and indptr."""
    data, indices, indptr = array
    for r in range(start, stop):
        total = np.uint64(0)
        for k in range(indptr[r], indptr[r + 1]):
            multiplier = multipliers[indices[k]]
            term = np.uint64(scramble(data[k], low, high) * multiplier)
            total = np.uint64(total + term)
        out[r] = total


@kernel
def scramble(x, low, high):
    """Hash a number to 64 bits; 0 and -0 give 0, and all NaN give the same hash."""
    x = np.float64(x)
    x = low if x < low else x
    x = high if x > high else x
    bits = np.float64(x).view(np.uint64)
    if bits == MINUS_ZERO:
        bits = np.uint64(0)
    if np.isnan(x):
        bits = NAN
    bits = np.uint64(bits * np.uint64(0x9E3779B97F4A7C15))
    return np.uint64(bits ^ (bits >> np.uint64(32)))
