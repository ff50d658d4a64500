"""How two blocks of units interact, through their statistics."""

from skdgm.couplings.dense import Contrast, Dense, Weights

__all__ = ["Contrast", "Dense", "Weights"]
