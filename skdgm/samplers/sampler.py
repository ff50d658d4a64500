"""Role of samplers: Markov chains that leave the distribution of a model as it is."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from skdgm.energies import Energy
from skdgm.energies.params import Params
from skdgm.utils.random import Stream


class State(NamedTuple):
    """State of chains: for each block an array or Lists, with a row for each chain."""

    x: tuple


class Info(NamedTuple):
    """Facts about the last of some steps.

    Parameters
    ----------
    means : tuple or None
        Conditional means with which the last colour was drawn, of shape (n_chains,
        size), by block; None for blocks, or samplers, without.
    swap_rates : ndarray of shape (n_levels - 1,), optional
        Share of swaps between neighbouring temperatures that were accepted, of all
        steps.
    drive : ndarray of shape (n_levels, n_chains), optional
        The part of -E that inverse temperatures multiply, before the swaps.
    acceptance : ndarray of shape (n_chains,), optional
        Share of proposals that were accepted, of all steps.
    """

    means: tuple | None
    swap_rates: np.ndarray | None = None
    drive: np.ndarray | None = None
    acceptance: np.ndarray | None = None


class Sampler(ABC):
    """Role: chains of a model, constructed once with constant arguments of all steps.

    A sampler of another kind is a subclass with :meth:`step`, and a subclass of the
    test case in ``tests/samplers/cases.py``. Phases of gradients take any of them.

    Parameters
    ----------
    energy : Energy
        Energy of the model.
    """

    def __init__(self, energy: Energy):
        self.energy = energy

    def init(self, rng: Stream, units: tuple) -> State:
        """Draw states of the model without couplings.

        Parameters
        ----------
        rng : Stream
            With a row for each chain.
        units : tuple
            Parameters of each block, as :class:`~skdgm.energies.Params` has them.

        Returns
        -------
        state : State
        """
        blocks = enumerate(zip(self.energy.units, units, strict=True))
        return State(
            tuple(
                unit.sample(unit.field(own), rng.fold(block))[0]
                for block, (unit, own) in blocks
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
        """Make some steps.

        Parameters
        ----------
        rng : Stream
            With a row for each chain.
        params : Params
        state : State
        n_steps : int, default=1
            Number of steps; at least 1.
        first : int, default=0
            Number of the first of them: each has random numbers of its own, so that
            chains are the same however their steps are divided into calls.

        Returns
        -------
        state : State
        info : Info
        """

    def beside(
        self, rng: Stream, params: Params, x: tuple, state: State, n_steps: int
    ) -> tuple[tuple, State, Info] | None:
        """Make some steps together with means of the last colour given data, where that
        is quicker.

        Parameters
        ----------
        rng, params, state, n_steps
            As for :meth:`step`.
        x : tuple
            Values of the other colours.

        Returns
        -------
        found : (tuple, State, Info) or None
            Means given data by block, and what :meth:`step` returns; None where nothing
            is quicker.
        """
        return None

    def coldest(self, state: State) -> tuple:
        """Values of the chains of the model itself, by block."""
        return state.x
