"""Models with layers of latent units, which an encoder infers."""

from skdgm.latent.architecture import Architecture
from skdgm.latent.data_layer import DataLayer, Pass
from skdgm.latent.density import LatentDensity
from skdgm.latent.estimator import LatentEstimator
from skdgm.latent.hierarchy import Hierarchy, HierarchyParams, Statistics
from skdgm.latent.model import LatentModel
from skdgm.latent.units import (
    AutoregressiveBernoulliUnits,
    BernoulliUnits,
    LatentUnits,
    NormalUnits,
)

__all__ = [
    "Architecture",
    "AutoregressiveBernoulliUnits",
    "BernoulliUnits",
    "DataLayer",
    "Hierarchy",
    "HierarchyParams",
    "LatentDensity",
    "LatentEstimator",
    "LatentModel",
    "LatentUnits",
    "NormalUnits",
    "Pass",
    "Statistics",
]
