"""Implicit models: generators of rows, which have no tractable density."""

from skdgm.implicit.density import ImplicitDensity
from skdgm.implicit.estimator import ImplicitEstimator
from skdgm.implicit.generator import PRIORS, Generator, check_norm
from skdgm.implicit.model import ImplicitModel, n_classes_of
from skdgm.implicit.watch import GeneratorWatch

__all__ = [
    "PRIORS",
    "Generator",
    "GeneratorWatch",
    "ImplicitDensity",
    "ImplicitEstimator",
    "ImplicitModel",
    "check_norm",
    "n_classes_of",
]
