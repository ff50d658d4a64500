"""Models of mean-covariance machines: the energy, parameters and attributes."""

from abc import abstractmethod
from typing import Any

import numpy as np

from skdgm.base import Model
from skdgm.boltzmann._covariance.density import CovarianceDensity
from skdgm.boltzmann._covariance.moves import Trajectories
from skdgm.boltzmann._covariance.objective import (
    CovarianceObjective,
    CovarianceState,
)
from skdgm.boltzmann.model_options import CovarianceOptions, MovesOptionsT
from skdgm.distributions import Normal
from skdgm.energies.covariance import Covariance, CovarianceParams
from skdgm.partition import LogPartition


class MovesModel(Model[MovesOptionsT]):
    """Model of machines of real columns with their own samplers."""

    @abstractmethod
    def moves(self, options: Any, n_visible: int) -> Any:
        """Samplers of the energy, given options and the number of columns."""

    @abstractmethod
    def sizes(self, structure: Any) -> dict:
        """Numbers of hidden units, as arguments of the energy's ``initial``."""

    @abstractmethod
    def units(self, density: Any) -> tuple:
        """Suffix of the feature names, and number, of each kind of hidden units."""

    def objective(self, facts, table, epochs_before):
        return CovarianceObjective(
            facts.run(table, epochs_before),
            moves=self.moves(facts.options, len(facts.columns.seen)),
            independent_loss=facts.domain.loss_of_independent(facts.columns),
            sizes=self.sizes(facts.structure),
        )

    def density(self, facts, state):
        return CovarianceDensity(
            facts.context,
            moves=self.moves(facts.options, len(facts.columns.seen)),
            state=state,
            log_Z=facts.known.log_partition,
        )

    def of_rows(self, facts, state):
        """Fitted attributes that all covariance machines have."""
        visible, columns = state.params.visible, facts.columns
        return {
            "intercept_visible_": visible.mean,
            "precision_": np.exp(visible.log_precision) / columns.scale**2,
            "mean_": columns.mean,
            "scale_": columns.scale,
            "chains_": facts.domain.to_data(columns, state.chains),
            "_log_precision": visible.log_precision,
            "_training": state[1:],
            "_log_partition": LogPartition({}),
        }

    def visible(self, attributes):
        """Parameters of the visible units, from fitted attributes."""
        return Normal(attributes["intercept_visible_"], attributes["_log_precision"])


class CovarianceModel(MovesModel[CovarianceOptions]):
    """Model of mean-covariance machines, whose ``energy`` is Covariance or a
    subclass."""

    STRUCTURE = "n_mean", "n_covariance", "n_factors"

    def __init__(self, energy=Covariance):
        self.energy = energy

    def check(self, options):
        if options.n_factors is not None and options.n_factors < options.n_covariance:
            raise ValueError(
                f"n_factors={options.n_factors} must be at least n_covariance="
                f"{options.n_covariance}, or a unit has no factor."
            )

    def moves(self, options, n_visible):
        return Trajectories(self.energy(n_visible), options.n_leapfrog)

    def sizes(self, structure):
        return {
            "n_mean": structure.n_mean,
            "n_factors": structure.n_factors or structure.n_covariance,
            "n_covariance": structure.n_covariance,
        }

    def units(self, density):
        params = density.params
        return ("_mean", len(params.c)), ("_covariance", len(params.d))

    def attributes(self, facts, state):
        _, W, c, C, P, d = state.params
        return {
            "components_": W.T,
            "factors_": C.T,
            "pooling_": P.T,
            "intercept_mean_": c,
            "intercept_covariance_": d,
            **self.of_rows(facts, state),
        }

    def state(self, facts, attributes):
        params = CovarianceParams(
            self.visible(attributes),
            attributes["components_"].T,
            attributes["intercept_mean_"],
            attributes["factors_"].T,
            attributes["pooling_"].T,
            attributes["intercept_covariance_"],
        )
        optimizer, chains, log_size = attributes["_training"]
        return CovarianceState(params, optimizer, chains, log_size)
