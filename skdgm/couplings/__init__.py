"""How two blocks of units interact, through their statistics."""

from skdgm.couplings.dense import Contrast, Dense
from skdgm.couplings.tiles import Weights, n_tiles

__all__ = ["Contrast", "Dense", "Weights", "n_tiles"]
