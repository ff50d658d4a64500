"""Gradients of the log-likelihood, exact or estimated, and what is done to them."""

from skdgm.gradients import centering, fast, quadratic, sparsity
from skdgm.gradients.contrastive import Phases, cd, complete, pcd, tempered
from skdgm.gradients.discriminative import discriminative, joined
from skdgm.gradients.natural import (
    damped,
    deviations,
    natural,
    rescale,
    standardised,
)

__all__ = [
    "Phases",
    "cd",
    "centering",
    "complete",
    "damped",
    "deviations",
    "discriminative",
    "fast",
    "joined",
    "natural",
    "pcd",
    "quadratic",
    "rescale",
    "sparsity",
    "standardised",
    "tempered",
]
