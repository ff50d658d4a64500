"""Couplings: interactions of two blocks of units, through their statistics."""

from skdgm.couplings.contrast import Contrast, Weights
from skdgm.couplings.dense import Dense

__all__ = ["Contrast", "Dense", "Weights"]
