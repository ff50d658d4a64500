"""Optimizers and learning-rate schedules for trees of parameters."""

from skdgm.optim.joined import Joined
from skdgm.optim.optimisers import BETA_2, Optimiser, adam, corrected, rmsprop, sgd
from skdgm.optim.refinements import Mean, Penalised, clip_norm
from skdgm.optim.schedules import Clock, check_piecewise, learning_rate, piecewise

__all__ = [
    "BETA_2",
    "Clock",
    "Joined",
    "Mean",
    "Optimiser",
    "Penalised",
    "adam",
    "check_piecewise",
    "clip_norm",
    "corrected",
    "learning_rate",
    "piecewise",
    "rmsprop",
    "sgd",
]
