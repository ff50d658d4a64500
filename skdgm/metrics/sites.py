r"""Conditional probabilities of the visible sites of a general Boltzmann machine.

.. math:: p(v_i = k \mid v_{-i}) = \tilde p(v_i = k, v_{-i}) \Big/ \sum_l
   \tilde p(v_i = l, v_{-i}), \qquad \tilde p(v) = \sum_h e^{-E(v, h)}

Without hidden units the probability follows from the field of the site. Sums over the
states of few hidden units are exact; sums over many are replaced by the mean-field
bound.
"""

import numpy as np
from scipy.special import log_softmax

from skdgm.inference import bound, mean_field
from skdgm.partition import exact
from skdgm.partition.sites import n_bits

# Maximum number of bits of hidden units that are summed out exactly.
_MAX_ENUMERATED_BITS = 6


def log_conditionals(energy, params, x, sites=None):
    """Log probabilities of visible sites given all others, in nats, float64.

    ``sites``, (n_rows, n_sites), are the sites of each row, by default all. The value
    for a gray bit is the mean over draws of the bit.
    """
    v = np.asarray(x[0])
    if len(energy.units) == 1:
        log_p = energy.log_sites(params, v)
        return log_p if sites is None else np.take_along_axis(log_p, sites, axis=1)
    first, sizes = energy.layout.first, energy.layout.sizes
    if sites is None:
        n_visible = np.searchsorted(first, v.shape[1])
        sites = np.broadcast_to(np.arange(n_visible), (len(v), n_visible))
    log_p = np.empty(sites.shape)
    for column, site in enumerate(sites.T):
        log_p[:, column] = _of_sites(energy, params, v, first[site], sizes[site])
    return log_p


def restricted_conditionals(energy, params, x, sites=None):
    """:func:`log_conditionals` for a restricted machine whose visible units are
    categorical with the same number of categories each. Values may be means."""
    unit, v = energy.units[0], np.array(x[0], np.float64)
    n = unit.sizes[0]
    if sites is None:
        n_sites = len(unit.sizes)
        sites = np.broadcast_to(np.arange(n_sites), (len(v), n_sites))
    log_p, rows = np.empty(sites.shape), np.arange(len(v))[:, None]
    for column, site in enumerate(sites.T):
        entries = n * site[:, None] + np.arange(n)
        original, log_w = v[rows, entries], np.empty((len(v), n))
        for state in range(n):
            v[rows, entries] = np.arange(n) == state
            values = v.astype(params.dtype), *x[1:]
            log_w[:, state] = energy.log_marginal(params, values)
        v[rows, entries] = original
        log_p[:, column] = (original * log_softmax(log_w, axis=1)).sum(axis=1)
    return log_p


def _of_sites(energy, params, v, first, sizes):
    """Log probability of one site of each row; ``first`` and ``sizes`` are its first
    entry and number of categories in each row."""
    rows, log_w, values = np.arange(len(v)), [], []
    n_states = np.where(sizes == 0, 2, sizes)
    for state in range(n_states.max()):
        changed, places = v.copy(), state - (sizes == 0)
        for place in range(sizes.max()):
            has_entry = place < sizes
            changed[rows[has_entry], first[has_entry] + place] = 0
        changed[rows[sizes == 0], first[sizes == 0]] = 0
        is_state = (places >= 0) & (state < n_states)
        changed[rows[is_state], first[is_state] + places[is_state]] = 1
        p = v[rows, np.where(is_state, first + places, first)]
        p = np.where((sizes == 0) & (state == 0), 1 - p, p)
        values.append(np.where(state < n_states, p, 0))
        weight = _log_weight(energy, params, changed)
        log_w.append(np.where(state < n_states, weight, -np.inf))
    log_p = log_softmax(np.stack(log_w), axis=0)
    return np.where(np.stack(values) > 0, values * np.maximum(log_p, -1e300), 0).sum(0)


def _log_weight(energy, params, v):
    """Log of the sum of exp(-E) over the hidden units, or a lower bound."""
    x, clamp = (v, None), (True, None)
    free = np.arange(len(energy.layout.sizes)) >= len(energy.layout.sizes) - (
        energy.units[1].size
    )
    if n_bits(energy, free) <= _MAX_ENUMERATED_BITS:
        return exact.log_evidence(energy, params, x, clamp)
    means, _ = mean_field(energy, params, x, clamp)
    return bound(energy, params, means, clamp)
