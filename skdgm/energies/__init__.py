"""Energy functions, which define models; everything else is an algorithm on them."""

from skdgm.energies.contrast import contrast, mean_row
from skdgm.energies.layered import LayeredEnergy
from skdgm.energies.params import Params, Path, forms, n_weights, plain, tiled
from skdgm.energies.wiring import EVEN, ODD

__all__ = [
    "EVEN",
    "ODD",
    "LayeredEnergy",
    "Params",
    "Path",
    "contrast",
    "forms",
    "mean_row",
    "n_weights",
    "plain",
    "tiled",
]
