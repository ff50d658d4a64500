"""Interactions between the statistics of two blocks."""

from skdgm.couplings.dense import Dense

__all__ = ["Dense"]
