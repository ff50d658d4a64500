"""Optimisers and learning-rate schedules for trees of parameters."""

from skdgm.optim import adam, averaging, rmsprop, sgd
from skdgm.optim.clipping import clip_norm
from skdgm.optim.penalised import Penalised, penalise_weights
from skdgm.optim.schedules import Clock, check_piecewise, learning_rate, piecewise

__all__ = [
    "Clock",
    "Penalised",
    "adam",
    "averaging",
    "check_piecewise",
    "clip_norm",
    "learning_rate",
    "penalise_weights",
    "piecewise",
    "rmsprop",
    "sgd",
]
