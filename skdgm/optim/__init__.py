"""Optimizers and learning-rate schedules for trees of parameters."""

from skdgm.optim.flat_parameters import FlatParameters
from skdgm.optim.optimizers import BETA_2, Optimizer, adam, corrected, rmsprop, sgd
from skdgm.optim.refinements import Mean, Penalized, clip_norm
from skdgm.optim.schedules import Clock, check_piecewise, learning_rate, piecewise

__all__ = [
    "BETA_2",
    "Clock",
    "FlatParameters",
    "Mean",
    "Optimizer",
    "Penalized",
    "adam",
    "check_piecewise",
    "clip_norm",
    "corrected",
    "learning_rate",
    "piecewise",
    "rmsprop",
    "sgd",
]
