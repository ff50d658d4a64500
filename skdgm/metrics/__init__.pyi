# The names that __init__.py imports lazily, for type checkers and editors.
from skdgm.metrics.bits import average_over_draws as average_over_draws
from skdgm.metrics.brackets import LikelihoodBracket as LikelihoodBracket
from skdgm.metrics.brackets import likelihood_bracket as likelihood_bracket
from skdgm.metrics.brackets import partition_bracket as partition_bracket
from skdgm.metrics.chains import ChainDiagnostics as ChainDiagnostics
from skdgm.metrics.chains import chain_diagnostics as chain_diagnostics
from skdgm.metrics.conservative import csl_log_likelihood as csl_log_likelihood
from skdgm.metrics.conservative import raise_log_likelihood as raise_log_likelihood
from skdgm.metrics.density import log_density as log_density
from skdgm.metrics.density import measure as measure
from skdgm.metrics.mcmc import autocorrelation as autocorrelation
from skdgm.metrics.mcmc import effective_sample_size as effective_sample_size
from skdgm.metrics.mcmc import r_hat as r_hat
from skdgm.metrics.mmd import Discrepancy as Discrepancy
from skdgm.metrics.mmd import maximum_mean_discrepancy as maximum_mean_discrepancy
from skdgm.metrics.model_card import ModelCard as ModelCard
from skdgm.metrics.nearest import Memorization as Memorization
from skdgm.metrics.nearest import ModeCoverage as ModeCoverage
from skdgm.metrics.nearest import mode_coverage as mode_coverage
from skdgm.metrics.nearest import (
    nearest_training_neighbors as nearest_training_neighbors,
)
from skdgm.metrics.parzen import Parzen as Parzen
from skdgm.metrics.parzen import parzen_log_likelihood as parzen_log_likelihood
from skdgm.metrics.pooling import PooledEstimate as PooledEstimate
from skdgm.metrics.pooling import pool_estimates as pool_estimates
from skdgm.metrics.ranking import AnomalyReport as AnomalyReport
from skdgm.metrics.ranking import anomaly_report as anomaly_report
from skdgm.metrics.table import likelihood_table as likelihood_table
from skdgm.metrics.tabular import TabularReport as TabularReport
from skdgm.metrics.tabular import tabular_report as tabular_report
from skdgm.metrics.two_sample import TwoSampleTest as TwoSampleTest
from skdgm.metrics.two_sample import (
    classifier_two_sample_test as classifier_two_sample_test,
)
from skdgm.metrics.unnormalized import free_energy_gap as free_energy_gap
from skdgm.metrics.unnormalized import log_conditionals as log_conditionals
from skdgm.metrics.unnormalized import log_densities as log_densities
