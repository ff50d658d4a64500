"""Approximate inference: what the hidden units are likely to be."""

from skdgm.inference.mean_field import bound, mean_field

__all__ = ["bound", "mean_field"]
