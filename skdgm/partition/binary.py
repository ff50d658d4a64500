"""Sums over all states of machines with binary units only, by a kernel."""

import numpy as np
from scipy.special import logsumexp

from skdgm._kernels.states import total
from skdgm.distributions import Bernoulli
from skdgm.utils.parallel import run

# Units whose states one call of the kernel enumerates, changing one unit at a time: the
# more, the less is recomputed, and the more rounding errors add up.
_LOW = 10
_LANES = 32
# Largest log of a product, below that of the largest float64.
_MOST = 650.0


def log_partition(energy, params, summed):
    """Log Z by enumeration of the states of all colours but one.

    Parameters
    ----------
    energy : Energy
    params : Params
    summed : int
        The colour to sum out given all others.

    Returns
    -------
    log_Z : float or None
        None if the machine has other units, links among the enumerated blocks, or
        weights so large that products of few factors overflow.
    """
    rest = energy.rest(summed)
    among = any(i in rest and j in rest for i, j, _ in energy.links)
    if among or not all(isinstance(unit, Bernoulli) for unit in energy.units):
        return None
    own, M, bias = _joined(energy, params, rest, energy.colours[summed])
    # Upper limit of log(1 + e^x).
    highest = (np.abs(bias) + np.abs(M).sum(axis=0)).max() + np.log(2.0)
    n_factors = int(min(_MOST // highest, 2**20)) if np.isfinite(highest) else 0
    if n_factors < 1:
        return None
    empty = -len(bias) % _LANES
    M = np.pad(M, ((0, 0), (0, empty)))
    bias = np.pad(bias, (0, empty), constant_values=-np.inf)
    n_low = min(len(own), _LOW)
    flips = np.exp(np.stack([M[:n_low], -M[:n_low]]))
    out = np.empty(2 ** (len(own) - n_low))
    given = own, M, bias, flips, n_low, n_factors, out
    run(total, *given, n=len(out), work=2.0 ** len(own) * len(bias))
    return float(logsumexp(out))


def _joined(energy, params, few, many):
    """Biases of some blocks, weights to others, and biases of the others, as if each
    were one block."""
    own, bias = (
        np.concatenate([params.units[block].astype(np.float64) for block in blocks])
        for blocks in (few, many)
    )
    M = np.zeros((len(own), len(bias)))
    rows, columns = (_places(energy, blocks) for blocks in (few, many))
    for block in few:
        for number, other, up in energy.neighbours(block):
            # ``up`` is True if ``other`` is below.
            W = energy.couplings[number].matrix(params.couplings[number])
            M[rows[block], columns[other]] += W.T if up else W
    return own, M, bias


def _places(energy, blocks):
    """Slice of each block's units among those of all blocks."""
    edges = np.cumsum([0, *(energy.units[block].size for block in blocks)])
    return dict(zip(blocks, map(slice, edges[:-1], edges[1:])))
