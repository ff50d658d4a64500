"""Positive and negative phases of the likelihood gradient.

The option ``gradient`` selects a phase object for a run, which has the chains and all
other state of the gradient.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from skdgm.energies import Params, contrast
from skdgm.gradients import cd, pcd
from skdgm.gradients.contrastive import with_first_means
from skdgm.gradients.steps import centering, fast, natural, outliers, sparsity
from skdgm.optim import Clock, piecewise
from skdgm.samplers import (
    FastWeights,
    Gibbs,
    Info,
    Ladder,
    Sampler,
    State,
    betas,
    tempering,
)
from skdgm.utils.random import INIT, Stream, stream
from skdgm.utils.rows import Rows

# Weight of an update in the running means of swap rates.
RECENT = 0.01


class Phase:
    """Role: both phases of a gradient, with or without chains, for a run's
    ``objective``. A subclass implements :meth:`phases`, or :meth:`gradient` if it has
    no negative phase. It implements :meth:`begin` if it has a state, which is the field
    ``phase`` of the training state and has a method ``attributes`` that returns fitted
    attributes."""

    # Whether chains persist; whether a kernel can make many updates in one call;
    # whether values are means, for which BLAS is faster than kernels of sparse states.
    persistent, fused, by_blas = True, False, False
    # Number of temperatures; chains at the model's own temperature come first.
    n_levels = 1

    def __init__(self, objective: Any):
        self.objective = objective
        self.energy, self.options = objective.energy, objective.options
        self.seed, self.moments = objective.seed, objective.moments
        self.rows, self.max_magnitudes = objective.rows, objective.max_magnitudes

    @staticmethod
    def check(options: SimpleNamespace) -> None:
        """Raise ValueError for options that are incompatible with this gradient."""

    @staticmethod
    def logits(density: Any, rows: Rows, options: SimpleNamespace) -> np.ndarray:
        """Log probabilities of labels, up to a constant for each row, under a machine
        trained with this gradient: (n_rows, n_classes)."""
        return density.log_joint_of(rows)

    def begin(self, state: Any) -> tuple:
        """State of the gradient, which continues that of an earlier run if it fits."""
        return ()

    def resume(self, state: Any) -> tuple:
        """Training state with the state of the gradient and with chains, which are
        those of an earlier run if their number is right."""
        phase = self.begin(state)
        n_chains = self.options.n_chains or self.options.batch_size
        n_chains *= self.n_levels
        fits = state.chains and state.n_levels == self.n_levels
        if fits and (not self.persistent or len(state.chains[0]) == n_chains):
            chains = self.packed(state.chains)
        else:
            chains = self.chains(state.params, phase, n_chains)
        return state._replace(chains=chains, phase=phase)

    def packed(self, chains: tuple) -> tuple:
        """States of chains in the form that samplers take."""
        units = self.energy.units
        return tuple(unit.pack(x) for unit, x in zip(units, chains, strict=True))

    def sampler(self, phase: Any) -> Sampler:
        """Sampler of the chains, given the state of the gradient."""
        return Gibbs(self.energy)

    def chains(self, params: Params, phase: Any, n_chains: int) -> tuple:
        """New chains, drawn from the model without couplings."""
        rng = stream(self.seed, INIT).rows(n_chains)
        return self.sampler(phase).init(rng, params.units).x

    def moved(self, rng: Stream, state: Any, n_steps: int) -> tuple:
        """State after steps of the chains, for gradients that do not use them."""
        rows, chains = rng.rows(len(state.chains[0])), State(state.chains)
        sampler = self.sampler(state.phase)
        chains, _ = sampler.step(rows, state.params, chains, n_steps)
        return state._replace(chains=chains.x)

    def phases(
        self, rng: Stream, state: Any, x: tuple, clamp: tuple, clock: Clock
    ) -> tuple:
        """Both phases of an update, and the training state after it. ``x`` and
        ``clamp`` are data of each block, (n_rows, size), and their clamps, as for
        :func:`skdgm.gradients.cd`."""
        raise NotImplementedError

    def gradient(
        self, rng: Stream, state: Any, x: tuple, clamp: tuple, clock: Clock
    ) -> tuple[Params, tuple]:
        r"""Gradient of the mean log-likelihood, and the state with updated chains.

        .. math:: \mathbb{E}_\text{data}[-\partial E / \partial\theta] -
           \mathbb{E}_\text{model}[-\partial E / \partial\theta]
        """
        (data, model), state = self.phases(rng, state, x, clamp, clock)
        data, state = self.with_running_means(state, data, model)
        return contrast(self.energy, state.params, data, model), state

    def ended(self, state: Any, chains: State, info: Info) -> tuple:
        """Training state after steps of the chains; unchanged unless chains persist."""
        return state

    def learn(self, state: Any, grad: Params) -> None:
        """Update the state of the gradient, such as fast weights, in place."""

    def with_running_means(
        self, state: Any, data: tuple, model: tuple | None = None
    ) -> tuple:
        """Positive phase with the sparsity term, and the state with updated running
        means."""
        options, kind = self.options, self.objective.centering
        if kind in ("data", "moving"):
            moving = model if kind == "moving" else None
            offsets = centering.running_means(state.offsets, data, moving)
            state = state._replace(offsets=offsets)
        if state.activity:
            target, cost = options.sparsity_target, options.sparsity_cost
            data, activity = sparsity.penalize(
                self.energy, data, state.activity, target, cost
            )
            state = state._replace(activity=activity)
        return data, state

    def n_steps(self, clock: Clock) -> int:
        """Number of steps of the chains in an update."""
        return piecewise(self.options.n_steps, clock)


class DataChains(Phase):
    """Contrastive divergence: chains that start at the data."""

    persistent, fused = False, True

    def phases(self, rng, state, x, clamp, clock):
        sampler, n_steps = self.sampler(state.phase), self.n_steps(clock)
        phases, chains, info = cd(rng, sampler, state.params, x, clamp, n_steps)
        return phases, self.ended(state, chains, info)


class PersistentChains(Phase):
    """Persistent contrastive divergence."""

    fused = True

    def phases(self, rng, state, x, clamp, clock):
        phases, chains, info = pcd(
            rng,
            self.sampler(state.phase),
            state.params,
            x,
            clamp,
            self.n_steps(clock),
            State(state.chains),
            max_sweeps=self.options.mean_field_steps,
        )
        if self.options.negative == "means":
            phases = with_first_means(self.energy, state.params, phases)
        return phases, self.ended(state, chains, info)

    def ended(self, state, chains, info):
        return state._replace(chains=chains.x)


class FastChains(PersistentChains):
    """Persistent chains with fast weights, which have the structure of parameters."""

    fused = False

    def begin(self, state):
        """Fast weights of an earlier run, or zeros."""
        continues = isinstance(state.phase, Params)
        return state.phase if continues else fast.init(state.params)

    def sampler(self, phase):
        return FastWeights(self.energy, phase)

    def learn(self, state, grad):
        options, energy, params = self.options, self.energy, state.params
        rate = options.fast_learning_rate or options.learning_rate
        rate = natural.damped(
            energy, params, rate, self.objective.centering is not None
        )
        factors = outliers.step_factors(
            energy, rate, self.max_magnitudes, options.batch_size
        )
        grad = natural.natural(
            energy, params, outliers.shortened(energy, grad, factors)
        )
        fast.step(state.phase, grad, rate)


class Tempered(NamedTuple):
    """State of parallel tempering: running means of swap rates, (n_levels - 1,), and
    the parameters of each block at the highest temperature."""

    swap_rates: np.ndarray
    base: tuple

    def attributes(self):
        """Fitted attributes by name."""
        return {"swap_rates_": self.swap_rates}


class TemperedChains(PersistentChains):
    """Persistent chains at several temperatures."""

    fused = False

    @property
    def n_levels(self):
        return self.options.n_temperatures

    def begin(self, state):
        """Swap rates and base model of an earlier run, or new ones."""
        rates, base = np.zeros(self.n_levels - 1), None
        if isinstance(state.phase, Tempered):
            old, base = state.phase
            rates = old if len(old) == len(rates) else rates
        base = base or self.energy.base(state.params, self.moments)[0]
        return Tempered(rates, base)

    def sampler(self, phase):
        return tempering.ParallelTempering(
            self.energy, Ladder(betas(self.n_levels), phase.base)
        )

    def ended(self, state, chains, info):
        rates, base = state.phase
        rates = rates + (RECENT if rates.any() else 1.0) * (info.swap_rates - rates)
        return state._replace(chains=chains.x, phase=Tempered(rates, base))


CHAINS = {
    "pcd": PersistentChains,
    "cd": DataChains,
    "fpcd": FastChains,
    "tempering": TemperedChains,
}
