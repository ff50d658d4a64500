"""Constraints of the options of machines, as scikit-learn validates them."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.training import AUTO

# Options of all machines.
MACHINE = {
    "n_components": [Interval(Integral, 1, None, closed="left")],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "n_iter": [Interval(Integral, 0, None, closed="left")],
    "gradient": [StrOptions({"pcd", "cd", "fpcd", "tempering"})],
    "n_steps": [Integral, tuple],
    "n_chains": [Interval(Integral, 1, None, closed="left"), None],
    "n_temperatures": [Interval(Integral, 2, None, closed="left")],
    "fast_learning_rate": [Interval(Real, 0, None, closed="neither"), None],
    "centering": [StrOptions({"start", "data", "moving"}), None],
    "solver": [StrOptions({"sgd", "adam"})],
    "momentum": [Real, tuple],
    "schedule": [StrOptions({"constant", "invscaling", "linear", "cooldown"})],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "l1": [Interval(Real, 0, None, closed="left")],
    "l2": [Interval(Real, 0, None, closed="left")],
    "max_norm": [Interval(Real, 0, None, closed="neither"), None],
    "sparsity_target": [Interval(Real, 0, 1, closed="both"), None],
    "sparsity_cost": [Interval(Real, 0, None, closed="left")],
    "resample": ["boolean"],
    "init_biases": [StrOptions({"marginals", "zeros"})],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "tol": [Interval(Real, 0, None, closed="left")],
    "warm_start": ["boolean"],
    "verbose": ["verbose"],
    "random_state": ["random_state"],
}
# Kind of the visible units, and options for real ones.
VISIBLE = {"column_types": [StrOptions({"bernoulli", "gaussian"})]}
REAL = {
    "precision": [StrOptions({"diagonal", "scalar", "fixed"})],
    "min_variance": [Interval(Real, 0, 1, closed="both")],
    "quadratic": ["boolean"],
}
# Options of machines with several hidden layers.
DEEP = {
    **MACHINE,
    **VISIBLE,
    "precision": REAL["precision"],
    "min_variance": REAL["min_variance"],
    "hidden_layer_sizes": ["array-like", Integral],
    "n_iter": [Interval(Integral, 0, None, closed="left"), StrOptions({AUTO})],
    "gradient": [StrOptions({"pcd", "fpcd", "tempering", "multi-prediction"})],
    "negative": [StrOptions({"samples", "means"})],
    "mean_field_steps": [Interval(Integral, 1, None, closed="left")],
    "inference_steps": [Interval(Integral, 1, None, closed="left")],
    "inference_tol": [Interval(Real, 0, None, closed="left")],
    "sparsity_target": [Interval(Real, 0, 1, closed="both"), tuple, None],
    "pretrain": [StrOptions({"layerwise"}), None],
    "pretrain_iter": [Interval(Integral, 0, None, closed="left"), tuple],
    "pretrain_learning_rate": [Interval(Real, 0, None, closed="neither"), tuple],
    "pretrain_steps": [Interval(Integral, 1, None, closed="left"), tuple],
    "feature_layer": [Integral, tuple, StrOptions({"all"})],
}
DEEP.pop("n_components")
# Values of options that machines without real units, or with one hidden layer, lack.
IMPLIED = {
    "column_types": "bernoulli",
    "quadratic": False,
    "mean_field_steps": 50,
    "negative": "samples",
}
