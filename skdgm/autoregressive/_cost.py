"""What learning will cost: told before it begins, or refused by name."""

import numpy as np

from skdgm.exceptions import CostWarning
from skdgm.utils.memory import physical
from skdgm.utils.warn import warn

# Arrays as large as all weights, or as a batch as nets see it, that there are at once
# in learning: parameters, their mean, slopes, the optimiser's memory, copies.
_COPIES = 12
# Bytes above which costs are told, and what a machine has if it does not tell.
_TOLD, _USUAL = 2**29, 2**34


def check_cost(who, sizes, names, n_weights, *, n_nets, shared, batch, n_rows, item):
    """Warn of what takes much memory, and raise where no machine memory is left for it.

    Parameters
    ----------
    who : estimator
        With ``_LIGHTER``, what takes less.
    sizes : ndarray of int, of shape (n_columns,)
        As how many inputs each column is seen.
    names : sequence
        What columns are called.
    n_weights : int
        Of one net.
    n_nets : int
    shared : bool
        Whether nets have their weights in common.
    batch, n_rows : int
        Rows for each update, and in all of them together.
    item : int
        Bytes of a number.

    Raises
    ------
    MemoryError
        Learning takes more than the machine has.
    """
    own = n_weights if shared else n_nets * n_weights
    masks = n_nets * n_weights
    n_bytes = _COPIES * item * (own + batch * int(sizes.sum())) + masks
    if n_bytes <= _TOLD:
        return
    total, name = physical() or _USUAL, type(who).__name__
    asked = (
        f"{name} has {own:,} weights for {_cause(sizes, names)}, and learning takes "
        f"about {n_bytes / 2**30:.1f} GiB of memory"
    )
    if n_bytes > total:
        raise MemoryError(
            f"{asked}, of which this machine has {total / 2**30:.1f}. {who._LIGHTER}"
        )
    work = 3 * n_weights * n_rows * (1 if shared else n_nets)
    warn(f"{asked} and {work:.0e} multiplications. {who._LIGHTER}", CostWarning)


def _cause(sizes, names):
    """Why there are so many weights."""
    largest = int(np.argmax(sizes))
    if sizes[largest] > sizes.sum() / 2:
        return f"the {sizes[largest]:,} categories of column {names[largest]!r}"
    codes = sizes[sizes > 1].sum()
    more = f" with {codes:,} categories" if codes else ""
    return f"{len(sizes):,} columns{more}"
