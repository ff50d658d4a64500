"""Constraints on options that models with latent units have in common."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.data import OF_TABLES
from skdgm.nets import INITIALISERS, LEARNING

_COUNT = Interval(Integral, 1, None, closed="left")
# Layers, kinds of the columns, draws and training.
OF_LATENT = {
    "hidden_layer_sizes": [_COUNT, tuple],
    "column_types": [
        StrOptions({"bernoulli", "gaussian", "categorical", "mixed"}),
        tuple,
        dict,
    ],
    "variance": [
        StrOptions({"feature", "sample"}),
        Interval(Real, 0, None, closed="neither"),
    ],
    "min_variance": [Interval(Real, 0, 1, closed="left")],
    "min_categories": [_COUNT, "array-like", None],
    **OF_TABLES,
    "init_weights": [StrOptions(set(INITIALISERS))],
    "resample": ["boolean"],
    "n_draws": [_COUNT],
    **LEARNING,
}
# Besides, of layers of bits.
OF_BITS = {
    **OF_LATENT,
    "feature_layer": [Integral, tuple, StrOptions({"all"})],
    "average": ["boolean"],
}
