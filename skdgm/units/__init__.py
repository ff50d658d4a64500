"""Conditional exponential families, one for each kind of variable."""

from skdgm.units.bernoulli import Bernoulli, draw

__all__ = ["Bernoulli", "draw"]
