"""Samplers of energies of covariances, also on the way from a base model."""

from abc import ABC, abstractmethod

import numpy as np

from skdgm.energies import Potential
from skdgm.partition import ladder
from skdgm.samplers import HMC


class Moves(ABC):
    """Role: samplers of an energy, and of those between a standard normal distribution
    and it.

    Parameters
    ----------
    energy : Potential
    n_steps : int
        Steps of chains at each update.
    n_each : int
        Gibbs steps that a step of these samplers stands for.
    """

    def __init__(self, energy, n_steps=1, n_each=1):
        self.energy, self.n_steps, self.n_each = energy, n_steps, n_each

    @abstractmethod
    def sampler(self, size, clamp=None):
        """Sampler of the model, by steps of a size where they have one."""

    @abstractmethod
    def begun(self, rng, params, state, n_steps):
        """Size of steps, and the state after some."""

    @abstractmethod
    def at(self, params, beta, size, clamp=None):
        """Potential, its parameters and a sampler of it, at an inverse temperature."""

    def exact(self, params):
        """Whether log Z, means of gradients and draws of rows are exact."""
        return False

    def betas(self, n_betas):
        """Inverse temperatures, unless others are asked for."""
        return ladder.quadratic(n_betas)

    def log_base(self, params):
        """Log of the sum over hidden units of the base, where v is 0."""
        return 0.0


class Trajectories(Moves):
    """Hamiltonian Monte Carlo.

    Parameters
    ----------
    energy : Potential
    n_leapfrog : int
        Leapfrog steps of each trajectory.
    """

    def __init__(self, energy, n_leapfrog):
        super().__init__(energy, n_each=n_leapfrog)
        self.n_leapfrog = n_leapfrog

    def sampler(self, size, clamp=None):
        return self._of(self.energy, size, clamp)

    def betas(self, n_betas):
        """More of them near the normal distribution, where units come on."""
        return np.linspace(0, 1, n_betas) ** 2

    def begun(self, rng, params, state, n_steps):
        """As :meth:`Moves.begun`: the size adapts."""
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
        of_base = 0.5 * np.square(x[0], dtype=float).sum(axis=1)
        value = (1 - self.beta) * of_base + self.beta * energy
        return value, (1 - beta) * x[0] + beta * slope
