"""Models with layers of latent units, which encoders infer and decoders explain."""

from skdgm.latent.density import LatentDensity
from skdgm.latent.hierarchy import Hierarchy, Params, Statistics
from skdgm.latent.model import LatentModel
from skdgm.latent.units import Coins, LatentUnits, NormalUnits

__all__ = [
    "Coins",
    "Hierarchy",
    "LatentDensity",
    "LatentModel",
    "LatentUnits",
    "NormalUnits",
    "Params",
    "Statistics",
]
