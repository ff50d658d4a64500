r"""Sums over all states of the free sites of a general Boltzmann machine.

.. math:: \log \sum_{x_\text{free}} e^{-E(x)}

Free sites of one colour, that with most states, are independent given all others, and
are summed out in closed form; the states of the others are enumerated, one change after
another.
"""

import numpy as np
from scipy.special import logsumexp

from skdgm._kernels.graphs.site_sums import total
from skdgm.energies import n_rows
from skdgm.utils.math import distinct
from skdgm.utils.threading.parallel import run
from skdgm.utils.tree import astype

# Most bits of states that one call of the kernel for a row enumerates.
_LOW = 12
# Cost of a state of an entry, in multiply-adds.
_WORK = 10


def divided(energy, free):
    """Free sites, of a mask (n_sites,), whose states are enumerated, and those that are
    summed out: two index arrays."""
    colours, bits = energy.site_colours, _bits(energy) * free
    best = np.bincount(colours, bits, minlength=1).argmax()
    summed = free & (colours == best)
    return np.flatnonzero(free & ~summed), np.flatnonzero(summed)


def n_bits(energy, free=None):
    """Log2 of the number of states that are enumerated, of all sites or free ones."""
    free = np.ones(len(energy.layout.sizes), bool) if free is None else free
    return float(_bits(energy)[divided(energy, free)[0]].sum())


def log_partition(energy, params):
    """Exact log Z, a float."""
    nothing = tuple(np.zeros((1, unit.size)) for unit in energy.units)
    clamp = tuple(np.zeros(part.shape, bool) for part in nothing)
    return float(log_evidence(energy, params, nothing, clamp)[0])


def log_evidence(energy, params, x, clamp):
    """Log of the sum of exp(-E) over all free sites of each row, (n_rows,), float64; x
    and ``clamp`` as of :func:`skdgm.partition.exact.log_evidence`."""
    J, bias = energy.matrices(astype(params, np.float64))
    size, layout = n_rows(x), energy.layout
    rows, clamped = energy.rows(x, size, np.float64), energy.clamped(clamp, size)
    clamped = clamped if len(clamped) else np.zeros((size, clamped.shape[1]), bool)
    rows *= np.repeat(clamped, np.diff(layout.first), axis=1)
    field = bias + rows @ J
    found = 0.5 * ((bias + field) * rows).sum(axis=1)
    patterns, which = distinct(clamped)
    for number, pattern in enumerate(patterns):
        own, free = np.flatnonzero(which == number), ~pattern
        if free.any():
            found[own] += _summed(energy, J, field[own], free)
    return found


def _summed(energy, J, field, free):
    """Log sums over the states of free sites, given their fields in each row."""
    layout, size = energy.layout, len(field)
    few, many = (
        np.searchsorted(np.flatnonzero(free), part) for part in (divided(energy, free))
    )
    sizes, widths = layout.sizes[free], np.diff(layout.first)
    entries = np.repeat(free, widths)
    first = np.concatenate([[0], np.cumsum(widths[free])])
    J, field = J[np.ix_(entries, entries)], np.ascontiguousarray(field[:, entries])
    states, n_low = np.where(sizes[few] == 0, 2, sizes[few]), 0
    while n_low < len(few) and states[: n_low + 1].prod() <= 2**_LOW:
        n_low += 1
    n_high = int(np.prod(states[n_low:], dtype=float))
    out = np.empty(size * n_high)
    work = _WORK * len(out) * float(states[:n_low].prod()) * len(J)
    run(total, J, field, first, sizes, few, many, n_low, out, n=len(out), work=work)
    return logsumexp(out.reshape(size, n_high), axis=1)


def _bits(energy):
    sizes = energy.layout.sizes
    return np.log2(np.where(sizes == 0, 2, np.maximum(sizes, 1)))
