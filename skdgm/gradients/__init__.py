"""Gradients of the log-likelihood, exact or estimated, and transformations of them."""

from skdgm.gradients.contrastive import (
    Phases,
    cd,
    complete,
    layer_pair,
    pcd,
    with_first_means,
)
from skdgm.gradients.discriminative import discriminative, weighted_sum
from skdgm.gradients.sampling_free.multi_prediction import multi_prediction
from skdgm.gradients.sampling_free.pseudo import pseudo_likelihood
from skdgm.gradients.steps import centering, fast, quadratic, sparsity
from skdgm.gradients.steps.far import copied, eased, shortened, slowed, take_back
from skdgm.gradients.steps.natural import (
    damped,
    deviations,
    natural,
    rescale,
    standardised,
)
from skdgm.gradients.steps.steady import steady

__all__ = [
    "Phases",
    "cd",
    "centering",
    "complete",
    "copied",
    "damped",
    "deviations",
    "discriminative",
    "eased",
    "fast",
    "layer_pair",
    "multi_prediction",
    "natural",
    "pcd",
    "pseudo_likelihood",
    "quadratic",
    "rescale",
    "shortened",
    "slowed",
    "sparsity",
    "standardised",
    "steady",
    "take_back",
    "weighted_sum",
    "with_first_means",
]
