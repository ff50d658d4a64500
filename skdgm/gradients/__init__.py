"""Gradients of the log-likelihood, exact or estimated, and transformations of them.

Here are those of phases; ``sampling_free`` has gradients of other objectives,
``stochastic`` those through draws of nets, ``steps`` what is made of a gradient.
"""

from skdgm.gradients.contrastive import Phases, cd, complete, layer_pair, pcd
from skdgm.gradients.discriminative import discriminative, weighted_sum

__all__ = [
    "Phases",
    "cd",
    "complete",
    "discriminative",
    "layer_pair",
    "pcd",
    "weighted_sum",
]
