"""Figures that say how good a model is, and its samples: functions, below the
estimators."""

from skdgm.metrics.anomaly_report import AnomalyReport, anomaly_report
from skdgm.metrics.average_over_draws import average_over_draws
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
from skdgm.metrics.mmd import Discrepancy, maximum_mean_discrepancy
from skdgm.metrics.mode_coverage import ModeCoverage, mode_coverage
from skdgm.metrics.neighbours import Memorisation, nearest_training_neighbours
from skdgm.metrics.partition_bracket import partition_bracket
from skdgm.metrics.parzen import Parzen, parzen_log_likelihood
from skdgm.metrics.pseudo_likelihood import log_conditionals
from skdgm.metrics.raise_log_likelihood import raise_log_likelihood
from skdgm.metrics.real_conditionals import log_densities
from skdgm.metrics.two_sample import TwoSampleTest, classifier_two_sample_test

__all__ = [
    "AnomalyReport",
    "ChainDiagnostics",
    "Discrepancy",
    "LikelihoodBracket",
    "Memorisation",
    "ModeCoverage",
    "Parzen",
    "TwoSampleTest",
    "anomaly_report",
    "autocorrelation",
    "average_over_draws",
    "chain_diagnostics",
    "classifier_two_sample_test",
    "csl_log_likelihood",
    "effective_sample_size",
    "free_energy_gap",
    "likelihood_bracket",
    "likelihood_table",
    "log_conditionals",
    "log_densities",
    "log_density",
    "maximum_mean_discrepancy",
    "measure",
    "mode_coverage",
    "nearest_training_neighbours",
    "partition_bracket",
    "parzen_log_likelihood",
    "r_hat",
    "raise_log_likelihood",
]
