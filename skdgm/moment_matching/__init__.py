"""Generators that learn by matching moments: of kernels' features, all at once."""

from skdgm.moment_matching.gmmn import GMMN

__all__ = ["GMMN"]
