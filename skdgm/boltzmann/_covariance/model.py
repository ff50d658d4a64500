"""Model of machines of means and covariances, made of options."""

from types import SimpleNamespace

import numpy as np

from skdgm.base import Model
from skdgm.boltzmann._covariance.density import CovarianceDensity
from skdgm.boltzmann._covariance.objective import (
    CovarianceObjective,
    CovarianceState,
)
from skdgm.distributions import Normal
from skdgm.energies.covariance import Covariance, CovarianceParams

_NAMES = "n_mean", "n_covariance", "n_factors"


class CovarianceModel(Model):
    """Numbers of units, and what they are learned and asked by."""

    def check(self, options):
        """Raise ValueError for options that their constraints do not exclude."""
        if options.n_factors is not None and options.n_factors < options.n_covariance:
            raise ValueError(
                f"n_factors={options.n_factors} must be at least n_covariance="
                f"{options.n_covariance}, or a unit has no factor."
            )

    def structure(self, facts):
        """Numbers of units."""
        return SimpleNamespace(
            **{name: getattr(facts.options, name) for name in _NAMES}
        )

    def objective(self, facts, table, before):
        """Log-likelihood of the rows."""
        own, n = facts.structure, len(facts.columns.seen)
        sizes = own.n_mean, own.n_factors or own.n_covariance, own.n_covariance
        independent = facts.domain.loss_of_independent(facts.columns)
        given = facts.options, table.rows, facts.seed, before
        return CovarianceObjective(Covariance(n), independent, sizes, *given)

    def density(self, facts, state):
        """Density of the learned parameters."""
        return CovarianceDensity(
            *facts.own,
            energy=Covariance(len(facts.columns.seen)),
            state=state,
            n_leapfrog=facts.options.n_leapfrog,
            log_Zs=facts.known._log_Zs,
        )

    def attributes(self, facts, state):
        """Fitted attributes of a training state, by name."""
        (visible, W, c, C, P, d), columns = state.params, facts.columns
        return {
            "components_": W.T,
            "factors_": C.T,
            "pooling_": P.T,
            "intercept_mean_": c,
            "intercept_covariance_": d,
            "intercept_visible_": visible.mean,
            "precision_": np.exp(visible.log_precision) / columns.scale**2,
            "mean_": columns.mean,
            "scale_": columns.scale,
            "chains_": facts.domain.to_data(columns, state.chains),
            "_log_precision": visible.log_precision,
            "_training": state[1:],
            "_log_Zs": {},
        }

    def state(self, facts, attributes):
        """Training state of fitted attributes."""
        own = attributes["intercept_visible_"], attributes["_log_precision"]
        params = CovarianceParams(
            Normal(*own),
            attributes["components_"].T,
            attributes["intercept_mean_"],
            attributes["factors_"].T,
            attributes["pooling_"].T,
            attributes["intercept_covariance_"],
        )
        return CovarianceState(params, *attributes["_training"])
