r"""Sums over all states of small models.

.. math:: \log Z = \log \sum_{x_\text{few}} \sum_{x_\text{rest}} e^{-E(x)}

The states of one colour are enumerated; the sum over the other colour, whose units
are then independent, has a closed form. For rows that are partly observed the sums run
over the free entries only.
"""

import math

import numpy as np
from scipy.special import logsumexp

from skdgm.energies import EVEN, ODD
from skdgm.partition import binary

MAX_BITS = 20
# Most entries of states, which should fit into a processor's cache, and of their
# products with rows, which should fit into memory.
_CACHE_ENTRIES, _MEMORY_ENTRIES = 2**14, 2**22


def n_bits(energy, colour):
    """Log2 of the number of joint states of a colour's blocks, a float."""
    return sum(math.log2(energy.units[i].n_states) for i in energy.colours[colour])


def smaller_colour(energy):
    """The colour with fewer states: EVEN or ODD."""
    return min((ODD, EVEN), key=lambda colour: n_bits(energy, colour))


def is_enumerable(energy, max_bits=None):
    """Return whether :func:`log_partition` is feasible: the smaller colour has at most
    ``2**max_bits`` states, by default ``2**MAX_BITS``."""
    max_bits = MAX_BITS if max_bits is None else max_bits
    return n_bits(energy, smaller_colour(energy)) <= max_bits


def log_partition(energy, params):
    """Exact log Z by enumeration of the smaller colour, a float."""
    colour = smaller_colour(energy)
    log_Z = binary.log_partition(energy, params, colour)
    if log_Z is not None:
        return log_Z
    parts = [
        logsumexp(energy.log_marginal(params, x, summed=1 - colour))
        for x in _states(energy, colour, n_rows=1)
    ]
    return float(logsumexp(parts))


def log_evidence(energy, params, x, clamp):
    """Log of the sum of exp(-E) over all free entries, for each row.

    The odd layers are enumerated if they have at most ``MAX_BITS`` bits; else the free
    entries of the even ones, row by row, which must be few.

    Parameters
    ----------
    energy : LayeredEnergy
    params : Params
    x : tuple
        Values of the blocks, (n_rows, size); those of the odd layers are ignored.
    clamp : tuple
        For each block of the even layers its clamped entries: True or a boolean array.

    Returns
    -------
    log_evidence : ndarray of shape (n_rows,), float64
    """
    if n_bits(energy, ODD) <= MAX_BITS:
        return _by_odd_states(energy, params, x, clamp)
    return np.array(
        [_by_completions(energy, params, x, clamp, row) for row in range(len(x[0]))]
    )


def _by_odd_states(energy, params, x, clamp):
    total = np.full(len(x[0]), -np.inf)
    for states in _states(energy, ODD, n_rows=len(x[0])):
        weight = sum(energy.lone_weight(params, states, i) for i in energy.colours[ODD])
        for i in energy.colours[EVEN]:
            unit = energy.units[i]
            eta = energy.field(params, i, energy.received(params, states, i))
            clamped = np.broadcast_to(clamp[i], x[i].shape)
            weight = weight + unit.log_evidence(eta, np.asarray(x[i]), clamped)
        total = np.logaddexp(total, logsumexp(weight, axis=1))
    return total


def _by_completions(energy, params, x, clamp, row):
    even = energy.colours[EVEN]
    free = [np.flatnonzero(~np.broadcast_to(clamp[i], x[i].shape)[row]) for i in even]
    parts = []
    holes = [energy.units[i]._replace(size=len(part)) for i, part in zip(even, free)]
    n_free = sum(math.log2(hole.n_states) for hole in holes)
    for codes in _codes(n_free, energy, n_rows=1):
        filled = [None] * len(energy.units)
        for i, entries, hole in zip(even, free, holes):
            codes, own = np.divmod(codes, hole.n_states)
            filled[i] = np.repeat(np.asarray(x[i])[row : row + 1], len(own), axis=0)
            filled[i][:, entries] = hole.states(own)
        parts.append(logsumexp(energy.log_marginal(params, filled)))
    return logsumexp(parts)


def _states(energy, colour, n_rows):
    """Iterate over parts of the joint states of a colour; None for the other blocks."""
    for codes in _codes(n_bits(energy, colour), energy, n_rows):
        x = [None] * len(energy.units)
        for i in energy.colours[colour]:
            codes, own = np.divmod(codes, energy.units[i].n_states)
            x[i] = energy.units[i].states(own).astype(np.float64)
        yield tuple(x)


def _codes(bits, energy, n_rows):
    """Iterate over parts of the numbers below ``2**bits``."""
    n_codes, widest = round(2**bits), max(unit.size for unit in energy.units)
    at_once = max(1, min(_CACHE_ENTRIES // widest, _MEMORY_ENTRIES // n_rows))
    for start in range(0, n_codes, at_once):
        yield np.arange(start, min(start + at_once, n_codes))
