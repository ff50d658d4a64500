"""Conditional exponential families, one for each kind of variable."""

from skdgm.units.bernoulli import Bernoulli

__all__ = ["Bernoulli"]
