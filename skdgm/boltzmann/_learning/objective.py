r"""Likelihood of rows under a layered energy, as an objective.

.. math:: \frac{\partial \log p(v)}{\partial \theta} = \mathbb{E}_\text{data}\left[
   -\frac{\partial E}{\partial\theta}\right] - \mathbb{E}_\text{model}\left[
   -\frac{\partial E}{\partial\theta}\right]
"""

import numpy as np

from skdgm.boltzmann._fused_epochs import runs
from skdgm.boltzmann._learning.monitor import PseudoLikelihoodWatch
from skdgm.boltzmann._learning.sampling_free import WAYS, without_phases
from skdgm.boltzmann._learning.state import TrainState, formed, present
from skdgm.boltzmann._learning.steps import ascend
from skdgm.boltzmann._structure.labels import known_labels, label_of
from skdgm.distributions import Bernoulli, Pooled
from skdgm.energies import contrast, tiled
from skdgm.gradients import cd, pcd, settled, tempered
from skdgm.gradients.steps import centering, fast, sparsity
from skdgm.inference import lone_means
from skdgm.metrics import log_conditionals
from skdgm.optim import adam, piecewise, sgd
from skdgm.samplers import gibbs, tempering
from skdgm.training import Objective, Reader
from skdgm.utils.lists import LISTED
from skdgm.utils.random import INIT, stream
from skdgm.utils.threading.parallel import learning
from skdgm.utils.tree import tree_map

SOLVERS = {"sgd": sgd, "adam": adam}

_BITS = Bernoulli, Pooled
_LARGE_BATCH = 250
# Weight of an update's swap rates in their running means.
_RECENT = 0.01


