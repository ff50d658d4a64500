"""Feed-forward nets: layers, gradients, losses, and training with a teacher."""

from skdgm.nets.feed_forward import Layer, check_dropout, forward, hidden, init
from skdgm.nets.fine_tuning import Monitor, Tuned, fine_tune
from skdgm.nets.losses import (
    logistic_cross_entropy,
    softmax_cross_entropy,
    squared_error,
)
from skdgm.nets.primitives import dense, drop_out
from skdgm.nets.slopes import pull_back
from skdgm.nets.tuner import NetState, Tuner

__all__ = [
    "Layer",
    "Monitor",
    "NetState",
    "Tuned",
    "Tuner",
    "check_dropout",
    "dense",
    "drop_out",
    "fine_tune",
    "forward",
    "hidden",
    "init",
    "logistic_cross_entropy",
    "pull_back",
    "softmax_cross_entropy",
    "squared_error",
]
