"""Partition functions, exact and estimated."""

from skdgm.partition import ais, bracket, exact

__all__ = ["ais", "bracket", "exact"]
