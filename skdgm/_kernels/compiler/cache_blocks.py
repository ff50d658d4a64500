"""Parts of tables that are small enough to stay near while they are used."""

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.machines.hidden import copy
from skdgm._kernels.sparse.lines import aligned

# Hidden units of a strip, and rows at a time. Loops over hidden units go in steps, so
# that none has a remainder: what is over counts for units that do not exist.
WIDTH, ROWS, STEP = 512, 64, 64


@kernel
def rounded(n_units):
    """How many units are had for so many."""
    return (n_units + STEP - 1) // STEP * STEP


@kernel
def room(n_units, n_columns, edges, like):
    """For some rows: what hidden units hear and what they are; the weights of so many
    columns, the outputs of each of which begin at an edge; how many entries are taken
    of each row, and whether its hidden units are up to date."""
    width, n = min(WIDTH, rounded(n_units)), len(edges) - 1
    widest = 0
    for t in range(0, n, n_columns):
        widest = max(widest, edges[min(t + n_columns, n)] - edges[t])
    A, H = aligned(ROWS, width, like), aligned(ROWS, width, like)
    near = aligned(widest, width, like)
    return A, H, near, np.empty(ROWS, np.int64), np.empty(ROWS, np.bool_)


@kernel
def fetch(V, first, beyond, left, n, near):
    """Copy n columns, from ``left`` on, of some rows; beside them are zeros."""
    for p in range(beyond - first):
        copy(near, p, V, first + p, near.shape[1], n, left)


@inner()
def entry(value, r, k):
    """An entry of a list; without values, all are ones."""
    return value[r, k] if len(value) else value.dtype.type(1)
