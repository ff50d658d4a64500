"""Figures that say how good a model is, and its samples: functions, below the
estimators."""

from importlib import import_module

from skdgm.metrics.chain_diagnostics import ChainDiagnostics, chain_diagnostics
from skdgm.metrics.csl_log_likelihood import csl_log_likelihood
from skdgm.metrics.free_energy_gap import free_energy_gap
from skdgm.metrics.likelihood_bracket import (
    LikelihoodBracket,
    likelihood_bracket,
)
from skdgm.metrics.likelihood_table import likelihood_table
from skdgm.metrics.log_density import log_density, measure
from skdgm.metrics.mcmc import autocorrelation, effective_sample_size, r_hat
from skdgm.metrics.partition_bracket import partition_bracket
from skdgm.metrics.pseudo_likelihood import log_conditionals
from skdgm.metrics.raise_log_likelihood import raise_log_likelihood
from skdgm.metrics.real_conditionals import log_densities

# What judges samples loads when it is first asked for: it needs parts of scikit-learn
# that estimators do not, and these import figures from here.
_OF_SAMPLES = {
    "ClassifierTwoSampleTest": "two_sample",
    "MaximumMeanDiscrepancy": "mmd",
    "ModeCoverage": "modes",
    "ParzenLogLikelihood": "parzen",
    "TrainingNeighbours": "neighbours",
    "classifier_two_sample_test": "two_sample",
    "maximum_mean_discrepancy": "mmd",
    "mode_coverage": "modes",
    "nearest_training_neighbours": "neighbours",
    "parzen_log_likelihood": "parzen",
}

__all__ = [
    *_OF_SAMPLES,
    "ChainDiagnostics",
    "LikelihoodBracket",
    "autocorrelation",
    "chain_diagnostics",
    "csl_log_likelihood",
    "effective_sample_size",
    "free_energy_gap",
    "likelihood_bracket",
    "likelihood_table",
    "log_conditionals",
    "log_densities",
    "log_density",
    "measure",
    "partition_bracket",
    "r_hat",
    "raise_log_likelihood",
]


def __getattr__(name):
    if name in _OF_SAMPLES:
        return getattr(import_module(f"skdgm.metrics.{_OF_SAMPLES[name]}"), name)
    raise AttributeError(f"module 'skdgm.metrics' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
