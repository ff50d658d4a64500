"""Partition functions, exact and estimated."""

from skdgm.partition import ais, bracket, exact, ladder
from skdgm.partition.bracket import Bracket, Effort
from skdgm.partition.equilibrium import Problem
from skdgm.partition.estimate import Estimate

__all__ = [
    "Bracket",
    "Effort",
    "Estimate",
    "Problem",
    "ais",
    "bracket",
    "exact",
    "ladder",
]