class EnergyObjective(Objective):
    """Log-likelihood of rows, followed by contrastive divergence and its relatives.

    Training states are :class:`~skdgm.boltzmann._learning.state.TrainState`.

    Parameters
    ----------
    energy : Energy
    recipe : object
        Has the training options of an estimator as attributes.
    rows : Rows
    seed : int
    fill : ndarray of shape (n_visible,)
        Values from which missing entries start.
    moments : tuple
        For each block the means (or moments) of the model without couplings, or None.
    epochs_before : int
        Epochs before this run, so that no random numbers are used twice.
    density : float
        Share of the data that is not 0.
    means : tuple, optional
        For each block the means that its initial biases give, or None.
    initial : callable, optional
        ``initial(objective, params)`` returns parameters to start from, in place of
        small random weights.
    known : pair, optional
        Kind of the visible units and statistics of their columns, for the loss.
    table : Table, optional
        Training rows, of which :meth:`split` leaves those that are not held out.
    reach : dict, optional
        For blocks of real units the largest value of each; see
        :mod:`skdgm.data.reach`.
    """

    quantity = "pseudo-likelihood"
    # Whether machines of two binary layers are learned so, not in a subclass's way.
    plain, LOCAL = True, ("chains", "near")
    ascend = ascend

    def __init__(
        self,
        energy,
        recipe,
        rows,
        seed,
        fill,
        moments,
        epochs_before,
        density,
        *,
        means=None,
        initial=None,
        known=None,
        table=None,
        reach=None,
    ):
        super().__init__(recipe, rows, seed, epochs_before)
        self.energy, self.fill, self.moments, self.rooms = energy, fill, moments, {}
        self.density, self.label, self.means = density, label_of(energy), means
        self.initial, self.known, self.table = initial, known, table
        self.reach = reach or {}
        self.solver = SOLVERS[recipe.solver]

    def start(self):
        """Initial state: small random weights, and biases that give the means."""
        rng = stream(self.seed, INIT)
        params = self.energy.init(rng.generator(), self.means, dtype=self.rows.dtype)
        if self.initial is not None:
            params = self.initial(self, params)
        return self.resume(TrainState(params, (), ()))

    def resume(self, state):
        """Training state completed with all that the recipe now needs."""
        recipe, params = self.recipe, self.for_kernels(state.params)
        optimiser = self.solver.init(params)
        if type(optimiser) is type(state.optimiser):
            optimiser = self.for_kernels(state.optimiser)
        if recipe.gradient == "tempering" and not state.base:
            state = state._replace(base=self.energy.base(params, self.moments)[0])
        fresh = TrainState(params, optimiser, self._chains(state))
        means = tuple(mean[0] for mean in lone_means(self.energy, params, 1))
        if recipe.centering is not None:
            fresh = fresh._replace(offsets=state.offsets or self._offsets(means))
        if recipe.sparsity_target is not None:
            hidden = tuple(means[block] for block in self.energy.hidden)
            fresh = fresh._replace(activity=state.activity or hidden)
        if recipe.gradient == "fpcd":
            own = self.for_kernels(state.fast) if state.fast else fast.init(params)
            fresh = fresh._replace(fast=own)
        if recipe.gradient == "noise-contrastive":
            log_Z = np.array([self.energy.base(params, self.moments)[1]])
            fresh = fresh._replace(noise=state.noise or (log_Z, self.moments[0]))
        if recipe.gradient == "tempering":
            rates = state.swap_rates
            if len(rates) != self._n_pairs:
                rates = np.zeros(self._n_pairs)
            fresh = fresh._replace(swap_rates=rates, base=state.base)
        return fresh

    def split(self, table):
        """Split a table; see :class:`~skdgm.training.Objective`."""
        self.table, held_out = super().split(table)
        return self.table, held_out

    def columns_of(self, block):
        """Columns of the table that a block of real units consists of."""
        return np.arange(self.energy.units[block].size)

    @property
    def _n_pairs(self):
        """Number of pairs of neighbouring temperatures."""
        recipe = self.recipe
        return recipe.n_temperatures - 1 if recipe.gradient == "tempering" else 0

    @property
    def _by_blas(self):
        """True where BLAS is faster than kernels: for real units, for means, and where
        few values are 0 and batches so large that products outweigh other work; and
        where weights are no matrices."""
        if not self.energy.has_matrices:
            return True
        dense = self.density > LISTED and self.recipe.batch_size >= _LARGE_BATCH
        return dense or self.recipe.gradient in WAYS or self.energy.has_real_units

    def for_kernels(self, tree):
        """Parameters in tiles for kernels, or as contiguous arrays for BLAS."""
        if self._by_blas:
            return tree_map(np.ascontiguousarray, tree)
        return formed(tree, tiled)

    def draw(self, table, number):
        """Batches of an epoch; or runs of them, whose updates :meth:`step` makes."""
        return runs.in_runs(self, self.batches(table, number))

    def batches(self, table, number):
        """Batches of an epoch, read in advance."""
        lists = self.rows.complete and not self._by_blas
        return Reader(self.rows, super().draw(table, number), lists)

    def watch(self, table, held_out, state):
        """Pseudo-likelihood of some units of each row."""
        return PseudoLikelihoodWatch(self, table, held_out, state)

    def step(self, state, batch, clock):
        """State after an update from a batch, or a run of them; it changes in place."""
        if isinstance(batch, runs.Run):
            return runs.learn(self, state, batch, clock)
        recipe = self.recipe
        rng = self.stream(clock)
        grey = isinstance(self.energy.units[0], _BITS) and not self.rows.binary
        x, clamp = self.present(batch, rng if recipe.resample and grey else None)
        with learning():
            grad, state = self.gradient(rng, state, x, clamp, clock)
            self.ascend(state, grad, clock)
        return state

    def shared(self, grad):
        """Gradient of parameters of which some are to be the same: as it is."""
        return grad

    def present(self, batch, rng=None):
        """Clamp the machine to a batch of rows, and to the labels that are known."""
        x, clamp = present(batch.v, self.fill, len(self.energy.units), rng)
        if self.label is None:
            return x, clamp
        given = self.label, batch.given, self.moments[self.label]
        return known_labels(x, clamp, *given, self.rows.dtype)

    def gradient(self, rng, state, x, clamp, clock):
        r"""Gradient of the mean log-likelihood, and the state with updated chains.

        .. math:: \mathbb{E}_\text{data}[-\partial E / \partial\theta] -
           \mathbb{E}_\text{model}[-\partial E / \partial\theta]
        """
        if self.recipe.gradient in WAYS:
            return without_phases(self, rng, state, x, clamp, clock)
        (data, model), state = self._phases(rng, state, x, clamp, clock)
        data, state = self.with_running_means(state, data, model)
        return contrast(self.energy, state.params, data, model), state

    def pseudo_likelihood(self, rng, params, batch):
        """Log pseudo-likelihood of binary rows and the blocks known beside them."""
        return log_conditionals(self.energy, params, self.present(batch)[0]).sum(axis=1)

    def with_running_means(self, state, data, model=None):
        """Positive phase with the sparsity term, and the state with its new means."""
        recipe = self.recipe
        if recipe.centering in ("data", "moving"):
            moving = model if recipe.centering == "moving" else None
            offsets = centering.follow(state.offsets, data, moving)
            state = state._replace(offsets=offsets)
        if state.activity:
            aim = recipe.sparsity_target, recipe.sparsity_cost
            data, activity = sparsity.penalise(self.energy, data, state.activity, *aim)
            state = state._replace(activity=activity)
        return data, state

    def _phases(self, rng, state, x, clamp, clock):
        """Both phases of the gradient, and the state with updated chains."""
        n_steps = piecewise(self.recipe.n_steps, clock)
        given = rng, self.energy, state.params, x, clamp, n_steps
        budget = {"max_sweeps": self.recipe.mean_field_steps}
        if self.recipe.gradient == "cd":
            phases, chains = cd(*given)
            return phases, state._replace(near=chains.x)
        if self.recipe.gradient == "tempering":
            replicas, ladder = tempering.State(state.chains), self._ladder(state.base)
            phases, chains, info = tempered(*given, replicas, ladder, **budget)
            rates, share = state.swap_rates, _RECENT if state.swap_rates.any() else 1.0
            rates = rates + share * (info.swap_rates - rates)
            return self._settled(phases, state), state._replace(
                chains=chains.x, swap_rates=rates
            )
        model = fast.overlaid(state.params, state.fast) if state.fast else None
        phases, chains = pcd(*given, gibbs.State(state.chains), model, **budget)
        return self._settled(phases, state), state._replace(chains=chains.x)

    def _settled(self, phases, state):
        """Phases with the samples of the chains, or with means in their place."""
        if self.recipe.negative == "samples":
            return phases
        return settled(self.energy, state.params, phases)

    def _ladder(self, base):
        return tempering.Ladder(tempering.betas(self.recipe.n_temperatures), base)

    def _chains(self, state):
        """Chains of the last run where their number is still right, else new ones."""
        units, n_chains = self.energy.units, self.recipe.n_chains
        n_chains = n_chains or self.recipe.batch_size
        alike = state.chains and len(state.swap_rates) == self._n_pairs
        left = len(state.chains[0]) // (self._n_pairs + 1) if alike else None
        if left == n_chains or (left and self.recipe.gradient == "cd"):
            return tuple(unit.pack(part) for unit, part in zip(units, state.chains))
        rng = stream(self.seed, INIT)
        if self.recipe.gradient == "tempering":
            ladder = self._ladder(state.base)
            return tempering.init(rng, self.energy, n_chains, ladder).x
        return gibbs.init(rng.rows(n_chains), self.energy, state.params.units).x

    def _offsets(self, means):
        """Initial offsets: the means of the data where known, else of lone blocks."""
        known = (self.fill, *self.moments[1:])
        return tuple(
            mean if data is None else data.astype(mean.dtype)
            for data, mean in zip(known, means)
        )
