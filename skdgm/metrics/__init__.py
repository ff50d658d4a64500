"""Figures that say how good a model is: pure functions, below the estimators."""

from skdgm.metrics.pseudo_likelihood import log_conditionals

__all__ = ["log_conditionals"]
