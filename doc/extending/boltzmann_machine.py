r"""Boltzmann machines on general graphs, and a training loop.

.. math:: -E(x) = \sum_i b_i x_i + \sum_{i < j} W_{ij} x_i x_j, \qquad
   x_i \in \{0, 1\}

is the general Boltzmann machine. Each unit is a block with its own color, so that Gibbs
sampling updates one unit at a time. A block of several unconnected units would be
sampled in parallel.
"""

import numpy as np

from skdgm.distributions import Bernoulli, Softmax
from skdgm.energies import contrast, full
from skdgm.gradients import pcd
from skdgm.samplers import Gibbs
from skdgm.utils.random import stream

_CHAINS, _UPDATES = 0, 1


def boltzmann_machine(n_units):
    """Energy of a fully connected Boltzmann machine."""
    return full([Bernoulli(1)] * n_units)


def triangle(n_visible, n_classes, n_hidden):
    """Energy of a classifier with direct couplings between visible units and label.

    The three blocks (visible units, label, hidden units) are linked pairwise.
    """
    return full([Bernoulli(n_visible), Softmax(n_classes), Bernoulli(n_hidden)])


def learn(energy, x, clamp, n_updates, rate, n_chains=100, seed=0):
    """Maximize the likelihood by persistent contrastive divergence.

    Parameters
    ----------
    energy : Energy
    x : tuple
        Data of each block, of shape (n_rows, size), or None for a hidden block.
    clamp : tuple
        True for each block with data, None for each hidden block.
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
        for bias, bias_grad in zip(params.units, grad.units):
            bias += rate * bias_grad
        for weights, coupling_grad in zip(params.couplings, grad.couplings):
            coupling_grad.ascend(weights, None, rate=rate)
    return params
