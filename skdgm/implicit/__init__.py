"""Models that draw rows by a generator and have no density of their own."""

from skdgm.implicit.density import ImplicitDensity
from skdgm.implicit.generator import PRIORS, Generator, check_norm
from skdgm.implicit.model import ImplicitModel
from skdgm.implicit.watch import GeneratorWatch

__all__ = [
    "PRIORS",
    "Generator",
    "GeneratorWatch",
    "ImplicitDensity",
    "ImplicitModel",
    "check_norm",
]
