"""What kernels compute, in plain NumPy."""

import numpy as np

from skdgm.utils.lists import Lists

# Of the types' precision, for sums of a few dozen terms.
TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}


def binary_rows(n_rows, n_columns, dtype, density=0.4, seed=0):
    """Rows of zeros and ones, the first empty and the last full; and their lists."""
    X = np.random.default_rng(seed).random((n_rows, n_columns)) < density
    X[0], X[-1] = False, True
    X = X.astype(dtype)
    return X, Lists.pack(X, binary=True)


def gray_rows(n_rows, n_columns, dtype, seed=0):
    """Rows of numbers, half of them zero; and their lists."""
    rng = np.random.default_rng(seed)
    X = rng.random((n_rows, n_columns)) * (rng.random((n_rows, n_columns)) < 0.5)
    X = X.astype(dtype)
    return X, Lists.pack(X)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))
