"""Couplings: interactions of two blocks of units, through their statistics."""

from skdgm.couplings.contrast import Contrast, Weights
from skdgm.couplings.dense import Dense
from skdgm.couplings.masked import Masked, Within

__all__ = [
    "Contrast",
    "Dense",
    "Masked",
    "Weights",
    "Within",
]
