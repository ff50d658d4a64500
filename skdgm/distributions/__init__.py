"""Distributions, in their roles: units of energies, outputs of nets."""

from skdgm.distributions.bernoulli import Bernoulli, BernoulliOutput, draw, draw_bits
from skdgm.distributions.categorical import CategoricalOutput, Softmax, one_hot, pick
from skdgm.distributions.gaussian import Gaussian, Normal
from skdgm.distributions.mixed import MixedOutput, places_of
from skdgm.distributions.mixture import Mixture
from skdgm.distributions.output import Output
from skdgm.distributions.reals import MixtureOutput, NormalOutput
from skdgm.distributions.unit import Unit

__all__ = [
    "Bernoulli",
    "BernoulliOutput",
    "CategoricalOutput",
    "Gaussian",
    "MixedOutput",
    "Mixture",
    "MixtureOutput",
    "Normal",
    "NormalOutput",
    "Output",
    "Softmax",
    "Unit",
    "draw",
    "draw_bits",
    "one_hot",
    "pick",
    "places_of",
]
