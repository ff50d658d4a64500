"""Approximate Bayesian computation: likelihood-free inference of simulator
parameters."""

from skdgm.abc._calibration import Calibration
from skdgm.abc.abc import ABC

__all__ = ["ABC", "Calibration"]
