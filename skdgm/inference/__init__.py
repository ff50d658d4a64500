"""Posterior distributions of unobserved units, exact or by mean field."""

from skdgm.inference.mean_field import TOLERANCE, bound, last_means, mean_field
from skdgm.inference.posterior import LabelPosterior
from skdgm.inference.unrolled import means_without_input, unroll

__all__ = [
    "TOLERANCE",
    "LabelPosterior",
    "bound",
    "last_means",
    "mean_field",
    "means_without_input",
    "unroll",
]
