"""Optimisers, schedules and penalties, on trees of parameters."""

from skdgm.optim import sgd
from skdgm.optim.penalties import decay
from skdgm.optim.schedules import Clock, check_staircase, learning_rate, staircase

__all__ = ["Clock", "check_staircase", "decay", "learning_rate", "sgd", "staircase"]
