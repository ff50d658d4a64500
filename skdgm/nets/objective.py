"""Objectives of nets: losses of rows, minimised by stochastic gradient steps."""

from abc import abstractmethod
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from skdgm.nets.parts import SOLVERS, ascend
from skdgm.nets.tape import pulled_back, traced_leaves
from skdgm.optim import Clock, Joined, Mean
from skdgm.training import DensityWatch, Objective
from skdgm.training.objective import TrainingOptions
from skdgm.typing import Any
from skdgm.utils import random
from skdgm.utils.random import Stream

# Draws of random losses of all held-out rows together, from which on each has fewer.
_DRAWS = 4000


class NetState(NamedTuple):
    """Training state of nets: parameters, a tree of arrays; optimiser state; running
    statistics of batch normalisation; and the :class:`~skdgm.optim.Mean` of the
    parameters after late updates, or ()."""

    params: Any
    optimiser: Any = ()
    statistics: Any = ()
    mean: Any = ()

    @property
    def learned(self):
        """Parameters to use: their average if there is one, else the current ones."""
        return self.mean.params if self.mean else self.params


class NetOptions(TrainingOptions, Protocol):
    """Options of training that nets read."""

    solver: str
    learning_rate: float
    schedule: str
    power_t: float
    momentum: float
    beta_2: float
    clip_norm: float | None
    alpha: float | tuple
    average: bool


OptionsT = TypeVar("OptionsT", bound=NetOptions)


class NetObjective(Objective[OptionsT]):
    r"""Mean loss of rows by nets, minimised by stochastic gradient steps.

    .. math:: \theta \leftarrow \theta - \epsilon \, \nabla_\theta \, \frac1n \Bigl(
       \sum_{r=1}^n \ell_\theta(x_r) + \frac\alpha2 \lVert W \rVert^2 \Bigr)

    for batches of n rows, with the steps of an optimiser. Weights are penalised, and
    biases are not. The result may be the average of the parameters after late updates.

    Parameters
    ----------
    run : Run
        Its options are :class:`NetOptions`; ``alpha`` is weight decay, a number or a
        piecewise-constant schedule.
    independent : float, optional
        Negative log-likelihood of independent columns, in nats per row.
    """

    INIT, PROBE, LOCAL = random.INIT, random.PROBE, ()
    COUNTS_START = True
    # One training row of so many is watched, of those that usually are.
    thinned = 1
    # Most draws of which the loss of each held-out row is a mean, where it is random.
    held_draws = 1

    def __init__(self, run, independent=None):
        super().__init__(run)
        self.independent = independent
        self._joined = None

    @abstractmethod
    def init(self, rng: np.random.Generator) -> tuple:
        """Initial parameters and statistics, drawn by a NumPy generator."""

    @abstractmethod
    def prepare(self, state: Any, batch: Any, clock: Clock) -> Any:
        """Rows and random numbers of an update, which :meth:`step` gives."""

    @abstractmethod
    def forward(self, params: Any, batch: Any) -> tuple:
        """Losses of rows, by differentiable functions.

        Parameters
        ----------
        params : tuple
        batch : object
            From :meth:`prepare`.

        Returns
        -------
        losses : ndarray of shape (n_rows,)
        statistics : tuple
            Updated running statistics.
        """

    @abstractmethod
    def losses(self, state: Any, index: np.ndarray, rng: Stream) -> np.ndarray:
        """Losses of rows as :meth:`watch` compares them from epoch to epoch.

        Parameters
        ----------
        state : NetState
        index : ndarray of int
            Row numbers.
        rng : Stream
            One stream for each row, the same in every epoch.

        Returns
        -------
        losses : ndarray of shape (n_rows,), float64
            In nats.
        """

    def start(self):
        """Initial state, with newly drawn parameters."""
        params, statistics = self.init(random.stream(self.seed, self.INIT).generator())
        return self.resume(NetState(params, (), statistics))

    def resume(self, state):
        """State to continue from; optimiser state is kept if the solver is the same.

        Without an average, a former one replaces the current parameters.
        """
        fresh = SOLVERS[self.options.solver].init(state.params)
        if not state.optimiser or type(state.optimiser) is not type(fresh):
            state = state._replace(optimiser=fresh)
        if not self.options.average:
            return state._replace(params=state.learned, mean=())
        if state.mean:
            return state
        return state._replace(mean=Mean.of(state.params))

    def step(self, state, batch, clock):
        """Update a state from a batch; see :class:`~skdgm.training.Objective`."""
        n_rows, prepared = self.size_of(batch), self.prepare(state, batch, clock)
        joined = self._joined
        if joined is None or state.params is not joined.params:
            joined = self._joined = Joined(state.params, state.optimiser, state.mean)
            state = state._replace(
                params=joined.params, optimiser=joined.optimiser, mean=joined.mean
            )
        # Optimisers ascend, so the gradient is that of minus the loss.
        params = traced_leaves(state.params)
        losses, statistics = self.forward(params, prepared)
        grads = pulled_back(losses, params, lambda out: np.full_like(out, -1 / n_rows))
        spare = partial(self.spare, state.params)
        ascend(joined, self.options, grads, clock, n_rows, spare=spare)
        self.constrain(state.params)
        joined.average()
        return state._replace(statistics=statistics)

    def size_of(self, batch):
        """Number of rows of a batch, over which losses are averaged."""
        return len(batch)

    def since(self, epochs):
        """First epoch of the last value of ``alpha``; no earlier one is the best."""
        alpha = self.options.alpha
        n_values = len(alpha) if isinstance(alpha, tuple) else 1
        return epochs.stop - len(epochs) // n_values

    def spare(self, params, grads, l2):
        """Add the part that weight decay ``l2`` spares to gradients, in place."""

    def constrain(self, params):
        """Project parameters onto their constraints, in place, after each update."""

    def watch(self, table, held_out, state):
        """Losses of the same rows at the end of each epoch."""
        return NetWatch(self, table, held_out, state)


class NetWatch(DensityWatch):
    """Losses of the same rows at the end of each epoch, with the same random numbers;
    arguments besides the objective are those of
    :class:`~skdgm.training.DensityWatch`."""

    def __init__(self, objective, table, held_out, state):
        self.objective = objective
        self.rng = random.stream(objective.seed, objective.PROBE)
        independent = objective.independent
        super().__init__(table, held_out, self.rng, independent, state)

    def of_probe(self, state):
        few = self.probe[:: self.objective.thinned]
        return self._loss(state, few, np.ones(len(few)))

    def of_held_out(self, state):
        index, weight, n = self.held_out.index, self.held_out.weight, self.n_held
        return self._loss(state, np.tile(index, n), np.tile(weight, n))

    @property
    def n_held(self):
        """Number of draws of which the loss of each held-out row is a mean."""
        n = _DRAWS // len(self.held_out.index)
        return int(np.clip(n, 1, self.objective.held_draws))

    def _losses(self, state, index, part):
        rng = self.rng.rows(np.arange(part.start, part.stop, dtype=np.uint64))
        return self.objective.losses(state, index, rng)
