"""Parts of tables that are small enough to stay near while they are used."""

import numpy as np

from skdgm._kernels.hidden import add, clear
from skdgm._kernels.jit import kernel

# Hidden units of a strip, and rows at a time. Loops over hidden units go in steps, so
# that none has a remainder: what is over counts for units that do not exist.
WIDTH, ROWS, _STEP = 256, 64, 64


@kernel
def rounded(n_units):
    """How many units are had for so many."""
    return (n_units + _STEP - 1) // _STEP * _STEP


@kernel
def room(n_units, n_columns, edges, like):
    """For some rows: what hidden units hear and what they are; the weights of so many
    columns, the outputs of each of which begin at an edge; how many entries are taken
    of each row, and whether its hidden units are up to date."""
    width, n = min(WIDTH, rounded(n_units)), len(edges) - 1
    A, widest = np.empty((ROWS, width), like.dtype), 0
    for t in range(0, n, n_columns):
        widest = max(widest, edges[min(t + n_columns, n)] - edges[t])
    near = np.empty((widest, width), like.dtype)
    return A, np.empty_like(A), near, np.empty(ROWS, np.int64), np.empty(ROWS, np.bool_)


@kernel
def fetch(V, first, beyond, left, n, near):
    """Copy n columns, from ``left`` on, of some rows; beside them are zeros."""
    for p in range(beyond - first):
        clear(near, p, near.shape[1])
        add(near, p, near.dtype.type(1), V, first + p, n, 0, left)
