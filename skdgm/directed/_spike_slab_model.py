"""Training of spike-and-slab sparse coding by expectation maximization."""

from typing import NamedTuple

import numpy as np

from skdgm.base import Model
from skdgm.directed._model_options import CodingOptions
from skdgm.directed._spike_slab import (
    CodingParams,
    Sums,
    bound,
    maximized,
    pairs,
    sums,
)
from skdgm.directed._spike_slab_density import CodingDensity
from skdgm.directed._spike_slab_start import of_directions, of_rows
from skdgm.training import DensityWatch, Objective, epoch
from skdgm.utils.random import INIT, PROBE, stream
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype, tree_map

# Initial variance of columns.
_VARIANCE = 0.5
# Maximum numbers of rows and of entries for independent components; number of rows and
# of EM steps that compare initial weights.
_MAX_ROWS, _MAX_ENTRIES, _N_COMPARED_ROWS, _N_COMPARING_STEPS = 2000, 2**19, 1000, 20


class CodingState(NamedTuple):
    """Parameters, expected statistics in float64, and the number of updates, (1,)."""

    params: CodingParams
    means: Sums
    t: np.ndarray


class CodingObjective(Objective[CodingOptions]):
    r"""Variational bound of rows; each update is an E-step on a batch and an M-step.

    .. math:: S \leftarrow S + \rho \, (S_\text{batch} - S), \qquad
       \rho = \min\bigl(1, \max(1 / t, \eta / n)\bigr)

    for update t and n batches per epoch. Statistics are thus averages over about
    :math:`1 / \eta` epochs [1]_, for a ``learning_rate`` :math:`\eta`. One batch and a
    rate of 1 give batch expectation maximization.

    References
    ----------
    .. [1] Cappé and Moulines (2009). On-line expectation-maximization algorithm for
       latent data models. Journal of the Royal Statistical Society, Series B.
    """

    quantity = "lower bound"

    def __init__(self, run, *, table, independent_loss, n_components):
        super().__init__(run)
        self.table, self.independent_loss = table, independent_loss
        self.n_components = n_components

    def start(self):
        """Initial state: the better of two starts after some EM steps, from random rows
        and from independent components as weights."""
        rng, k = stream(self.seed, INIT).generator(), self.n_components
        index = self.table.index
        order = index[np.resize(rng.permutation(len(index)), k)]
        size = max(self.options.batch_size, _MAX_ENTRIES // self.rows.shape[1])
        sample = epoch(self.table, min(size, _MAX_ROWS), stream(self.seed, INIT, 1))[0]
        with one_blas_thread():
            W, v = of_rows(self.rows.take(order), rng), self.rows.take(sample)
            v, starts = v.astype(float), [W, of_directions(W, v, rng)]
            tried = [self._tried(W, v[:_N_COMPARED_ROWS]) for W in starts]
        params, _ = max(tried, key=lambda pair: np.nan_to_num(pair[1], nan=-np.inf))
        n = len(params.c)
        shapes = (k, k), (k,), (n, k), (n,), (n,), (k,)
        params = astype(params, self.rows.dtype)
        return CodingState(params, Sums._make(map(np.zeros, shapes)), np.zeros(1))

    def _tried(self, W, v):
        """Parameters after some EM steps from weights W, with spike probabilities of
        1/2, and their bound on rows v."""
        (n, k), n_sweeps = W.shape, self.options.mean_field_steps
        params = CodingParams(
            W=W,
            c=np.zeros(n),
            b=np.zeros(k),
            mu=np.ones(k),
            alpha=np.ones(k),
            beta=np.full(n, 1 / _VARIANCE),
        )
        for _ in range(_N_COMPARING_STEPS):
            means = sums(params, v, pairs(params, v, n_sweeps))
            params = self._maximized(params, means)
        return params, bound(params, v, pairs(params, v, n_sweeps)).mean()

    def _maximized(self, params, means):
        """Parameters after an M-step."""
        pseudo = self.options.prior_weight / self.table.n_draws
        return maximized(params, means, self.options.min_variance, pseudo)

    def resume(self, state):
        """Return the state unchanged."""
        return state

    def step(self, state, batch, clock):
        options, params = self.options, state.params.exact
        v = self.rows.take(batch).astype(float)
        batch_means = sums(params, v, pairs(params, v, options.mean_field_steps))
        t = state.t + 1
        rho = min(1.0, max(1 / t[0], self.options.learning_rate / clock.n_batches))
        means = tree_map(
            lambda old, new: old + rho * (new - old), state.means, batch_means
        )
        params = self._maximized(params, means)
        return CodingState(astype(params, self.rows.dtype), means, t)

    def watch(self, table, held_out, state):
        return CodingWatch(self, table, held_out, state)


class CodingWatch(DensityWatch):
    """Monitor of the variational bound."""

    def __init__(self, objective, table, held_out, state):
        self.objective, rng = objective, stream(objective.seed, PROBE)
        super().__init__(table, held_out, rng, objective.independent_loss, state)

    def _losses(self, state, index, part):
        params, v = state.params.exact, self.rows.take(index).astype(float)
        n_sweeps = self.objective.options.mean_field_steps
        return -bound(params, v, pairs(params, v, n_sweeps))


class CodingModel(Model[CodingOptions]):
    """Number of components, training objective, and density."""

    STRUCTURE = ("n_components",)

    def check(self, options):
        """Accept all options."""

    def objective(self, facts, table, epochs_before):
        """Variational bound of the rows."""
        return CodingObjective(
            facts.run(table, epochs_before),
            table=table,
            independent_loss=facts.domain.loss_of_independent(facts.columns),
            n_components=facts.structure.n_components,
        )

    def density(self, facts, state):
        return CodingDensity(
            facts.context,
            params=state.params,
            sweeps=facts.options.mean_field_steps,
            features=facts.options.features,
        )

    def attributes(self, facts, state):
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
        params = CodingParams(
            W=attributes["components_"].T,
            c=attributes["intercept_visible_"],
            b=attributes["intercept_hidden_"],
            mu=attributes["slab_means_"],
            alpha=attributes["slab_precisions_"],
            beta=attributes["_beta"],
        )
        *means, t = attributes["_training"]
        return CodingState(params, Sums._make(means), t)
