"""Gradients of the log-likelihood, exact or estimated."""

from skdgm.gradients.contrastive import cd, pcd

__all__ = ["cd", "pcd"]
