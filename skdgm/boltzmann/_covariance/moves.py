"""Samplers of covariance energies, and of the path from a base model to them."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from skdgm.energies import Potential
from skdgm.partition import ladder
from skdgm.samplers import HMC, Sampler, State
from skdgm.utils.random import Stream


class Moves(ABC):
    """Role: samplers of an energy, and of its path from a standard normal distribution.
    ``n_steps`` is the number of steps of chains in each update, and ``n_each`` the
    number of Gibbs steps to which a step corresponds."""

    def __init__(self, energy, n_steps=1, n_each=1):
        self.energy, self.n_steps, self.n_each = energy, n_steps, n_each

    @abstractmethod
    def sampler(self, size: float, clamp: tuple | None = None) -> Sampler:
        """Sampler of the model, with a step ``size`` if it has one."""

    @abstractmethod
    def warmed_up(
        self, rng: Stream, params: Any, state: State, n_steps: int
    ) -> tuple[float, State]:
        """Step size, and the state after ``n_steps`` steps."""

    @abstractmethod
    def at(
        self, params: Any, beta: float, size: float, clamp: tuple | None = None
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
    """Hamiltonian Monte Carlo with ``n_leapfrog`` leapfrog steps in each trajectory."""

    def __init__(self, energy, n_leapfrog):
        super().__init__(energy, n_each=n_leapfrog)
        self.n_leapfrog = n_leapfrog

    def sampler(self, size, clamp=None):
        return self._of(self.energy, size, clamp)

    def betas(self, n_betas):
        """Inverse temperatures, denser near the normal distribution, where units turn
        on."""
        return np.linspace(0, 1, n_betas) ** 2

    def warmed_up(self, rng, params, state, n_steps):
        sampler = HMC(self.energy, n_leapfrog=self.n_leapfrog)
        sampler, state = sampler.adapted(rng, params, state, n_steps)
        return sampler.step_size, state

    def at(self, params, beta, size, clamp=None):
        between = Between(self.energy, beta)
        return between, params, self._of(between, size, clamp)

    def _of(self, potential, size, clamp):
        how = {"n_leapfrog": self.n_leapfrog, "clamp": clamp}
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
