"""Samplers of covariance energies, and of the path from a base model to them."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from skdgm.energies import Potential
from skdgm.partition import ladder
from skdgm.samplers import HMC, Sampler, State
from skdgm.utils.random import Stream
from skdgm.utils.tree import tree_map

# Target acceptance rate of trajectories with scaled steps, and of others, whose errors
# differ more between rows. The most efficient rate is about 0.65.
_TARGET, _PLAIN_TARGET = 0.7, 0.9
# Number of monitored rows: the integrals of more take as long as the updates.
_MONITORED = 100
# Size of steps with which adaptation starts, and what is added to the diagonal of a
# scaled precision matrix before its factorization.
_FIRST_SIZE, _RIDGE = 0.1, 1e-9


class Moves(ABC):
    """Role: samplers of an energy, and of its path from a standard normal distribution.
    ``n_steps`` is the number of steps of chains in each update, ``n_each`` the number
    of Gibbs steps to which a step corresponds, and ``target`` the acceptance rate at
    which the size of steps aims."""

    target: float = 1.0
    # Number of training rows that are monitored; None: as for other models.
    n_monitored: int | None = None
    # Number of steps that draw missing entries of a batch.
    n_filling: int = 3

    def __init__(self, energy, n_steps=1, n_each=1):
        self.energy, self.n_steps, self.n_each = energy, n_steps, n_each

    def guide(self, params: Any, v: np.ndarray) -> np.ndarray | None:
        """Precision matrix of rows near v, by which steps are scaled, if samplers have
        steps."""
        return None

    @abstractmethod
    def sampler(
        self, size: float, guide: Any = None, clamp: tuple | None = None
    ) -> Sampler:
        """Sampler of the model, with a step ``size`` if it has one."""

    @abstractmethod
    def warmed_up(
        self, rng: Stream, params: Any, state: State, n_steps: int
    ) -> tuple[float, State]:
        """Step size, and the state after ``n_steps`` steps."""

    @abstractmethod
    def at(
        self,
        params: Any,
        beta: float,
        size: float,
        guide: Any = None,
        clamp: tuple | None = None,
    ) -> tuple[Any, Any, Sampler]:
        """Potential at an inverse temperature, its parameters, and its sampler."""

    def exact(self, params):
        """Return whether log Z, expected gradients and draws of rows are exact."""
        return False

    def betas(self, n_betas):
        """Default inverse temperatures of annealing."""
        return ladder.quadratic(n_betas)

    def log_base(self, params):
        """Log of the sum over hidden units of the base model, at v = 0."""
        return 0.0


class Trajectories(Moves):
    """Hamiltonian Monte Carlo with ``n_leapfrog`` leapfrog steps in each trajectory.

    With binary units, steps are scaled by the covariance of rows given mean hidden
    units. Columns are often correlated, and steps would otherwise have the size of the
    smallest eigenvalue.
    """

    n_filling = 10

    def __init__(self, energy, n_leapfrog):
        super().__init__(energy, n_each=n_leapfrog)
        self.n_leapfrog = n_leapfrog
        self.target = _TARGET if energy.bounded else _PLAIN_TARGET
        # Losses of outliers under gamma units are too large for few rows.
        self.n_monitored = _MONITORED if energy.bounded else None

    def guide(self, params, v):
        """Precision matrix of rows given the mean hidden units of rows v. None with
        gamma units, whose precisions differ so much between rows that steps scaled by
        their mean diverged in training."""
        if not self.energy.bounded:
            return None
        means = np.hstack(self.energy.hidden(params, v)).mean(axis=0, keepdims=True)
        params = tree_map(lambda part: part.astype(float), params)
        precision = self.energy.precisions(params, means)[0]
        return precision if np.isfinite(precision).all() else None

    def sampler(self, size, guide=None, clamp=None):
        return self._of(self.energy, size, guide, clamp)

    def betas(self, n_betas):
        """Inverse temperatures, denser near the normal distribution, where units turn
        on."""
        return np.linspace(0, 1, n_betas) ** 2

    def warmed_up(self, rng, params, state, n_steps):
        guide = self.guide(params, state.x[0])
        sampler = self.sampler(_FIRST_SIZE, guide)
        sampler, state = sampler.adapted(
            rng, params, state, n_steps, target=self.target
        )
        return sampler.step_size, state

    def at(self, params, beta, size, guide=None, clamp=None):
        between = Between(self.energy, beta)
        if guide is not None:
            guide = (1 - beta) * np.eye(len(guide)) + beta * guide
        return between, params, self._of(between, size, guide, clamp)

    def _of(self, potential, size, precision, clamp):
        scale: Any = 1.0
        if precision is not None:
            deviation = np.diag(precision) ** -0.5
            correlated = precision * np.multiply.outer(deviation, deviation)
            if clamp is None:
                correlated += _RIDGE * np.eye(len(correlated))
                scale = np.linalg.inv(np.linalg.cholesky(correlated)).T
                scale = deviation[:, None] * scale
            else:
                # The largest eigenvalue bounds those of all submatrices.
                scale = deviation / np.sqrt(np.linalg.eigvalsh(correlated)[-1])
        how = {"n_leapfrog": self.n_leapfrog, "clamp": clamp, "scale": scale}
        return HMC(potential, step_size=size, **how)


class Between(Potential):
    """Potential between a standard normal distribution and a model."""

    def __init__(self, energy, beta):
        self.inner, self.beta, self.units = energy, beta, energy.units

    def value(self, params, x):
        energy, slope = self.inner.value(params, x)
        beta = slope.dtype.type(self.beta)
        base_energy = 0.5 * np.square(x[0], dtype=float).sum(axis=1)
        value = (1 - self.beta) * base_energy + self.beta * energy
        return value, (1 - beta) * x[0] + beta * slope

    def slope(self, params, x):
        slope = self.inner.slope(params, x)
        beta = slope.dtype.type(self.beta)
        return (1 - beta) * x[0] + beta * slope
