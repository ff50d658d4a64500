"""Inference: posterior distributions of unobserved units, exact or by mean field."""

from skdgm.inference.mean_field import TOLERANCE, bound, mean_field
from skdgm.inference.posterior import Posterior

__all__ = ["TOLERANCE", "Posterior", "bound", "mean_field"]
