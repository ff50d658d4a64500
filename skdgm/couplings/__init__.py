"""Couplings: weights between the sufficient statistics of two blocks of units."""

from skdgm.couplings.contrast import Contrast, Weights
from skdgm.couplings.conv import Conv
from skdgm.couplings.dense import Dense
from skdgm.couplings.factored import Factors
from skdgm.couplings.masked import Masked, Within

__all__ = [
    "Contrast",
    "Conv",
    "Dense",
    "Factors",
    "Masked",
    "Weights",
    "Within",
]
