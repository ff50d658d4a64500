r"""Fast weights, which let persistent chains mix faster.

The chains of the negative phase have the parameters :math:`\theta + \theta_f`, where

.. math:: \theta_f \leftarrow \tfrac{19}{20} \theta_f + \epsilon_f \, g

learns and decays quickly. Fast weights raise the energy of states in which the chains
stay, so that these mix much better than chains of the model itself [1]_.

References
----------
.. [1] Tieleman and Hinton (2009). Using fast weights to improve persistent contrastive
   divergence. ICML.
"""

import numpy as np

from skdgm.utils.tree import tree_map

DECAY = 19 / 20


def init(params):
    """Fast weights of zero, with the structure of ``params``."""
    return tree_map(np.zeros_like, params)


def step(fast, grad, rate):
    r"""Update the fast weights in place, with gradient g and nonzero rate
    :math:`\epsilon_f`."""

    def move(weights, part):
        weights *= weights.dtype.type(DECAY)
        weights += weights.dtype.type(rate) * part

    tree_map(move, fast.units, grad.units)
    for weights, part in zip(fast.couplings, grad.couplings):
        part.ascend(weights, weights, rate=rate, l2=(1 - DECAY) / rate)
