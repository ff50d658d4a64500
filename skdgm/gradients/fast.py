r"""Fast weights, which drive persistent chains on.

The chains of the negative phase have the parameters :math:`\theta + \theta_f`, where

.. math:: \theta_f \leftarrow \tfrac{19}{20} \theta_f + \epsilon_f \, g

learns quickly and forgets quickly: wherever the chains linger, it makes the energy
rise, so that they leave, and mix far better than the model itself would [1]_.

References
----------
.. [1] Tieleman and Hinton (2009). Using fast weights to improve persistent contrastive
   divergence. ICML.
"""

import numpy as np

from skdgm.utils.tree import copy, leaves, tree_map

DECAY = 19 / 20


def init(params):
    """Fast parameters of zero."""
    return tree_map(np.zeros_like, params)


def overlaid(params, fast):
    """The parameters of the chains."""
    both = copy(params)
    for own, more in zip(leaves(both), leaves(fast), strict=True):
        own += more
    return both


def step(fast, grad, rate):
    """Move the fast parameters, in place."""

    def move(own, slope):
        own *= own.dtype.type(DECAY)
        own += own.dtype.type(rate) * slope

    tree_map(move, fast.units, grad.units)
    for own, slope in zip(fast.couplings, grad.couplings):
        slope.ascend(own, own, rate=rate, l2=(1 - DECAY) / rate)
