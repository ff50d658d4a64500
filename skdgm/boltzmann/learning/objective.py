r"""Likelihood of rows under a layered energy, as an objective.

.. math:: \frac{\partial \log p(v)}{\partial \theta} = \mathbb{E}_\text{data}\left[
   -\frac{\partial E}{\partial\theta}\right] - \mathbb{E}_\text{model}\left[
   -\frac{\partial E}{\partial\theta}\right]
"""

from typing import Any

import numpy as np

from skdgm.boltzmann._fused_epochs import runs
from skdgm.boltzmann.learning.monitor import PseudoLikelihoodWatch
from skdgm.boltzmann.learning.phases import CHAINS
from skdgm.boltzmann.learning.sampling_free import SAMPLING_FREE
from skdgm.boltzmann.learning.state import TrainState, clamp_rows, map_params
from skdgm.boltzmann.model_options import penalties_per_row
from skdgm.boltzmann.structure.labels import known_labels, label_of
from skdgm.energies import tiled
from skdgm.gradients.steps import centering, natural, outliers, quadratic, rate_limit
from skdgm.inference import means_without_input
from skdgm.metrics import log_conditionals
from skdgm.optim import adam, learning_rate, piecewise, sgd
from skdgm.training import Objective, Reader, Table
from skdgm.utils.lists import LISTED
from skdgm.utils.random import INIT, stream
from skdgm.utils.threading.parallel import learning
from skdgm.utils.tree import tree_map

SOLVERS = {"sgd": sgd, "adam": adam}
PHASES = CHAINS | SAMPLING_FREE

_LARGE_BATCH = 250


