r"""Sums over all states of small models.

.. math:: \log Z = \log \sum_{x_\text{rest}} \sum_{x_\text{summed}} e^{-E(x)}

The blocks of one colour, that with most states, are independent given all others, and
are summed out in closed form; the states of the others are enumerated. For rows that
are partly observed the sums run over the free entries only.
"""

import math

import numpy as np
from scipy.special import logsumexp

from skdgm._kernels.machines.enumeration import total
from skdgm.energies import n_rows
from skdgm.partition import sites
from skdgm.utils.threading.parallel import run

MAX_BITS = 20
# Most entries of states, which should fit into a processor's cache, and of their
# products with rows, which should fit into memory.
_CACHE_ENTRIES, _MEMORY_ENTRIES = 2**14, 2**22
# Units whose states one call of the kernel enumerates, changing one unit at a time: the
# more, the less is recomputed, and the more rounding errors add up.
_LOW = 10
_LANES = 32
# Largest log of a product, below that of the largest float64.
_MOST = 650.0


def n_bits(energy, blocks):
    """Log2 of the number of joint states of some blocks, a float."""
    return sum(math.log2(energy.units[block].n_states) for block in blocks)


def summed_colour(energy):
    """Number of the colour with most states, which is summed out."""
    colours = range(len(energy.colours))
    return max(colours, key=lambda colour: n_bits(energy, energy.colours[colour]))


def is_enumerable(energy, max_bits=None):
    """Return whether :func:`log_partition` is feasible: all colours but one have
    together at most ``2**max_bits`` states, by default ``2**MAX_BITS``."""
    max_bits = MAX_BITS if max_bits is None else max_bits
    if energy.is_sitewise:
        return sites.n_bits(energy) <= max_bits
    return n_bits(energy, energy.rest(summed_colour(energy))) <= max_bits


def log_partition(energy, params):
    """Exact log Z by enumeration of all colours but one.

    Parameters
    ----------
    energy : Energy
    params : Params

    Returns
    -------
    log_Z : float or ndarray of shape (n_rows,), float64
        One for each row, if biases differ by row.
    """
    if params.n_conditions:
        rows = range(params.n_conditions)
        return np.array([log_partition(energy, params.take(row)) for row in rows])
    if energy.is_sitewise:
        return sites.log_partition(energy, params)
    summed = summed_colour(energy)
    log_Z = _by_kernel(energy, params, summed)
    if log_Z is not None:
        return log_Z
    parts = [
        logsumexp(energy.log_marginal(params, x, summed))
        for x in _states(energy, energy.rest(summed), 1)
    ]
    return float(logsumexp(parts))


def _by_kernel(energy, params, summed):
    """Log Z by a kernel; None if units are not binary, enumerated blocks are linked, or
    weights so large that products of few factors overflow."""
    rest = energy.rest(summed)
    among = any(i in rest and j in rest for i, j, _ in energy.links)
    if among or energy.triples or not all(unit.form == "bits" for unit in energy.units):
        return None
    own, M, bias = _as_two_blocks(energy, params, rest, energy.colours[summed])
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
    work = 2.0 ** len(own) * len(bias)
    run(total, own, M, bias, flips, n_low, n_factors, out, n=len(out), work=work)
    return float(logsumexp(out))


def _as_two_blocks(energy, params, few, many):
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


def log_evidence(energy, params, x, clamp):
    """Log of the sum of exp(-E) over all free entries, for each row.

    The last of two colours is enumerated if it has at most ``MAX_BITS`` bits and all
    rows share the biases; else the free entries of all colours but the last, row by
    row, which must be few.

    Parameters
    ----------
    energy : Energy
    params : Params
    x : tuple
        Values of the blocks, (n_rows, size); those of the last colour are ignored.
    clamp : tuple
        For each block of the other colours its clamped entries: True or a boolean
        array.

    Returns
    -------
    log_evidence : ndarray of shape (n_rows,), float64
    """
    if energy.is_sitewise:
        return sites.log_evidence(energy, params, x, clamp)
    few = n_bits(energy, energy.colours[-1]) <= MAX_BITS
    if few and len(energy.colours) == 2 and not params.n_conditions:
        return _by_last_states(energy, params, x, clamp)
    return np.array(
        [_by_completions(energy, params, x, clamp, row) for row in range(n_rows(x))]
    )


def _by_last_states(energy, params, x, clamp):
    size = n_rows(x)
    log_Z = np.full(size, -np.inf)
    last = energy.colours[-1]
    for states in _states(energy, last, size):
        weight = sum(energy.lone_weight(params, states, i) for i in last)
        for i in energy.rest():
            unit = energy.units[i]
            eta = energy.field(params, i, energy.received(params, states, i))
            clamped = np.broadcast_to(clamp[i], x[i].shape)
            weight = weight + unit.log_evidence(eta, np.asarray(x[i]), clamped)
        log_Z = np.logaddexp(log_Z, logsumexp(weight, axis=1))
    return log_Z


def _by_completions(energy, params, x, clamp, row):
    rest, params = energy.rest(), params.take(row)
    free = [np.flatnonzero(~np.broadcast_to(clamp[i], x[i].shape)[row]) for i in rest]
    parts = []
    holes = [energy.units[i].only(part) for i, part in zip(rest, free)]
    n_free = sum(math.log2(hole.n_states) for hole in holes)
    for codes in _codes(n_free, energy, 1):
        filled = [None] * len(energy.units)
        for i, entries, hole in zip(rest, free, holes):
            codes, own = np.divmod(codes, hole.n_states)
            filled[i] = np.repeat(np.asarray(x[i])[row : row + 1], len(own), axis=0)
            filled[i][:, entries] = hole.states(own)
        parts.append(logsumexp(energy.log_marginal(params, filled)))
    return logsumexp(parts)


def _states(energy, blocks, size):
    """Iterate over parts of the joint states of some blocks; None for the others."""
    for codes in _codes(n_bits(energy, blocks), energy, size):
        x = [None] * len(energy.units)
        for i in blocks:
            codes, own = np.divmod(codes, energy.units[i].n_states)
            x[i] = energy.units[i].states(own).astype(np.float64)
        yield tuple(x)


def _codes(bits, energy, size):
    """Iterate over parts of the numbers below ``2**bits``."""
    n_codes, widest = round(2**bits), max(unit.size for unit in energy.units)
    at_once = max(1, min(_CACHE_ENTRIES // widest, _MEMORY_ENTRIES // size))
    for start in range(0, n_codes, at_once):
        yield np.arange(start, min(start + at_once, n_codes))
