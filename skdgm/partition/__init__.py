"""Partition functions, exact and estimated."""

from skdgm.partition import ais, bracket, estimate, exact, ladder
from skdgm.partition.annealing import AnnealingPath, anneal
from skdgm.partition.bracket import AISOptions, Bracket
from skdgm.partition.equilibrium import Problem
from skdgm.partition.estimate import Estimate
from skdgm.partition.known import LogPartition

__all__ = [
    "AISOptions",
    "AnnealingPath",
    "Bracket",
    "Estimate",
    "LogPartition",
    "Problem",
    "ais",
    "anneal",
    "bracket",
    "estimate",
    "exact",
    "ladder",
]
