"""Role of samplers: Markov chains that leave the distribution of a model invariant."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

from skdgm.energies import Energy
from skdgm.energies.params import Params
from skdgm.utils.random import Stream


class State(NamedTuple):
    """States of chains: for each block an array or Lists with one row per chain."""

    x: tuple


class Info(NamedTuple):
    """Diagnostics of a call of :meth:`Sampler.step`.

    Parameters
    ----------
    means : tuple or None
        For each block of the last color the conditional means of its last draw, of
        shape (n_chains, size); None for other blocks, and for samplers without such
        means.
    swap_rates : ndarray of shape (n_levels - 1,), optional
        Acceptance rate of swaps between neighboring temperatures, averaged over steps.
    drive : ndarray of shape (n_levels, n_chains), optional
        Part of -E that is multiplied by the inverse temperature, before the last swaps.
    acceptance : ndarray of shape (n_chains,), optional
        Acceptance rate of proposals, averaged over steps.
    """

    means: Any
    swap_rates: np.ndarray | None = None
    drive: np.ndarray | None = None
    acceptance: np.ndarray | None = None


class Sampler(ABC):
    """Role of samplers, which advance Markov chains of a model.

    A new sampler is a subclass that implements :meth:`step`, with a subclass of the
    test case in ``tests/samplers/cases.py``. Negative phases of gradients accept any
    sampler.

    Parameters
    ----------
    energy : Energy
        Energy of the model.
    """

    def __init__(self, energy: Energy):
        self.energy = energy

    def init(self, rng: Stream, units: tuple) -> State:
        """Draw states from the model without couplings. ``units`` are the parameters of
        each block, and ``rng`` has a row for each chain."""
        blocks = enumerate(zip(self.energy.units, units, strict=True))
        return State(
            tuple(
                unit.sample(unit.field(block_params), rng.fold(block))[0]
                for block, (unit, block_params) in blocks
            )
        )

    @abstractmethod
    def step(
        self,
        rng: Stream,
        params: Params,
        state: State,
        n_steps: int = 1,
        first: int = 0,
    ) -> tuple[State, Info]:
        """Advance the chains by ``n_steps`` steps.

        Parameters
        ----------
        rng : Stream
            Random streams, with a row for each chain.
        params : Params
        state : State
        n_steps : int, default=1
            Number of steps; at least 1.
        first : int, default=0
            Number of the first step. The number determines the step's random numbers,
            so that dividing the steps into several calls does not change the chains.

        Returns
        -------
        state : State
        info : Info
        """

    def step_with_data(
        self, rng: Stream, params: Params, x: tuple, state: State, n_steps: int
    ) -> tuple[tuple, State, Info] | None:
        """Advance chains and compute means of the last color given data in one call.

        x are the data, the values of the other colors; other arguments are those of
        :meth:`step`. Returns the means given the data by block, and the results of
        :meth:`step`; None if a joint call is not faster than two calls.
        """
        return None

    def coldest(self, state: State) -> tuple:
        """Values of the chains at the model's own temperature, by block."""
        return state.x
