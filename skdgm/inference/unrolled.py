r"""A fixed number of mean-field sweeps, from a fixed start, as a recurrent network.

Entries that are seen keep their values; all others start at the means that they have
without neighbours, and are updated colour by colour, the last one first:

.. math:: \mu_i \leftarrow \mathbb{E}[x_i \mid \eta_i + \sum_j W_{ij} \mu_j]

Unlike mean field until it converges, this is a function of parameters that can be
differentiated, and whose predictions can be learned [1]_.

References
----------
.. [1] Goodfellow, Mirza, Courville and Bengio (2013). Multi-prediction deep Boltzmann
   machines. NIPS.
"""

from typing import NamedTuple

import numpy as np

from skdgm.energies import n_rows


class BlockUpdate(NamedTuple):
    """An update of a block: what all blocks show their neighbours before it, and the
    prediction, of seen entries, too; (n_rows, size)."""

    block: int
    before: tuple
    mean: np.ndarray


def lone_means(energy, params, size):
    """Means of all blocks without neighbours, the same in ``size`` rows."""
    means = []
    for unit, own in zip(energy.units, params.units):
        mean = unit.mean(unit.field(own))
        means.append(np.broadcast_to(mean, (size, mean.shape[-1])))
    return tuple(means)


def unroll(energy, params, x, seen, n_sweeps):
    """Sweep ``n_sweeps`` times over binary and softmax units; return the updates.
    ``seen`` has for each block None, if nothing is seen of it, True, if all is, so that
    it is not updated, or a boolean array of its entries."""
    now = [
        _shown(part, known, mean)
        for part, known, mean in zip(
            x, seen, lone_means(energy, params, n_rows(x)), strict=True
        )
    ]
    updates = []
    for _ in range(n_sweeps):
        for colour in reversed(energy.colours):
            shown = tuple(now)
            for block in colour:
                known = seen[block]
                if known is True:
                    continue
                received = energy.received(params, shown, block)
                mean = energy.units[block].mean(energy.field(params, block, received))
                updates.append(BlockUpdate(block, shown, mean))
                now[block] = _shown(x[block], known, mean)
    return updates


def _shown(part, known, mean):
    """Values of a block for its neighbours: known values, and means elsewhere."""
    if known is None or known is True:
        return mean if known is None else part
    return np.where(known, part, mean)
