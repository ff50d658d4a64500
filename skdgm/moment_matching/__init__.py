"""Generators trained by moment matching in the feature space of a kernel."""

from skdgm.moment_matching.gmmn import GMMN

__all__ = ["GMMN"]
