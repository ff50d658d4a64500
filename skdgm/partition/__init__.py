"""Partition functions, exact and estimated."""

from skdgm.partition import ais, bracket, exact, ladder

__all__ = ["ais", "bracket", "exact", "ladder"]
