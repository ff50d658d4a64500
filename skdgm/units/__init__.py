"""Units: conditional exponential families, one for each kind of variable."""

from skdgm.units.bernoulli import Bernoulli, draw
from skdgm.units.gaussian import Gaussian, Normal
from skdgm.units.softmax import Softmax, one_hot, pick

__all__ = ["Bernoulli", "Gaussian", "Normal", "Softmax", "draw", "one_hot", "pick"]