class EnergyObjective(Objective):
    """Log-likelihood of rows, maximized by contrastive divergence and related
    gradients. Training states are :class:`~skdgm.boltzmann.learning.state.TrainState`.
    ``initial_data`` is a :class:`~skdgm.boltzmann.learning.state.InitialData`;
    :meth:`split` removes held-out rows from its table."""

    quantity = "pseudo-likelihood"
    # Fields of the state that each worker of a cluster keeps.
    LOCAL = ("chains",)

    def __init__(self, run, *, energy, initial_data):
        super().__init__(run)
        options = run.options
        self.energy, self.label, self.workspaces = energy, label_of(energy), {}
        self.missing_values = initial_data.missing_values
        self.nonzero_share = initial_data.nonzero_share
        self.moments, self.means = initial_data.moments, initial_data.means
        self.initialize, self.known = initial_data.initialize, initial_data.known
        self.table, self.layout = initial_data.table, initial_data.layout
        self.max_magnitudes = initial_data.max_magnitudes or {}
        self.centering = options.centering
        self.solver = SOLVERS[options.solver]
        self.phase = self.phase_of(options)(self)

    def phase_of(self, options):
        """Class of the phases that the option ``gradient`` selects."""
        return PHASES[options.gradient]

    def start(self):
        rng = stream(self.seed, INIT)
        params = self.energy.init(rng.generator(), self.means, dtype=self.rows.dtype)
        if self.initialize is not None:
            params = self.initialize(self, params)
        return self.resume(TrainState(params, (), ()))

    def resume(self, state):
        options, params = self.options, self.for_kernels(state.params)
        optimizer = self.solver.init(params)
        if type(optimizer) is type(state.optimizer):
            optimizer = self.for_kernels(state.optimizer)
        phase = self.for_kernels(state.phase)
        fresh = TrainState(params, optimizer, state.chains, phase=phase)
        fresh = self.phase.resume(fresh)
        means = tuple(mean[0] for mean in means_without_input(self.energy, params, 1))
        offsets = state.offsets or self._offsets(means)
        self.centering = options.centering or self._automatic_centering(state, offsets)
        if self.centering is not None:
            fresh = fresh._replace(offsets=offsets)
        if options.sparsity_target is not None:
            hidden = tuple(means[block] for block in self.energy.hidden)
            fresh = fresh._replace(activity=state.activity or hidden)
        return fresh

    def split(self, table):
        self.table, held_out = super().split(table)
        return self.table, held_out

    def columns_of(self, block):
        """Column numbers of the units of a block."""
        return np.arange(self.energy.units[block].size)

    @property
    def _by_blas(self):
        """True if BLAS is faster than kernels: for real units, for mean-field states,
        for large batches of dense data, and for weights that are not matrices."""
        if not self.energy.has_matrices:
            return True
        dense = self.nonzero_share > LISTED and self.options.batch_size >= _LARGE_BATCH
        return dense or self.phase.by_blas or self.energy.has_real_units

    def for_kernels(self, tree):
        """Parameters as tiles for kernels, or as contiguous arrays for BLAS."""
        if self._by_blas:
            return tree_map(np.ascontiguousarray, tree)
        return map_params(tree, tiled)

    def draw(self, table, number):
        """Batches of an epoch, or groups of batches that one kernel call processes."""
        return runs.in_runs(self, self.batches(table, number))

    def batches(self, table, number):
        """Batches of an epoch, read in advance."""
        lists = self.rows.complete and not self._by_blas
        return Reader(self.rows, super().draw(table, number), lists)

    def watch(self, table: Table, held_out: Any, state: Any) -> Any:
        return PseudoLikelihoodWatch(self, table, held_out, state)

    def step(self, state, batch, clock):
        """State after updates from a batch or a group of batches. The arrays of
        ``state`` are updated in place."""
        if isinstance(batch, runs.BatchRun):
            return runs.learn(self, state, batch, clock)
        options = self.options
        rng = self.stream(clock)
        gray = self.energy.units[0].form in ("bits", "pooled") and not self.rows.binary
        x, clamp = self.clamp_rows(batch, rng if options.resample and gray else None)
        with learning():
            grad, state = self.gradient(rng, state, x, clamp, clock)
            self.ascend(state, grad, clock)
        return state

    def ascend(self, state, grad, clock):
        """Update parameters along a gradient, in place. The gradient is transformed to
        standardized coordinates, shortened for columns with outliers, centered, and
        passed to the optimizer. Parameters are then constrained."""
        options, energy, params = self.options, self.energy, state.params
        # Adaptive optimizers undo changes of the gradient, so shorten steps instead.
        is_sgd = options.solver == "sgd"
        rate, momentum = options.learning_rate, piecewise(options.momentum, clock)
        grad_factors, step_factors, n_rows = {}, {}, options.batch_size
        self.phase.learn(state, grad)
        if is_sgd:
            # Strong damping after the schedule would cancel the schedule.
            rate = natural.damped(energy, params, rate, self.centering is not None)
            total_rate = rate / (1 - momentum)
            grad_factors = outliers.step_factors(
                energy, total_rate, self.max_magnitudes, n_rows
            )
        else:
            step_factors = outliers.step_factors(
                energy, None, self.max_magnitudes, n_rows
            )
        rate = learning_rate(rate, options.schedule, clock, options.power_t)
        penalties = penalties_per_row(options)
        scales = natural.deviations(energy, params)
        if options.quadratic:
            grad = quadratic.convert(energy, params, grad)
            shift = quadratic.shift(energy, params)
        grad = natural.standardized(energy, params, grad)
        grad = outliers.shortened(energy, grad, grad_factors)
        if state.offsets:
            centered = centering.center(
                energy, params, grad, state.offsets, grad_factors, is_sgd
            )
            if self.recentered:
                centered = centering.weights_only(grad, centered)
            grad = centered
        grad = self.tie_gradients(natural.natural(energy, params, grad, is_sgd))
        before = outliers.copied(energy, params, step_factors)
        if is_sgd:
            rate = rate_limit.limit_rate(energy, grad, rate)
        # Penalties depend on the weights before the step.
        penalty_factors = grad_factors if options.alpha else {}
        before_penalty = outliers.copied(energy, params, penalty_factors)
        if state.offsets and self.recentered:
            weights = tree_map(np.copy, params.couplings)
        optimizer = state.optimizer
        step_options = {"rate": rate, "momentum": momentum} | penalties
        self.solver.step(params, optimizer, grad, **step_options)
        velocity = optimizer if momentum else None
        outliers.refund_penalty(
            energy, params, velocity, before_penalty, rate, **penalties
        )
        outliers.scale_step(energy, params, before)
        if state.offsets and self.recentered:
            centering.recenter(energy, params, weights, state.offsets)
        natural.rescale(energy, params, scales)
        energy.constrain(params, options.max_norm)
        if options.quadratic:
            quadratic.correct(energy, params, shift)

    @property
    def recentered(self):
        """True if biases are corrected by the step of the weights instead of the
        gradient of the weights."""
        return False

    def tie_gradients(self, grad):
        """Gradient averaged over tied parameters."""
        return grad

    def clamp_rows(self, batch, rng=None):
        """Values of the blocks for a batch of rows and their known labels, and clamps;
        see :func:`~skdgm.boltzmann.learning.state.clamp_rows`."""
        x, clamp = clamp_rows(batch.v, self.missing_values, len(self.energy.units), rng)
        if self.label is None:
            return x, clamp
        frequencies = self.moments[self.label]
        return known_labels(
            x, clamp, self.label, batch.given, frequencies, self.rows.dtype
        )

    def gradient(self, rng, state, x, clamp, clock):
        """Gradient of the mean log-likelihood, and the state with updated chains."""
        return self.phase.gradient(rng, state, x, clamp, clock)

    def pseudo_likelihood(self, rng, params, batch):
        """Log pseudo-likelihood of binary rows and other known blocks."""
        return log_conditionals(self.energy, params, self.clamp_rows(batch)[0]).sum(
            axis=1
        )

    def _automatic_centering(self, state, offsets):
        """Value of the option ``centering``: "data" if a layer is so wide that the
        plain gradient would overshoot, else None. A resumed fit keeps the first
        choice."""
        options, energy, offsets = self.options, self.energy, list(offsets)
        for block in energy.hidden if state.offsets else ():
            offsets[block] = np.maximum(offsets[block], 0.5)
        rate, adaptive = options.learning_rate, options.solver != "sgd"
        if not adaptive:
            rate = natural.damped(energy, state.params, rate, False)
        overshoots = centering.overshoots(energy, offsets, rate, adaptive)
        return "data" if overshoots else None

    def _offsets(self, means):
        """Initial offsets: known means of the data, or means of units without input."""
        data_means = (self.missing_values, *self.moments[1:])
        return tuple(
            mean if data is None else data.astype(mean.dtype)
            for data, mean in zip(data_means, means)
        )
