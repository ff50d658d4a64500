"""Figures that say how good a model is: pure functions, below the estimators."""

from skdgm.metrics.pseudo_likelihood import log_conditionals
from skdgm.metrics.real_conditionals import log_densities

__all__ = ["log_conditionals", "log_densities"]
