"""Small general Boltzmann machines, and sums over all of their states."""

from itertools import product

import numpy as np
from scipy.special import logsumexp

from skdgm.distributions import Bernoulli, Sites
from skdgm.energies import Connected, Params

BITS = Bernoulli(5)
POTTS = Sites((3, 0, 2, 4))


def mask_of(n_sites, seed=0, share=0.5):
    """A random symmetric mask of links."""
    some = np.triu(np.random.default_rng(seed).random((n_sites, n_sites)) < share, 1)
    return some | some.T


def machine(visible=BITS, n_hidden=0, edges=None, scale=1.0, seed=1):
    """An energy, with random parameters."""
    energy = Connected(visible, n_hidden, edges)
    rng = np.random.default_rng(seed)
    units = tuple(rng.normal(0, scale, unit.size) for unit in energy.units)
    couplings = []
    for (i, j, _), coupling in zip(energy.links, energy.couplings):
        W = rng.normal(0, scale, (coupling.n_below, coupling.n_above))
        W = np.triu(W) + np.triu(W).T if i == j else W
        couplings.append(W if coupling.mask is None else W * coupling.mask)
    return energy, Params(units, tuple(couplings))


def all_states(energy):
    """All joint states, with a row for each, as a tuple of blocks."""
    parts = [unit.states(np.arange(unit.n_states)) for unit in energy.units]
    rows = [np.concatenate(row) for row in product(*parts)]
    return energy.split(np.array(rows, float))


def log_weights(params, x):
    """Minus the energy of each state, from the definition."""
    rows, bias = np.concatenate(x, axis=1), np.concatenate(params.units)
    if len(x) == 1:
        J = params.couplings[0]
    else:
        inner, across, outer = params.couplings
        J = np.block([[inner, across], [across.T, outer]])
    return rows @ bias + 0.5 * ((rows @ J) * rows).sum(axis=1)


def moments(energy, params):
    """Means and second moments of all entries."""
    x = all_states(energy)
    rows, log_w = np.concatenate(x, axis=1), log_weights(params, x)
    p = np.exp(log_w - logsumexp(log_w))
    return p @ rows, rows.T @ (p[:, None] * rows)


CASES = {
    "bits": machine(),
    "masked bits": machine(edges=mask_of(5)),
    "hidden": machine(n_hidden=3),
    "potts": machine(POTTS),
    "masked potts, hidden": machine(POTTS, 2, mask_of(6, 2)),
    "restricted": machine(
        n_hidden=2,
        edges=np.kron(~np.eye(2, dtype=bool), np.ones((7, 7), bool))[2:9, 2:9],
    ),
}
