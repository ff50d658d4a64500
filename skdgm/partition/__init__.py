"""Partition functions, exact and estimated."""

from skdgm.partition import ais, bracket, estimate, exact, ladder
from skdgm.partition.bracket import AISOptions, Bracket
from skdgm.partition.equilibrium import Problem
from skdgm.partition.estimate import Estimate

__all__ = [
    "AISOptions",
    "Bracket",
    "Estimate",
    "Problem",
    "ais",
    "bracket",
    "estimate",
    "exact",
    "ladder",
]
