"""Orders of columns, as specified by options."""

from numbers import Integral

import numpy as np

from skdgm.utils import addresses
from skdgm.utils.counts import is_a
from skdgm.utils.random import stream

# Tag of the random stream of orders.
_ORDERS = addresses.ORDERS


def check_ordering(ordering, n_columns=None):
    """Raise ValueError if a tuple is not a permutation of all column numbers."""
    if isinstance(ordering, str):
        return
    n = len(ordering) if n_columns is None else n_columns
    are_ints = all(is_a(Integral, j) for j in ordering)
    if not are_ints or sorted(ordering) != list(range(n)) or n == 0:
        raise ValueError(
            "ordering must be 'given', 'random' or a tuple with the number of each "
            f"column once, from 0{'' if n_columns is None else f' to {n - 1}'}; got "
            f"{ordering}."
        )


def orders(ordering, n_orders, n_columns, seed, ahead=()):
    """Column numbers in the order of prediction, (n_orders, n_columns).

    The first order is "given", "random" or a tuple, which must be a permutation. All
    others are random, with the columns ``ahead`` first.
    """
    check_ordering(ordering, n_columns)
    rng = stream(seed, _ORDERS).generator()
    permutations = np.stack([rng.permutation(n_columns) for _ in range(n_orders)])
    ahead_first = np.argsort(~np.isin(permutations, ahead), axis=1, kind="stable")
    permutations = np.take_along_axis(permutations, ahead_first, axis=1)
    if ordering != "random":
        identity = np.arange(n_columns)
        permutations[0] = identity if ordering == "given" else ordering
    return permutations
