"""Constraints of the options of adversarial models, and values of those that a model
does not have."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.adversarial._games.logit_losses import LOSSES
from skdgm.data.rare import OF_RARE
from skdgm.implicit import PRIORS
from skdgm.nets import ACTIVATIONS, INITIALISERS, LEARNING

_COUNT = Interval(Integral, 1, None, closed="left")
_POSITIVE = Interval(Real, 0, None, closed="neither")
_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")

# At 5, images are turned by up to 75 degrees, and sides are up to 4.5 times as long.
JITTER = [Interval(Real, 0, 5, closed="both")]

OPTIONS: dict = {
    "n_components": [_COUNT],
    "hidden_layer_sizes": [_COUNT, tuple, None],
    "discriminator_layer_sizes": [_COUNT, tuple, None],
    "column_types": [
        StrOptions({"bernoulli", "gaussian", "categorical", "mixed"}),
        tuple,
        dict,
    ],
    "min_categories": [_COUNT, "array-like", None],
    **OF_RARE,
    "class_conditional": ["boolean"],
    "prior": [StrOptions(set(PRIORS))],
    "loss": [StrOptions(set(LOSSES))],
    "gradient_penalty": [_NOT_NEGATIVE, StrOptions({"auto"})],
    "penalty": [StrOptions({"zero-centred", "one-centred"})],
    "penalty_decay": [Interval(Real, 0, 1, closed="right")],
    "penalty_interval": [_COUNT],
    "clip_weights": [_POSITIVE, None],
    "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "instance_noise": [_NOT_NEGATIVE],
    "output_noise": [_NOT_NEGATIVE],
    "feature_matching": ["boolean"],
    "historical_averaging": [_NOT_NEGATIVE],
    "minibatch_kernels": [Interval(Integral, 0, None, closed="left")],
    "packing": [_COUNT],
    "averaging": [Interval(Real, 0, 1, closed="left")],
    "n_discriminator_steps": [_COUNT],
    "temperature": [_POSITIVE],
    "activation": [StrOptions(set(ACTIVATIONS))],
    "discriminator_activation": [StrOptions({*ACTIVATIONS, "maxout"})],
    "batch_norm": ["boolean", StrOptions({"virtual"})],
    "init_weights": [StrOptions(set(INITIALISERS))],
    "architecture": [StrOptions({"dense", "conv"})],
    "image_shape": [tuple, None],
    "n_frequencies": [
        Interval(Integral, 0, None, closed="left"),
        StrOptions({"auto"}),
    ],
    "features": [StrOptions({"discriminator", "latent"})],
    "discriminator_learning_rate": [_POSITIVE, None],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "n_draws": [_COUNT],
    **LEARNING,
}

# Options of the GAN that its variants leave at their defaults.
_PLAIN = (
    *("class_conditional", "penalty", "penalty_decay", "penalty_interval"),
    *("clip_weights", "label_smoothing", "dropout", "instance_noise", "output_noise"),
    *("feature_matching", "historical_averaging", "minibatch_kernels", "packing"),
    *("init_weights", "n_frequencies", "features", "beta_2"),
)

INFORMED: dict = {
    **{name: value for name, value in OPTIONS.items() if name not in _PLAIN},
    "dropout": OPTIONS["dropout"],
    "batch_norm": ["boolean"],
    "jitter": JITTER,
    "n_neighbors": [Interval(Integral, 0, None, closed="left")],
    "n_heads": [_COUNT],
    "n_categories": [Interval(Integral, 2, None, closed="left"), tuple, None],
    "n_codes": [Interval(Integral, 0, None, closed="left")],
    "information_weight": [_NOT_NEGATIVE],
    "code_variance": [_POSITIVE, StrOptions({"learned"})],
}

PAIRED: dict = {
    **{name: value for name, value in OPTIONS.items() if name not in _PLAIN},
    "dropout": OPTIONS["dropout"],
    "batch_norm": ["boolean"],
    "encoder_layer_sizes": OPTIONS["hidden_layer_sizes"],
    "reconstruction_weight": [_NOT_NEGATIVE],
    "prior": [StrOptions({"normal", "uniform"})],
    # Of "minimax" and "likelihood" the sides cannot be exchanged.
    "loss": [StrOptions(set(LOSSES) - {"minimax", "likelihood"})],
}

# Those of models of images at several resolutions.
_SHARED = (
    *("n_components", "hidden_layer_sizes", "discriminator_layer_sizes"),
    *("class_conditional", "prior", "loss", "gradient_penalty", "dropout"),
    *("averaging", "activation", "batch_norm", "architecture", "image_shape"),
    *("features", "beta_2", "n_draws", *LEARNING),
)
OF_STAGES: dict = {
    "n_levels": [_COUNT],
    "column_types": [StrOptions({"bernoulli", "gaussian"})],
    **{name: OPTIONS[name] for name in _SHARED},
    "batch_norm": ["boolean"],
}
