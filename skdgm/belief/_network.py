"""Base class of belief networks, with or without a label in the top-level machine."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.belief._evidence import EvidenceMixin
from skdgm.belief._features import Features
from skdgm.belief._fitting import FittingMixin
from skdgm.belief._likelihood import LikelihoodMixin
from skdgm.belief._sampling import SamplingMixin
from skdgm.belief._stack import OPTIONS, Composed, StackMixin
from skdgm.boltzmann._machine import Machine
from skdgm.training import AUTO


class BeliefNetwork(
    StackMixin,
    FittingMixin,
    SamplingMixin,
    EvidenceMixin,
    LikelihoodMixin,
    Features,
    Composed,
):
    """Base class of directed layers below a restricted Boltzmann machine."""

    _parameter_constraints: dict = {
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "visible": [StrOptions({"bernoulli", "gaussian"})],
        "layers": [list, None],
        **{name: [*Machine._parameter_constraints[name], tuple] for name in OPTIONS},
        "resample": ["boolean"],
        "samples": ["boolean"],
        "init": [StrOptions({"random", "transpose"})],
        "refine": [StrOptions({"up-down"}), None],
        "refine_iter": [Interval(Integral, 0, None, closed="left")],
        "refine_learning_rate": [Interval(Real, 0, None, closed="neither")],
        "refine_steps": [Integral, tuple],
        "feature_layer": [Integral, tuple, StrOptions({"all"})],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }
    for _name in "n_iter", "centering", "max_norm":
        _parameter_constraints[_name].append(StrOptions({AUTO}))
