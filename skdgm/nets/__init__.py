"""Feed-forward nets: layers, gradients, losses and training."""

from skdgm.nets import layers
from skdgm.nets.adversarial.tangents import gradient_penalty
from skdgm.nets.constrained import (
    KINDS,
    Shape,
    Tied,
    draw_bits,
    join_columns,
    moved,
    pick,
    pick_sorted,
    tied,
)
from skdgm.nets.estimator import NetEstimator, NetModel, layers_of, start_at
from skdgm.nets.feed_forward import (
    INITIALIZERS,
    Layer,
    check_dropout,
    forward,
    hidden,
    init,
    initial,
)
from skdgm.nets.images.pooling import pooled_convolution
from skdgm.nets.layers import Variables
from skdgm.nets.losses import (
    expected,
    log_mean_exp,
    logistic_cross_entropy,
    nll,
    row_mean,
    softmax_cross_entropy,
    squared_error,
)
from skdgm.nets.masks import by_degrees, masked, masked_dense
from skdgm.nets.objective import NetObjective, NetState
from skdgm.nets.parts import Part, Parts, follow
from skdgm.nets.primitives import (
    ACTIVATIONS,
    activate,
    columns,
    dense,
    drop_out,
    lists_if_sparse,
)
from skdgm.nets.stochastic.bernoulli_latents import (
    coin,
    linear_bits,
    log_coins,
    tied_bits,
    to_draws,
)
from skdgm.nets.stochastic.latents import (
    bounded,
    divergence,
    divergence_from,
    draw,
    halves,
    log_drawn,
    log_normal,
    log_prior,
)
from skdgm.nets.tape import vjp
from skdgm.nets.tuner import Monitor, Tuner, dropped

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "KINDS",
    "Layer",
    "Monitor",
    "NetEstimator",
    "NetModel",
    "NetObjective",
    "NetState",
    "Part",
    "Parts",
    "Shape",
    "Tied",
    "Tuner",
    "Variables",
    "activate",
    "bounded",
    "by_degrees",
    "check_dropout",
    "coin",
    "columns",
    "dense",
    "divergence",
    "divergence_from",
    "draw",
    "draw_bits",
    "drop_out",
    "dropped",
    "expected",
    "follow",
    "forward",
    "gradient_penalty",
    "halves",
    "hidden",
    "init",
    "initial",
    "join_columns",
    "layers",
    "layers_of",
    "linear_bits",
    "lists_if_sparse",
    "log_coins",
    "log_drawn",
    "log_mean_exp",
    "log_normal",
    "log_prior",
    "logistic_cross_entropy",
    "masked",
    "masked_dense",
    "moved",
    "nll",
    "pick",
    "pick_sorted",
    "pooled_convolution",
    "row_mean",
    "softmax_cross_entropy",
    "squared_error",
    "start_at",
    "tied",
    "tied_bits",
    "to_draws",
    "vjp",
]
