"""Evaluation of fitted models and samples.

Functions estimate likelihoods and partition functions, diagnose the mixing of chains,
and compare samples with data.
"""

from importlib import import_module

from skdgm.utils.names import missing

_MODULES = {
    "bits": ("average_over_draws",),
    "brackets": ("LikelihoodBracket", "likelihood_bracket", "partition_bracket"),
    "chains": ("ChainDiagnostics", "chain_diagnostics"),
    "conservative": ("csl_log_likelihood", "raise_log_likelihood"),
    "density": ("log_density", "measure"),
    "mcmc": ("autocorrelation", "effective_sample_size", "r_hat"),
    "mmd": ("Discrepancy", "maximum_mean_discrepancy"),
    "model_card": ("ModelCard",),
    "nearest": (
        "Memorization",
        "ModeCoverage",
        "mode_coverage",
        "nearest_training_neighbors",
    ),
    "parzen": ("Parzen", "parzen_log_likelihood"),
    "pooling": ("PooledEstimate", "pool_estimates"),
    "ranking": ("AnomalyReport", "anomaly_report"),
    "table": ("likelihood_table",),
    "tabular": ("TabularReport", "tabular_report"),
    "two_sample": ("TwoSampleTest", "classifier_two_sample_test"),
    "unnormalized": ("free_energy_gap", "log_conditionals", "log_densities"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name):
    # Submodules, and the parts of scikit-learn that they use, are imported when needed.
    if name in _HOME:
        return getattr(import_module(f"skdgm.metrics.{_HOME[name]}"), name)
    raise missing("skdgm.metrics", name, __all__)


def __dir__():
    return __all__
