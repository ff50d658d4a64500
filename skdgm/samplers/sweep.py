"""The sweep over colours shared by Gibbs sampling and mean field.

Blocks of one colour are independent given all others, so they are
updated together from their fields; the update itself is a function.
"""

import numpy as np


def by_means(energy):
    """Make an update for :func:`sweep` that replaces a block's value by its mean."""

    def update(block, eta):
        mean = energy.units[block].mean(eta)
        return mean, mean

    return update


def sweep(energy, params, x, update, *, colours, clamp=None, path=None, received=None):
    """Update the blocks of each colour in turn.

    Parameters
    ----------
    energy : Energy
    params : Params
    x : tuple
        A value for each block: ndarray or Lists of shape (n_rows, size).
    update : callable
        ``update(block, eta)`` returns the new value and the mean of a block, given
        its natural parameters.
    colours : sequence of int
        The order of updates.
    clamp : tuple, optional
        For each block None (nothing is clamped), True (the block is) or a boolean
        array of shape (n_rows, size) (those entries are).
    path : Path, optional
        Update by a model on the way from a base model.
    received : dict, optional
        The input of each block of the first colour, if known already.

    Returns
    -------
    x : tuple
    means : tuple
        The mean from each block's last update; None for blocks without one.
    """
    x, means = list(x), [None] * len(x)
    for colour in colours:
        for block in energy.colours[colour]:
            clamped = None if clamp is None else clamp[block]
            if clamped is True:
                continue
            known = received[block] if received else energy.received(params, x, block)
            value, means[block] = update(
                block, energy.field(params, block, known, path)
            )
            if clamped is not None:
                value = np.where(clamped, x[block], np.asarray(value))
            x[block] = value
        received = None
    return tuple(x), tuple(means)
