"""Base class of Boltzmann machines on one table of data."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.base import TabularModel
from skdgm.boltzmann._fitting import FittingMixin
from skdgm.boltzmann._likelihood import LikelihoodMixin
from skdgm.boltzmann._monitor import Monitor
from skdgm.boltzmann._sampling import SamplingMixin
from skdgm.boltzmann._state import TrainState, formed
from skdgm.boltzmann._trainer import Trainer, present
from skdgm.boltzmann._visible import BINARY, REAL
from skdgm.distributions import Normal
from skdgm.energies import plain, tiled

# Number of rows whose product with the weights takes as long as tiling these.
_MANY = 100


class Machine(FittingMixin, SamplingMixin, LikelihoodMixin, TabularModel):
    """Base class of estimators with a layered energy whose first block is visible.

    Subclasses implement ``_energy(sizes=None)``, ``_params(dtype=None)``,
    ``_attributes(state)``, and ``_sizes`` and ``_learned_sizes``, the sizes of the
    hidden layers in the options and of those learned.
    """

    _domain = BINARY
    _TRAINER, _WATCHED = Trainer, "pseudo-likelihood"
    # Options that machines without real units, or with one hidden layer, lack.
    _IMPLIED = {"quadratic": False, "mean_field_steps": 50, "negative": "samples"}
    # Fitted attributes that depend on the options.
    _SOMETIMES = "swap_rates_", "precision_", "mean_", "scale_", "_log_precision"

    _parameter_constraints: dict = {
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
        "schedule": [StrOptions({"constant", "invscaling", "linear"})],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "l1": [Interval(Real, 0, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "max_norm": [Interval(Real, 0, None, closed="neither"), None],
        "sparsity_target": [Interval(Real, 0, 1, closed="both"), None],
        "sparsity_cost": [Interval(Real, 0, None, closed="left")],
        "resample": ["boolean"],
        "init": [StrOptions({"marginals", "zeros"})],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    @property
    def _dtype(self):
        return self._params().dtype.type

    def _present(self, v):
        """Clamp the machine to rows of data."""
        fill = self._domain.fill(self._columns)
        return present(v, fill, len(self._energy().units))

    def _moments(self, energy):
        """Known means (or moments) of each block in the model without couplings."""
        unknown = (None,) * (len(energy.units) - 1)
        return self._domain.moments(self._columns), *unknown

    def _initial_means(self, energy):
        """Means of each block that determine its initial biases, or None."""
        visible, *others = self._moments(energy)
        known = self._domain is BINARY and self._options.init == "marginals"
        return visible if known else None, *others

    def _monitor(self, *arguments):
        independent = self._domain.loss_of_independent(self._columns)
        return Monitor(*arguments, self._domain.log_conditionals, independent)

    def _params_for(self, rows, dtype=None, index=None):
        """Parameters for a method on all rows, or on those of an index: in tiles where
        many rows come as lists."""
        params = self._params(dtype)
        n_rows = rows.shape[0] if index is None else len(index)
        return tiled(params) if rows.listed and n_rows >= _MANY else params

    def _params_for_chains(self):
        """Parameters for many Gibbs steps: in tiles if all units are binary."""
        params = self._params()
        return params if self._energy().has_real_units else tiled(params)

    def _visible_params(self, own):
        """Parameters of the visible block, given its biases or means."""
        return Normal(own, self._log_precision) if self._domain is REAL else own

    def _state(self):
        """Training state that the fitted attributes hold."""
        return TrainState(self._params(), *self._training)

    def _common_attributes(self, state):
        """Fitted attributes that all machines have, visible biases (or means), and
        chains at the model's own temperature, from a training state."""
        state = formed(state._replace(near=()), plain)
        visible = state.params.units[0]
        chains = tuple(map(np.asarray, state.chains))
        n_chains = len(chains[0])
        attributes = {"_training": state._replace(chains=chains)[1:]}
        if len(state.swap_rates):
            n_chains //= len(state.swap_rates) + 1
            attributes["swap_rates_"] = state.swap_rates
        if self._domain is REAL:
            attributes["_log_precision"] = visible.log_precision
            precision = np.exp(visible.log_precision) / self._columns.scale**2
            attributes["precision_"] = precision
            attributes["mean_"] = self._columns.mean
            attributes["scale_"] = self._columns.scale
            visible = visible.mean
        chains = tuple(part[:n_chains] for part in chains)
        attributes["chains_"] = self._domain.to_data(self._columns, chains[0])
        return attributes, visible, chains
