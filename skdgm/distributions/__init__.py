"""Units: conditional exponential families, one for each kind of variable."""

from skdgm.distributions.bernoulli import Bernoulli, draw
from skdgm.distributions.gaussian import Gaussian, Normal
from skdgm.distributions.softmax import Softmax, one_hot, pick

__all__ = ["Bernoulli", "Gaussian", "Normal", "Softmax", "draw", "one_hot", "pick"]
