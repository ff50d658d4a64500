"""How two blocks of units interact, through their statistics."""

from skdgm.couplings.contrast import Contrast
from skdgm.couplings.dense import Dense
from skdgm.couplings.tiles import Weights

__all__ = ["Contrast", "Dense", "Weights"]
