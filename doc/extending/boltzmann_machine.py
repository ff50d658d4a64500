r"""Machines that are no chains of layers, and a loop that learns them.

.. math:: -E(x) = \sum_i b_i x_i + \sum_{i < j} W_{ij} x_i x_j, \qquad
   x_i \in \{0, 1\}

is the general Boltzmann machine: blocks of one unit, fully connected, each of a colour
of its own, so that a Gibbs step goes from unit to unit. Blocks of many units without
connections inside a block are drawn together.
"""

import numpy as np

from skdgm.distributions import Bernoulli, Softmax
from skdgm.energies import contrast, full
from skdgm.gradients import pcd
from skdgm.samplers import Gibbs
from skdgm.utils.random import stream

_CHAINS, _UPDATES = 0, 1


def boltzmann_machine(n_units):
    """Energy of a general Boltzmann machine."""
    return full([Bernoulli(1)] * n_units)


def triangle(n_visible, n_classes, n_hidden):
    """Energy of a classifier in which the label depends on the visible units both
    directly and through hidden units: three blocks, each linked with both others."""
    return full([Bernoulli(n_visible), Softmax(n_classes), Bernoulli(n_hidden)])


def learn(energy, x, clamp, n_updates, rate, n_chains=100, seed=0):
    """Ascend the likelihood by persistent chains.

    Parameters
    ----------
    energy : Energy
    x : tuple
        For each block its data, of shape (n_rows, size), or None if it is hidden.
    clamp : tuple
        For each block True if it is data, else None.
    n_updates : int
    rate : float
        Learning rate.
    n_chains : int, default=100
    seed : int, default=0

    Returns
    -------
    params : Params
    """
    params = energy.init(np.random.default_rng(seed))
    rows = stream(seed, _CHAINS).rows(n_chains)
    chains = Gibbs(energy).init(rows, params.units)
    for number in range(n_updates):
        rng = stream(seed, _UPDATES, number)
        phases, chains, _ = pcd(rng, Gibbs(energy), params, x, clamp, 1, chains)
        grad = contrast(energy, params, *phases)
        for bias, part in zip(params.units, grad.units):
            bias += rate * part
        for weights, part in zip(params.couplings, grad.couplings):
            part.ascend(weights, None, rate=rate)
    return params
