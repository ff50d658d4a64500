"""Feed-forward nets: layers, gradients, losses and training."""

from skdgm.nets import layers
from skdgm.nets.activations import ACTIVATIONS, activate
from skdgm.nets.densities import at_least, class_loss, log_probabilities, normal_loss
from skdgm.nets.estimating import NetsMixin, optimiser_for, update
from skdgm.nets.estimator import NetEstimator, layers_of
from skdgm.nets.feed_forward import Layer, check_dropout, forward, hidden, init
from skdgm.nets.initialisers import INITIALISERS
from skdgm.nets.initialisers import draw as initial
from skdgm.nets.latents import bounded, divergence, draw, halves, log_drawn
from skdgm.nets.listed import listed
from skdgm.nets.losses import (
    log_mean_exp,
    logistic_cross_entropy,
    row_mean,
    softmax_cross_entropy,
    squared_error,
)
from skdgm.nets.masking import beside, masked, pick
from skdgm.nets.mixtures import Mixture, mixture_loss
from skdgm.nets.normals import log_normal, log_prior
from skdgm.nets.objective import LEARNING, SOLVERS, NetObjective, NetState
from skdgm.nets.primitives import columns, dense, drop_out
from skdgm.nets.tied import KINDS, Shape, Tied, draw_bits, tied
from skdgm.nets.tuner import Monitor, Tuner, fine_tune
from skdgm.nets.vector_jacobian import vjp

__all__ = [
    "ACTIVATIONS",
    "INITIALISERS",
    "KINDS",
    "LEARNING",
    "SOLVERS",
    "Layer",
    "Mixture",
    "Monitor",
    "NetEstimator",
    "NetObjective",
    "NetState",
    "NetsMixin",
    "Shape",
    "Tied",
    "Tuner",
    "activate",
    "at_least",
    "beside",
    "bounded",
    "check_dropout",
    "class_loss",
    "columns",
    "dense",
    "divergence",
    "draw",
    "draw_bits",
    "drop_out",
    "fine_tune",
    "forward",
    "halves",
    "hidden",
    "init",
    "initial",
    "layers",
    "layers_of",
    "listed",
    "log_drawn",
    "log_mean_exp",
    "log_normal",
    "log_prior",
    "log_probabilities",
    "logistic_cross_entropy",
    "masked",
    "mixture_loss",
    "normal_loss",
    "optimiser_for",
    "pick",
    "row_mean",
    "softmax_cross_entropy",
    "squared_error",
    "tied",
    "update",
    "vjp",
]
