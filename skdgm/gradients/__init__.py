"""Gradients of the log-likelihood, exact or estimated, and transformations of
gradients.

This package has the two phases of the likelihood gradient. ``sampling_free`` has
gradients of other objectives, ``stochastic`` has gradients through draws of nets, and
``steps`` has transformations of a gradient and of update steps.
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
