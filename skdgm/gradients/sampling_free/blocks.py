r"""Generalised pseudo-likelihood: blocks of bits given all others.

.. math:: J(v) = \sum_B \log p(v_B \mid v_{-B}) = \sum_B \Bigl( \log p^*(v) - \log
   \sum_{a} p^*(a, v_{-B}) \Bigr)

where blocks B divide the bits, a runs over all states of a block, and hidden units are
summed out [1]_. Blocks of one bit give the pseudo-likelihood, one block of all bits the
likelihood.

References
----------
.. [1] Huang and Ogata (2002). Generalized pseudo-likelihood estimates for Markov random
   fields on lattice. Annals of the Institute of Statistical Mathematics.
"""

from itertools import product

import numpy as np
from scipy.special import softmax

from skdgm.couplings import Contrast
from skdgm.energies import Params, mean_row
from skdgm.utils.math import sigmoid, softplus
from skdgm.utils.products import matmul


def blocks(params, v, parts):
    """Gradient of the mean of J over rows of bits, as :func:`~skdgm.energies.contrast`
    returns it, for some blocks of J: ``parts`` are the bits of each."""
    (b, c), (W,) = params
    W = np.asarray(W)
    inputs = matmul(v, W) + c
    here = sigmoid(inputs)
    of_b, of_c = np.zeros_like(v), np.zeros_like(inputs)
    G = np.zeros_like(W)
    for part in parts:
        states = np.array(list(product([0, 1], repeat=len(part))), v.dtype)
        own, below = v[:, part], W[part]
        rest = inputs - matmul(own, below)
        moved = rest[:, None, :] + matmul(states, below)
        log_p = states @ b[part] + softplus(moved).sum(axis=2)
        p, means = softmax(log_p, axis=1), sigmoid(moved)
        of_b[:, part] += own - matmul(p, states)
        expected = here - np.einsum("ra,raj->rj", p, means)
        of_c += expected
        # Bits outside of the block are the same in all of its states.
        outside = v.copy()
        outside[:, part] = 0
        G += matmul(outside.T, expected)
        by_state = np.einsum("ra,raj->aj", p, means)
        G[part] += matmul(own.T, here) - matmul(states.T, by_state)
    couplings = (Contrast.of(G * G.dtype.type(1 / len(v))),)
    return Params((mean_row(of_b), mean_row(of_c)), couplings)
