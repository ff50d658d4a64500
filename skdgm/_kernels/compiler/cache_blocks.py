"""Blocks of matrices that fit into the cache."""

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.machines.hidden import copy
from skdgm._kernels.sparse.lines import aligned

# Hidden units of a strip, rows of a block, and length of inner loops over hidden units,
# which are padded so that no loop has a remainder.
WIDTH, ROWS, STEP = 512, 64, 64


@kernel
def rounded(n_units):
    """Round a number of hidden units up to a multiple of ``STEP``."""
    return (n_units + STEP - 1) // STEP * STEP


@kernel
def workspace(n_units, n_columns, edges, like):
    """Workspace for a block of rows: pre-activations and hidden units; weights of
    outputs of ``n_columns`` columns, whose outputs begin at ``edges``; number of
    processed entries of each row; and whether hidden units are up to date."""
    width, n = min(WIDTH, rounded(n_units)), len(edges) - 1
    widest = 0
    for t in range(0, n, n_columns):
        widest = max(widest, edges[min(t + n_columns, n)] - edges[t])
    A, H = aligned(ROWS, width, like), aligned(ROWS, width, like)
    weights = aligned(widest, width, like)
    return A, H, weights, np.empty(ROWS, np.int64), np.empty(ROWS, np.bool_)


@kernel
def fetch(V, first, beyond, left, n, near):
    """Copy n columns, from ``left``, of rows ``first`` to ``beyond``, padded with
    zeros."""
    for p in range(beyond - first):
        copy(near, p, V, first + p, near.shape[1], n, left)


@inner()
def entry(value, r, k):
    """Entry of a list; without values, all entries are 1."""
    return value[r, k] if len(value) else value.dtype.type(1)
