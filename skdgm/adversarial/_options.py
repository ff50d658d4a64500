"""Constraints of the options of adversarial models."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.adversarial._losses import LOSSES
from skdgm.implicit import PRIORS
from skdgm.nets import ACTIVATIONS, INITIALISERS, LEARNING

_COUNT = Interval(Integral, 1, None, closed="left")
_POSITIVE = Interval(Real, 0, None, closed="neither")
_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")

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
    "class_conditional": ["boolean"],
    "prior": [StrOptions(set(PRIORS))],
    "loss": [StrOptions(set(LOSSES))],
    "gradient_penalty": [_NOT_NEGATIVE],
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
