"""What the unobserved units are likely to be."""

from skdgm.inference.mean_field import bound, mean_field
from skdgm.inference.posterior import Posterior

__all__ = ["Posterior", "bound", "mean_field"]
