"""The odd/even sweep that Gibbs sampling and mean field share.

Blocks of one colour are independent given the other colour, so all of them are
updated at once from their fields; what an update is, the caller says.
"""

import numpy as np


def by_means(energy):
    """The update that puts a block's mean in the place of its value."""

    def update(block, eta):
        mean = energy.units[block].mean(eta)
        return mean, mean

    return update


def sweep(energy, params, x, update, *, colours, clamp=None, path=None, received=None):
    """Update the blocks of each colour in turn.

    Parameters
    ----------
    x : tuple
        A value for each block.
    update : callable
        ``update(block, eta)`` returns the block's new value and its mean.
    colours : sequence of {EVEN, ODD}
        The order of updates.
    clamp : tuple, optional
        For each block what is held as it is: None (nothing), True (all of it) or
        a boolean array (those entries).
    received : dict, optional
        What the blocks of the first colour receive, where it is known already.

    Returns
    -------
    x : tuple
    means : tuple
        The mean each block was last updated with; None where it never was.
    """
    x, means = list(x), [None] * len(x)
    for colour in colours:
        for block in energy.colours[colour]:
            held = None if clamp is None else clamp[block]
            if held is True:
                continue
            known = received[block] if received else energy.received(params, x, block)
            value, means[block] = update(
                block, energy.field(params, block, known, path)
            )
            if held is not None:
                value = np.where(held, x[block], np.asarray(value))
            x[block] = value
        received = None
    return tuple(x), tuple(means)
