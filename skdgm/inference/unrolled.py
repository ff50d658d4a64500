r"""A fixed number of mean-field sweeps as a recurrent network.

Observed entries keep their values. All other entries start at their means without
neighbors, and colors are updated from the last to the first:

.. math:: \mu_i \leftarrow \mathbb{E}[x_i \mid \eta_i + \sum_j W_{ij} \mu_j]

In contrast to mean field until convergence, the result is a differentiable function of
the parameters, and a model can be trained to predict with it [1]_.

References
----------
.. [1] Goodfellow, Mirza, Courville and Bengio (2013). Multi-prediction deep Boltzmann
   machines. NIPS.
"""

from typing import NamedTuple

import numpy as np

from skdgm.energies import n_rows


class BlockUpdate(NamedTuple):
    """Update of a block: the values of all blocks before the update, and the predicted
    means of the block, observed entries included; (n_rows, size)."""

    block: int
    before: tuple
    mean: np.ndarray


def means_without_input(energy, params, size):
    """Means of all blocks without neighbors, repeated for ``size`` rows."""
    means = []
    for unit, block_params in zip(energy.units, params.units):
        mean = unit.mean(unit.field(block_params))
        means.append(np.broadcast_to(mean, (size, mean.shape[-1])))
    return tuple(means)


def unroll(energy, params, x, seen, n_sweeps):
    """Run ``n_sweeps`` sweeps over binary and softmax units, and return the updates.

    ``seen`` is None for blocks without observed entries, True for observed blocks,
    which are not updated, or a boolean array of observed entries.
    """
    current = [
        _shown(values, observed, mean)
        for values, observed, mean in zip(
            x, seen, means_without_input(energy, params, n_rows(x)), strict=True
        )
    ]
    updates = []
    for _ in range(n_sweeps):
        for color in reversed(energy.colors):
            shown = tuple(current)
            for block in color:
                observed = seen[block]
                if observed is True:
                    continue
                received = energy.received(params, shown, block)
                mean = energy.units[block].mean(energy.field(params, block, received))
                updates.append(BlockUpdate(block, shown, mean))
                current[block] = _shown(x[block], observed, mean)
    return updates


def _shown(part, known, mean):
    """Values of a block that neighbors see: observed values, and means elsewhere."""
    return mean if known is None else np.where(known, part, mean)
