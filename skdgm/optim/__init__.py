"""Optimisers and schedules, on trees of parameters."""

from skdgm.optim import adam, sgd
from skdgm.optim.penalised import Penalised
from skdgm.optim.schedules import Clock, check_staircase, learning_rate, staircase

__all__ = [
    "Clock",
    "Penalised",
    "adam",
    "check_staircase",
    "learning_rate",
    "sgd",
    "staircase",
]
