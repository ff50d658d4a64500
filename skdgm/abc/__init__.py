"""Approximate Bayesian computation: parameters of simulators, without likelihoods."""

from skdgm.abc.abc import ABC

__all__ = ["ABC"]
