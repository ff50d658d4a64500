"""Functions that evaluate fitted models and their samples: likelihoods, partition
functions, mixing of chains, and comparisons of samples with data."""

from importlib import import_module

_MODULES = {
    "ranking": (
        "AnomalyReport",
        "anomaly_report",
    ),
    "draws": ("average_over_draws",),
    "chain_report": ("ChainDiagnostics",),
    "chains": ("chain_diagnostics",),
    "csl": ("csl_log_likelihood",),
    "free_energy": ("free_energy_gap",),
    "likelihood": (
        "LikelihoodBracket",
        "likelihood_bracket",
    ),
    "table": ("likelihood_table",),
    "density": (
        "log_density",
        "measure",
    ),
    "mcmc": (
        "autocorrelation",
        "effective_sample_size",
        "r_hat",
    ),
    "mmd": (
        "Discrepancy",
        "maximum_mean_discrepancy",
    ),
    "modes": (
        "ModeCoverage",
        "mode_coverage",
    ),
    "neighbours": (
        "Memorisation",
        "nearest_training_neighbours",
    ),
    "partition": ("partition_bracket",),
    "parzen": (
        "Parzen",
        "parzen_log_likelihood",
    ),
    "pseudo_likelihood": ("log_conditionals",),
    "reverse_ais": ("raise_log_likelihood",),
    "real_conditionals": ("log_densities",),
    "two_sample": (
        "TwoSampleTest",
        "classifier_two_sample_test",
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name):
    # Submodules, and the parts of scikit-learn they use, are imported on first access.
    if name in _HOME:
        return getattr(import_module(f"skdgm.metrics.{_HOME[name]}"), name)
    raise AttributeError(f"module 'skdgm.metrics' has no attribute {name!r}")


def __dir__():
    return __all__
