"""Optimisers and schedules, on trees of parameters."""

from skdgm.optim import adam, sgd
from skdgm.optim.schedules import Clock, check_staircase, learning_rate, staircase

__all__ = [
    "Clock",
    "adam",
    "check_staircase",
    "learning_rate",
    "sgd",
    "staircase",
]
