"""Phases of a gradient: statistics of the data, and of the model.

The option ``gradient`` chooses one of these objects, once for a run; it has the chains,
and what else the gradient learns, in its hands.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from skdgm.energies import Params, contrast
from skdgm.gradients import cd, pcd
from skdgm.gradients.contrastive import with_first_means
from skdgm.gradients.steps import centering, far, fast, natural, sparsity
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

# Weight of an update's swap rates in their running means.
RECENT = 0.01


class Phase:
    """Role: both phases of a gradient, by chains or without.

    A subclass implements :meth:`phases`, or :meth:`gradient` where it takes no negative
    phase; :meth:`begin`, if it has a state of its own, which the training state keeps
    as ``phase``. A state's method ``attributes`` returns what of it the fitted
    estimator shows.

    Parameters
    ----------
    objective : EnergyObjective
        Of the run: it has the energy, options, rows and seed.
    """

    # Whether chains go on where an update leaves them; whether kernels make epochs of
    # such updates; whether means take the place of states, so that BLAS is faster.
    persistent, fused, by_blas = True, False, False
    # Number of temperatures: chains at the model's own come first.
    n_levels = 1

    def __init__(self, objective: Any):
        self.objective = objective
        self.energy, self.options = objective.energy, objective.options
        self.seed, self.moments = objective.seed, objective.moments
        self.rows, self.reach = objective.rows, objective.reach

    @staticmethod
    def check(options: SimpleNamespace) -> None:
        """Raise ValueError for options that the gradient does not serve."""

    @staticmethod
    def logits(density: Any, rows: Rows, options: SimpleNamespace) -> np.ndarray:
        """Log probabilities of labels up to a constant for each row, as a machine
        predicts them that has learned so; of shape (n_rows, n_classes)."""
        return density.log_joint_of(rows)

    def begin(self, state: tuple) -> tuple:
        """State of the gradient's own, from that of the last run where it fits."""
        return ()

    def resume(self, state: tuple) -> tuple:
        """Training state with the chains of the last run, where their number is still
        right, else new ones; and with the state of the gradient."""
        own = self.begin(state)
        n_chains = self.options.n_chains or self.options.batch_size
        n_chains *= self.n_levels
        alike = state.chains and state.n_levels == self.n_levels
        if alike and (not self.persistent or len(state.chains[0]) == n_chains):
            chains = self.packed(state.chains)
        else:
            chains = self.chains(state.params, own, n_chains)
        return state._replace(chains=chains, phase=own)

    def packed(self, chains: tuple) -> tuple:
        """States of chains as samplers take them."""
        units = self.energy.units
        return tuple(unit.pack(part) for unit, part in zip(units, chains, strict=True))

    def sampler(self, own: tuple) -> Sampler:
        """Sampler of the chains, with the state of the gradient's own."""
        return Gibbs(self.energy)

    def chains(self, params: Params, own: tuple, n_chains: int) -> tuple:
        """New chains, of the model without couplings."""
        rng = stream(self.seed, INIT).rows(n_chains)
        return self.sampler(own).init(rng, params.units).x

    def moved(self, rng: Stream, state: tuple, n_steps: int) -> tuple:
        """State with chains after some steps, of which a gradient makes no use."""
        rows, chains = rng.rows(len(state.chains[0])), State(state.chains)
        sampler = self.sampler(state.phase)
        chains, _ = sampler.step(rows, state.params, chains, n_steps)
        return state._replace(chains=chains.x)

    def phases(
        self, rng: Stream, state: tuple, x: tuple, clamp: tuple, clock: Clock
    ) -> tuple:
        """Both phases of an update, and the training state after it.

        Parameters
        ----------
        rng : Stream
        state : TrainState
        x, clamp : tuple
            For each block of shape (n_rows, size) the data, and which of them are
            known; as :func:`skdgm.gradients.cd` takes them.
        clock : Clock

        Returns
        -------
        phases : Phases
        state : TrainState
        """
        raise NotImplementedError

    def gradient(
        self, rng: Stream, state: tuple, x: tuple, clamp: tuple, clock: Clock
    ) -> tuple[Params, tuple]:
        r"""Gradient of the mean log-likelihood, and the state with updated chains.

        .. math:: \mathbb{E}_\text{data}[-\partial E / \partial\theta] -
           \mathbb{E}_\text{model}[-\partial E / \partial\theta]

        Parameters are those of :meth:`phases`.
        """
        (data, model), state = self.phases(rng, state, x, clamp, clock)
        data, state = self.with_running_means(state, data, model)
        return contrast(self.energy, state.params, data, model), state

    def ended(self, state: tuple, chains: State, info: Info) -> tuple:
        """Training state after steps of the chains, as it was where these are new."""
        return state

    def learn(self, state: tuple, grad: Params) -> None:
        """Let the gradient's own state learn from the gradient of an update."""

    def with_running_means(
        self, state: tuple, data: tuple, model: tuple | None = None
    ) -> tuple:
        """Positive phase with the sparsity term, and the state with its new means."""
        options = self.options
        how = self.objective.centering
        if how in ("data", "moving"):
            moving = model if how == "moving" else None
            offsets = centering.running_means(state.offsets, data, moving)
            state = state._replace(offsets=offsets)
        if state.activity:
            aim = options.sparsity_target, options.sparsity_cost
            data, activity = sparsity.penalise(self.energy, data, state.activity, *aim)
            state = state._replace(activity=activity)
        return data, state

    def n_steps(self, clock: Clock) -> int:
        """Number of steps of the chains in an update."""
        return piecewise(self.options.n_steps, clock)


