r"""Sums over all states of small models.

.. math:: \log Z = \log \sum_{x_\text{rest}} \sum_{x_\text{summed}} e^{-E(x)}

The blocks of the color with most states are summed out in closed form, since they are
independent given all others. The states of the other colors are enumerated. For partly
observed rows the sums are over the free entries only.
"""

import math

import numpy as np
from scipy.special import logsumexp

from skdgm._kernels.machines.enumeration import TwoBlocks, total
from skdgm.energies import n_rows
from skdgm.partition import sites
from skdgm.utils.threading.parallel import run

MAX_BITS = 20
# Maximum numbers of entries of states, which should fit into a processor's cache, and
# of their products with rows, which should fit into memory.
_CACHE_ENTRIES, _MEMORY_ENTRIES = 2**14, 2**22
# Number of units whose states a kernel call enumerates by changes of one unit. More
# units save recomputation, but accumulate rounding errors.
_LOW = 10
_LANES = 32
# Maximum log of a product, below that of the maximum float64.
_MAX_LOG = 650.0


def n_bits(energy, blocks):
    """Log2 of the number of joint states of given blocks, a float."""
    return sum(math.log2(energy.units[block].n_states) for block in blocks)


def summed_color(energy):
    """Number of the color with most states, which is summed out."""
    colors = range(len(energy.colors))
    return max(colors, key=lambda color: n_bits(energy, energy.colors[color]))


def is_enumerable(energy, max_bits=None):
    """Return whether :func:`log_partition` is feasible: all colors but one have at
    most ``2**max_bits`` joint states, by default ``2**MAX_BITS``."""
    max_bits = MAX_BITS if max_bits is None else max_bits
    if energy.is_sitewise:
        return sites.n_bits(energy) <= max_bits
    return n_bits(energy, energy.rest(summed_color(energy))) <= max_bits


def log_partition(energy, params):
    """Exact log Z, by enumeration of all colors but one: a float, or an array of shape
    (n_rows,) if biases differ by row, float64."""
    if params.n_conditions:
        rows = range(params.n_conditions)
        each = (float(log_partition(energy, params.take(row))) for row in rows)
        return np.fromiter(each, float)
    if energy.is_sitewise:
        return sites.log_partition(energy, params)
    summed = summed_color(energy)
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
    weights are so large that products of few factors overflow."""
    rest = energy.rest(summed)
    linked = any(i in rest and j in rest for i, j, _ in energy.links)
    if (
        linked
        or energy.triples
        or not all(unit.form == "bits" for unit in energy.units)
    ):
        return None
    few_bias, M, bias = _as_two_blocks(energy, params, rest, energy.colors[summed])
    # Upper limit of log(1 + e^x).
    max_log = (np.abs(bias) + np.abs(M).sum(axis=0)).max() + np.log(2.0)
    n_factors = int(min(_MAX_LOG // max_log, 2**20)) if np.isfinite(max_log) else 0
    if n_factors < 1:
        return None
    n_padding = -len(bias) % _LANES
    M = np.pad(M, ((0, 0), (0, n_padding)))
    bias = np.pad(bias, (0, n_padding), constant_values=-np.inf)
    n_low = min(len(few_bias), _LOW)
    flips = np.exp(np.stack([M[:n_low], -M[:n_low]]))
    out = np.empty(2 ** (len(few_bias) - n_low))
    work = 2.0 ** len(few_bias) * len(bias)
    blocks = TwoBlocks(few_bias, M, bias, flips, n_factors)
    run(total, blocks, out, n=len(out), work=work)
    return float(logsumexp(out))


def _as_two_blocks(energy, params, few, many):
    """Biases of the enumerated blocks, weights, and biases of the summed blocks, as if
    each group were one block."""
    few_bias, many_bias = (
        np.concatenate([params.units[block].astype(np.float64) for block in blocks])
        for blocks in (few, many)
    )
    M = np.zeros((len(few_bias), len(many_bias)))
    rows, columns = (_places(energy, blocks) for blocks in (few, many))
    for block in few:
        for number, other, is_upper in energy.neighbors(block):
            # ``is_upper`` is True if ``other`` is below.
            W = energy.couplings[number].matrix(params.couplings[number])
            M[rows[block], columns[other]] += W.T if is_upper else W
    return few_bias, M, many_bias


def _places(energy, blocks):
    """Slice of each block's units within the concatenation of all blocks."""
    edges = np.cumsum([0, *(energy.units[block].size for block in blocks)])
    return dict(zip(blocks, map(slice, edges[:-1], edges[1:])))


def log_evidence(energy, params, x, clamp):
    """Log of the sum of exp(-E) over all free entries of each row, (n_rows,), float64.

    If there are two colors, the last has at most ``MAX_BITS`` bits, and rows share the
    biases, its states are enumerated. Otherwise the states of the free entries of all
    other colors are enumerated for each row; they must be few. The tuple x has the
    values of blocks, (n_rows, size), which are ignored in the last color, and
    ``clamp`` has True or a mask for each block of the other colors.
    """
    if energy.is_sitewise:
        return sites.log_evidence(energy, params, x, clamp)
    few = n_bits(energy, energy.colors[-1]) <= MAX_BITS
    if few and len(energy.colors) == 2 and not params.n_conditions:
        return _by_last_states(energy, params, x, clamp)
    return np.array(
        [_by_completions(energy, params, x, clamp, row) for row in range(n_rows(x))]
    )


def _by_last_states(energy, params, x, clamp):
    size = n_rows(x)
    log_Z = np.full(size, -np.inf)
    last = energy.colors[-1]
    for states in _states(energy, last, size):
        weight = sum(energy.unit_log_weight(params, states, i) for i in last)
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
    log_sums = []
    holes = [energy.units[i].only(part) for i, part in zip(rest, free)]
    n_free = sum(math.log2(hole.n_states) for hole in holes)
    for codes in _codes(n_free, energy, 1):
        filled = [None] * len(energy.units)
        for i, entries, hole in zip(rest, free, holes):
            codes, state = np.divmod(codes, hole.n_states)
            filled[i] = np.repeat(np.asarray(x[i])[row : row + 1], len(state), axis=0)
            filled[i][:, entries] = hole.states(state)
        log_sums.append(logsumexp(energy.log_marginal(params, filled)))
    return logsumexp(log_sums)


def _states(energy, blocks, size):
    """Iterate over chunks of the joint states of given blocks; others are None."""
    for codes in _codes(n_bits(energy, blocks), energy, size):
        x = [None] * len(energy.units)
        for i in blocks:
            codes, unit_codes = np.divmod(codes, energy.units[i].n_states)
            x[i] = energy.units[i].states(unit_codes).astype(np.float64)
        yield tuple(x)


def _codes(bits, energy, size):
    """Iterate over chunks of the numbers below ``2**bits``."""
    n_codes, widest = round(2**bits), max(unit.size for unit in energy.units)
    chunk = max(1, min(_CACHE_ENTRIES // widest, _MEMORY_ENTRIES // size))
    for start in range(0, n_codes, chunk):
        yield np.arange(start, min(start + chunk, n_codes))
