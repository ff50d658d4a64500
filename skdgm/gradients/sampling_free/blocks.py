r"""Generalized pseudo-likelihood: blocks of bits given all other bits.

.. math:: J(v) = \sum_B \log p(v_B \mid v_{-B}) = \sum_B \Bigl( \log p^*(v) - \log
   \sum_{a} p^*(a, v_{-B}) \Bigr)

The blocks B are a partition of the bits, a runs over all states of a block, and hidden
units are marginalized [1]_. Blocks of one bit give the pseudo-likelihood, and one block
of all bits gives the likelihood.

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
    """Gradient of the mean of J over rows of bits, as of
    :func:`~skdgm.energies.contrast`. The terms of J are those of the blocks in
    ``parts``, sequences of bit numbers."""
    (b, c), (W,) = params
    W = np.asarray(W)
    inputs = matmul(v, W) + c
    means_of_rows = sigmoid(inputs)
    of_b, of_c = np.zeros_like(v), np.zeros_like(inputs)
    G = np.zeros_like(W)
    for part in parts:
        states = np.array(list(product([0, 1], repeat=len(part))), v.dtype)
        bits, W_of_block = v[:, part], W[part]
        rest_input = inputs - matmul(bits, W_of_block)
        inputs_of_states = rest_input[:, None, :] + matmul(states, W_of_block)
        log_p = states @ b[part] + softplus(inputs_of_states).sum(axis=2)
        p, means = softmax(log_p, axis=1), sigmoid(inputs_of_states)
        of_b[:, part] += bits - matmul(p, states)
        expected = means_of_rows - np.einsum("ra,raj->rj", p, means)
        of_c += expected
        # Bits outside the block are the same in all its states.
        outside = v.copy()
        outside[:, part] = 0
        G += matmul(outside.T, expected)
        by_state = np.einsum("ra,raj->aj", p, means)
        G[part] += matmul(bits.T, means_of_rows) - matmul(states.T, by_state)
    couplings = (Contrast.of(G * G.dtype.type(1 / len(v))),)
    return Params((mean_row(of_b), mean_row(of_c)), couplings)