class CD(Phase):
    """Chains that start at the data."""

    persistent, fused = False, True

    def phases(self, rng, state, x, clamp, clock):
        sampler = self.sampler(state.phase)
        given = sampler, state.params, x, clamp, self.n_steps(clock)
        phases, *ends = cd(rng, *given)
        return phases, self.ended(state, *ends)


class PCD(Phase):
    """Chains that persist."""

    fused = True

    def phases(self, rng, state, x, clamp, clock):
        options, sampler = self.options, self.sampler(state.phase)
        given = sampler, state.params, x, clamp, self.n_steps(clock)
        budget = {"max_sweeps": options.mean_field_steps}
        phases, *ends = pcd(rng, *given, State(state.chains), **budget)
        if options.negative == "means":
            phases = with_first_means(self.energy, state.params, phases)
        return phases, self.ended(state, *ends)

    def ended(self, state, chains, info):
        return state._replace(chains=chains.x)


class FastPCD(PCD):
    """Persistent chains with fast weights, of the form of parameters."""

    fused = False

    def begin(self, state):
        """Fast weights of the last run, or of zero."""
        known = isinstance(state.phase, Params)
        return state.phase if known else fast.init(state.params)

    def sampler(self, own):
        return FastWeights(self.energy, own)

    def learn(self, state, grad):
        """Make a step of the fast weights, in place."""
        options, given = self.options, (self.energy, state.params)
        rate = options.fast_learning_rate or options.learning_rate
        rate = natural.damped(*given, rate, self.objective.centering is not None)
        slower = far.slowed(self.energy, rate, self.reach, options.batch_size)
        grad = natural.natural(*given, far.shortened(self.energy, grad, slower))
        fast.step(state.phase, grad, rate)


class Tempered(NamedTuple):
    """State of parallel tempering: swap rates, (n_levels - 1,), averaged over recent
    updates, and the parameters of each block at the highest temperature."""

    swap_rates: np.ndarray
    base: tuple

    def attributes(self):
        """Fitted attributes by name."""
        return {"swap_rates_": self.swap_rates}


class TemperedPCD(PCD):
    """Persistent chains at several temperatures."""

    fused = False

    @property
    def n_levels(self):
        """Number of temperatures."""
        return self.options.n_temperatures

    def begin(self, state):
        """Swap rates, and a base model, of the last run, or new ones."""
        rates, base = np.zeros(self.n_levels - 1), None
        if isinstance(state.phase, Tempered):
            old, base = state.phase
            rates = old if len(old) == len(rates) else rates
        base = base or self.energy.base(state.params, self.moments)[0]
        return Tempered(rates, base)

    def sampler(self, own):
        return tempering.Tempering(self.energy, Ladder(betas(self.n_levels), own.base))

    def ended(self, state, chains, info):
        rates, base = state.phase
        rates = rates + (RECENT if rates.any() else 1.0) * (info.swap_rates - rates)
        return state._replace(chains=chains.x, phase=Tempered(rates, base))


CHAINS = {"pcd": PCD, "cd": CD, "fpcd": FastPCD, "tempering": TemperedPCD}
