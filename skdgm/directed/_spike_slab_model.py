"""Learning of spike and slab sparse coding, by expectation maximisation."""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from skdgm.base import Model
from skdgm.directed._spike_slab import (
    CodingParams,
    Sums,
    bound,
    maximised,
    pairs,
    sums,
)
from skdgm.directed._spike_slab_density import CodingDensity
from skdgm.training import DensityWatch, Objective
from skdgm.utils.random import INIT, PROBE, stream
from skdgm.utils.tree import astype, tree_map

# Variance of columns, noise of weights, and largest magnitude of the latter, at first.
_VARIANCE, _NOISE, _FAR = 0.5, 0.01, 5.0


class CodingState(NamedTuple):
    """Parameters; expected statistics, in float64; and number of updates, (1,)."""

    params: CodingParams
    means: Sums
    t: np.ndarray


class CodingObjective(Objective):
    r"""Variational bound of rows; each update is an E-step of a batch, and an M-step.

    .. math:: S \leftarrow S + \rho \, (S_\text{batch} - S), \qquad
       \rho = \min\bigl(1, \max(1 / t, \eta / n)\bigr)

    of update t, where an epoch has n batches, so that statistics are means over the
    rows of about :math:`1 / \eta` epochs [1]_, for a ``learning_rate`` :math:`\eta`.
    With one batch and a rate of 1 this is expectation maximisation.

    References
    ----------
    .. [1] Cappé and Moulines (2009). On-line expectation-maximization algorithm for
       latent data models. Journal of the Royal Statistical Society, Series B.
    """

    quantity = "lower bound"

    def __init__(self, table, independent, n_components, *given):
        super().__init__(*given)
        self.table, self.independent = table, independent
        self.n_components = n_components

    def start(self):
        """Initial state: weights are rows, drawn at random, and spikes as often on as
        off."""
        rng, k = stream(self.seed, INIT).generator(), self.n_components
        index = self.table.index
        order = np.resize(rng.permutation(len(index)), k)
        rows = np.nan_to_num(self.rows.take(index[order])).clip(-_FAR, _FAR)
        n = rows.shape[1]
        W = (rows + _NOISE * rng.normal(size=rows.shape)).T
        beta = np.full(n, 1 / _VARIANCE)
        own = W, np.zeros(n), np.zeros(k), np.ones(k), np.ones(k), beta
        params = astype(CodingParams(*own), self.rows.dtype)
        shapes = (k, k), (k,), (n, k), (n,), (n,), (k,)
        return CodingState(params, Sums(*map(np.zeros, shapes)), np.zeros(1))

    def resume(self, state):
        """The state itself."""
        return state

    def step(self, state, batch, clock):
        """State after an E-step of a batch and an M-step."""
        options, params = self.options, state.params.exact
        v = self.rows.take(batch).astype(float)
        found = sums(params, v, pairs(params, v, options.mean_field_steps))
        t = state.t + 1
        rho = min(1.0, max(1 / t[0], self.options.learning_rate / clock.n_batches))
        means = tree_map(lambda old, new: old + rho * (new - old), state.means, found)
        pseudo = options.prior_weight / self.table.n_draws
        params = maximised(params, means, options.min_variance, pseudo)
        return CodingState(astype(params, self.rows.dtype), means, t)

    def watch(self, table, held_out, state):
        """Bound of the same rows after each epoch."""
        return CodingWatch(self, table, held_out, state)


class CodingWatch(DensityWatch):
    """Variational bound of rows."""

    def __init__(self, objective, table, held_out, state):
        self.objective, rng = objective, stream(objective.seed, PROBE)
        super().__init__(table, held_out, rng, objective.independent, state)

    def _losses(self, state, index, part):
        params, v = state.params.exact, self.rows.take(index).astype(float)
        n_sweeps = self.objective.options.mean_field_steps
        return -bound(params, v, pairs(params, v, n_sweeps))


class CodingModel(Model):
    """Number of components, and what they are learned and asked by."""

    def check(self, options):
        """Do nothing: constraints exclude all wrong options."""

    def structure(self, facts):
        """Number of components."""
        return SimpleNamespace(n_components=facts.options.n_components)

    def objective(self, facts, table, before):
        """Variational bound of the rows."""
        independent = facts.domain.loss_of_independent(facts.columns)
        given = facts.options, table.rows, facts.seed, before
        k = facts.structure.n_components
        return CodingObjective(table, independent, k, *given)

    def density(self, facts, state):
        """Density of the learned parameters."""
        return CodingDensity(
            *facts.own,
            params=state.params,
            sweeps=facts.options.mean_field_steps,
            features=facts.options.features,
        )

    def attributes(self, facts, state):
        """Fitted attributes of a training state, by name."""
        (W, c, b, mu, alpha, beta), columns = state.params, facts.columns
        return {
            "components_": W.T,
            "intercept_visible_": c,
            "intercept_hidden_": b,
            "slab_means_": mu,
            "slab_precisions_": alpha,
            "precision_": beta / columns.scale**2,
            "mean_": columns.mean,
            "scale_": columns.scale,
            "_beta": beta,
            "_training": (*state.means, state.t),
        }

    def state(self, facts, attributes):
        """Training state of fitted attributes."""
        names = (
            *("intercept_visible_", "intercept_hidden_", "slab_means_"),
            *("slab_precisions_", "_beta"),
        )
        own = (attributes[name] for name in names)
        params = CodingParams(attributes["components_"].T, *own)
        *means, t = attributes["_training"]
        return CodingState(params, Sums(*means), t)
