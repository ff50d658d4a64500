r"""Sums over all states of the free sites of a general Boltzmann machine.

.. math:: \log \sum_{x_\text{free}} e^{-E(x)}

The free sites of the color with most states are summed out in closed form, since they
are independent given all others. The states of all other free sites are enumerated by
changes of one site at a time.
"""

import numpy as np
from scipy.special import logsumexp

from skdgm._kernels.graphs.site_sums import DividedSites, total
from skdgm.energies import n_rows
from skdgm.utils.math import distinct
from skdgm.utils.threading.parallel import run
from skdgm.utils.tree import astype

# Maximum bits of states that a kernel call enumerates for a row.
_LOW = 12
# Cost of an entry in a state, in multiply-adds.
_WORK = 10


def divided(energy, free):
    """Indices of the enumerated and of the summed-out sites among the free sites;
    ``free`` is a mask, (n_sites,)."""
    colors, bits = energy.site_colors, _bits(energy) * free
    summed_color = np.bincount(colors, bits, minlength=1).argmax()
    summed = free & (colors == summed_color)
    return np.flatnonzero(free & ~summed), np.flatnonzero(summed)


def n_bits(energy, free=None):
    """Log2 of the number of enumerated states, for ``free`` sites or by default all."""
    free = np.ones(len(energy.layout.sizes), bool) if free is None else free
    return float(_bits(energy)[divided(energy, free)[0]].sum())


def log_partition(energy, params):
    """Exact log Z, a float."""
    values = tuple(np.zeros((1, unit.size)) for unit in energy.units)
    clamp = tuple(np.zeros(part.shape, bool) for part in values)
    return float(log_evidence(energy, params, values, clamp)[0])


def log_evidence(energy, params, x, clamp):
    """Log of the sum of exp(-E) over the free sites of each row, (n_rows,), float64;
    arguments as for :func:`skdgm.partition.exact.log_evidence`."""
    J, bias = energy.matrices(astype(params, np.float64))
    size, layout = n_rows(x), energy.layout
    rows, clamped = energy.rows(x, size, np.float64), energy.clamped(clamp, size)
    clamped = clamped if len(clamped) else np.zeros((size, clamped.shape[1]), bool)
    rows *= np.repeat(clamped, np.diff(layout.first), axis=1)
    field = bias + rows @ J
    log_sums = 0.5 * ((bias + field) * rows).sum(axis=1)
    patterns, pattern_of_row = distinct(clamped)
    for number, pattern in enumerate(patterns):
        matching, free = np.flatnonzero(pattern_of_row == number), ~pattern
        if free.any():
            log_sums[matching] += _summed(energy, J, field[matching], free)
    return log_sums


def _summed(energy, J, field, free):
    """Log sums over the states of free sites given their fields in each row."""
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
    sites = DividedSites(first, sizes, few, many, n_low)
    run(total, J, field, sites, out, n=len(out), work=work)
    return logsumexp(out.reshape(size, n_high), axis=1)


def _bits(energy):
    sizes = energy.layout.sizes
    return np.log2(np.where(sizes == 0, 2, np.maximum(sizes, 1)))
