"""Estimates of memory and work before training: a warning, or an error."""

import numpy as np

from skdgm.exceptions import CostWarning
from skdgm.utils.callers import warn
from skdgm.utils.memory import physical

# Number of arrays, each as large as all weights or as a batch of inputs, that exist at
# once in training: parameters, their average, gradients, optimiser state, copies.
_COPIES = 12
# Bytes above which to warn, and those assumed of a machine whose memory is unknown.
_LARGE, _USUAL = 2**29, 2**34


def check_cost(who, sizes, names, n_weights, *, n_nets, shared, batch, n_rows, item):
    """Warn before training that needs much memory; raise if the machine has too little.

    Parameters
    ----------
    who : estimator
        Its ``_LIGHTER`` is a clause that tells how to need less.
    sizes : ndarray of int, of shape (n_columns,)
        Number of inputs of each column.
    names : sequence
        Names of the columns.
    n_weights : int
        Number of weights of one net.
    n_nets : int
        Number of nets.
    shared : bool
        Whether nets share their weights.
    batch, n_rows : int
        Rows for each update, and in all updates together.
    item : int
        Bytes of a number.

    Raises
    ------
    MemoryError
        Training needs more memory than the machine has.

    Warns
    -----
    CostWarning
        Training needs more than 512 MiB.
    """
    own = n_weights if shared else n_nets * n_weights
    masks = n_nets * n_weights
    n_bytes = _COPIES * item * (own + batch * int(sizes.sum())) + masks
    if n_bytes <= _LARGE:
        return
    merge = "merge rare categories, or " if (sizes > 1).any() else ""
    lighter = f"{merge}{who._LIGHTER}"
    lighter = lighter[0].upper() + lighter[1:]
    total, name = physical() or _USUAL, type(who).__name__
    asked = (
        f"{name} has {own:,} weights for {_cause(sizes, names)}, and learning takes "
        f"about {n_bytes / 2**30:.1f} GiB of memory"
    )
    if n_bytes > total:
        raise MemoryError(
            f"{asked}, of which this machine has {total / 2**30:.1f}. {lighter}"
        )
    work = 3 * n_weights * n_rows * (1 if shared else n_nets)
    warn(f"{asked} and {work:.0e} multiplications. {lighter}", CostWarning)


def _cause(sizes, names):
    """Reason for the number of weights, in words."""
    largest = int(np.argmax(sizes))
    if sizes[largest] > sizes.sum() / 2:
        return f"the {sizes[largest]:,} categories of column {names[largest]!r}"
    codes = sizes[sizes > 1].sum()
    more = f" with {codes:,} categories" if codes else ""
    return f"{len(sizes):,} columns{more}"
