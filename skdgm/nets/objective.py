"""Objectives of nets: losses of rows, minimized by stochastic gradient descent."""

from abc import abstractmethod
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from skdgm.base.model import ModelOptions
from skdgm.nets.parts import SOLVERS, ascend
from skdgm.nets.tape import pulled_back, traced_leaves
from skdgm.optim import Clock, FlatParameters, Mean
from skdgm.training import DensityWatch, Objective
from skdgm.typing import Any
from skdgm.utils import random
from skdgm.utils.random import Stream

# Maximum number of Monte Carlo estimates of losses of all held-out rows together.
_MAX_DRAWS = 4000


class NetState(NamedTuple):
    """Training state of nets: parameters, a tree of arrays; optimizer state; running
    statistics; and the :class:`~skdgm.optim.Mean` of parameters, or () without
    averaging."""

    params: Any
    optimizer: Any = ()
    statistics: Any = ()
    mean: Any = ()

    @property
    def learned(self):
        """Averaged parameters, or the current ones without averaging."""
        return self.mean.params if self.mean else self.params


class NetOptions(ModelOptions, Protocol):
    """Options of training that nets read."""

    solver: str
    learning_rate: float
    schedule: str
    power_t: float
    momentum: float
    beta_2: float
    clip_norm: float | None
    alpha: float | tuple
    average: float | bool
    historical_averaging: float = 0.0


OptionsT = TypeVar("OptionsT", bound=NetOptions)


class NetObjective(Objective[OptionsT]):
    r"""Mean loss of rows, minimized by stochastic gradient descent.

    .. math:: \theta \leftarrow \theta - \epsilon \, \nabla_\theta \, \frac1n \Bigl(
       \sum_{r=1}^n \ell_\theta(x_r) + \frac\alpha2 \lVert W \rVert^2 \Bigr)

    for batches of n rows, with the steps of an optimizer. Weights, but not biases, are
    penalized. The result may be an average of the parameters, weighted toward late
    updates.

    Parameters
    ----------
    run : Run
        Its options are :class:`NetOptions`; ``alpha`` is weight decay, a number or a
        piecewise-constant schedule.
    independent_loss : float, optional
        Negative log-likelihood of independent columns, in nats per row.
    """

    INIT, PROBE, LOCAL = random.INIT, random.PROBE, ()
    # Whether early stopping may select the initial state.
    COUNTS_START = True
    # Every n-th row of the monitoring sample is evaluated.
    monitoring_stride = 1
    # Maximum number of Monte Carlo estimates of the loss of a held-out row.
    max_held_out_draws = 1

    def __init__(self, run, independent_loss=None):
        super().__init__(run)
        self.independent_loss = independent_loss
        self._flat = None

    @abstractmethod
    def init(self, rng: np.random.Generator) -> tuple:
        """Draw the initial parameters and statistics with a NumPy generator."""

    @abstractmethod
    def prepare(self, state: Any, batch: Any, clock: Clock) -> Any:
        """Read the rows of a ``batch`` of row numbers and draw the random numbers of an
        update. The result is an argument of :meth:`forward`."""

    @abstractmethod
    def forward(self, params: Any, prepared: Any) -> tuple:
        """Losses of the rows of a batch, as differentiable functions of the parameters.

        Parameters
        ----------
        params : tuple
        prepared : object
            Result of :meth:`prepare`.

        Returns
        -------
        losses : ndarray of shape (n_rows,)
        statistics : tuple
            Updated running statistics.
        """

    @abstractmethod
    def losses(self, state: Any, index: np.ndarray, rng: Stream) -> np.ndarray:
        """Losses of rows, which :meth:`watch` compares between epochs.

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
        """State from which to continue training.

        The optimizer state is kept if the solver is the same. If averaging has been
        turned off, the former average replaces the current parameters.
        """
        fresh = SOLVERS[self.options.solver].init(state.params)
        if not state.optimizer or type(state.optimizer) is not type(fresh):
            state = state._replace(optimizer=fresh)
        if not self.options.average:
            return state._replace(params=state.learned, mean=())
        if state.mean:
            return state
        return state._replace(mean=Mean.of(state.params))

    def step(self, state, batch, clock):
        n_rows, prepared = self.size_of(batch), self.prepare(state, batch, clock)
        flat = self._flat
        if flat is None or state.params is not flat.params:
            flat = self._flat = FlatParameters(
                state.params, state.optimizer, state.mean
            )
            state = state._replace(
                params=flat.params, optimizer=flat.optimizer, mean=flat.mean
            )
        # Optimizers ascend, hence the gradient of minus the loss.
        params = traced_leaves(state.params)
        losses, statistics = self.forward(params, prepared)
        grads = pulled_back(losses, params, lambda out: np.full_like(out, -1 / n_rows))
        exempt_from_decay = partial(self.exempt_from_decay, state.params)
        ascend(
            flat,
            self.options,
            grads,
            clock,
            n_rows,
            exempt_from_decay=exempt_from_decay,
        )
        self.constrain(state.params)
        flat.average()
        return state._replace(statistics=statistics)

    def size_of(self, batch):
        """Number of rows of a batch, over which losses are averaged."""
        return len(batch)

    def first_selectable_epoch(self, epochs):
        """First epoch with the last value of ``alpha``; early stopping selects only
        among the epochs from this epoch on."""
        alpha = self.options.alpha
        n_values = len(alpha) if isinstance(alpha, tuple) else 1
        return epochs.stop - len(epochs) // n_values

    def exempt_from_decay(self, params, grads, l2):
        """Exempt parameters from weight decay ``l2``: add their penalty to the
        gradients in place."""

    def constrain(self, params):
        """Project parameters onto their constraints, in place, after each update."""

    def watch(self, table: Any, held_out: Any, state: Any) -> Any:
        return NetWatch(self, table, held_out, state)


class NetWatch(DensityWatch):
    """Monitoring of the losses of nets, with the same random numbers in every epoch."""

    def __init__(self, objective, table, held_out, state):
        self.objective = objective
        self.rng = random.stream(objective.seed, objective.PROBE)
        independent_loss = objective.independent_loss
        super().__init__(table, held_out, self.rng, independent_loss, state)

    def training_loss(self, state):
        index = self.monitored[:: self.objective.monitoring_stride]
        return self._loss(state, index, np.ones(len(index)))

    def held_out_loss(self, state):
        index = self.held_out.index
        weight = self.held_out.weight
        n = self.n_held_out_draws
        return self._loss(state, np.tile(index, n), np.tile(weight, n))

    @property
    def n_held_out_draws(self):
        """Number of Monte Carlo losses that are averaged for each held-out row."""
        n = _MAX_DRAWS // len(self.held_out.index)
        return int(np.clip(n, 1, self.objective.max_held_out_draws))

    def _losses(self, state, index, streams):
        """Losses of rows at an index, with a slice of random streams."""
        rng = self.rng.rows(np.arange(streams.start, streams.stop, dtype=np.uint64))
        return self.objective.losses(state, index, rng)
