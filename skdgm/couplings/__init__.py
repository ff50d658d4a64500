"""Couplings: interactions of two blocks of units, through their statistics."""

from skdgm.couplings.contrast import Contrast
from skdgm.couplings.dense import Dense
from skdgm.couplings.tiles import Weights

__all__ = ["Contrast", "Dense", "Weights"]
