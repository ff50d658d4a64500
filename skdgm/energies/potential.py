r"""Potentials: energies of real numbers with their gradients, as samplers need them.

.. math:: U(v) = -\log \sum_h e^{-E(v, h)}, \qquad
   \frac{\partial U}{\partial v} = \mathbb{E}_{p(h \mid v)} \left[
   \frac{\partial E(v, h)}{\partial v} \right]

Since E is linear in the statistics of hidden units, their means replace the
expectation.
"""

from abc import ABC, abstractmethod

import numpy as np

from skdgm.energies.energy import Energy
from skdgm.energies.params import Path
from skdgm.typing import Any


class Potential(ABC):
    """Role: an energy of real numbers, with its gradient. A state x is a tuple of
    blocks. ``units`` has the unit of each block, and ``block`` is the number of the
    real block. Samplers draw the other blocks, if there are any, with the
    :class:`Energy` ``energy`` along ``path``."""

    units: tuple
    block = 0
    energy: Any = None
    path: Path | None = None

    @abstractmethod
    def value(self, params: Any, x: tuple) -> tuple[np.ndarray, np.ndarray]:
        """Potential and its gradient with respect to the real block.

        Parameters
        ----------
        params : tuple
            Parameters of the energy.
        x : tuple
            Blocks of shape (n_rows, size).

        Returns
        -------
        value : ndarray of shape (n_rows,), float64
            -log p up to a constant, in nats.
        slope : ndarray of shape (n_rows, size)
        """

    def slope(self, params: Any, x: tuple) -> np.ndarray:
        """Gradient alone, with the same bits, for the inner steps of trajectories.

        Parameters
        ----------
        params : tuple
            Parameters of the energy.
        x : tuple
            Blocks of shape (n_rows, size).

        Returns
        -------
        slope : ndarray of shape (n_rows, size)
        """
        return self.value(params, x)[1]


class Marginal(Potential):
    """Potential of a real block given the others, with the last color marginalized.

    Parameters
    ----------
    energy : Energy
    block : int, default=0
        A block of :class:`~skdgm.distributions.Gaussian` units, not of the last color.
    path : Path, optional
        Point on the path from a base model to the energy.

    Raises
    ------
    ValueError
        The block has no real units, or belongs to the last color.
    """

    def __init__(self, energy: Energy, block: int = 0, path: Path | None = None):
        is_real = getattr(energy.units[block], "form", None) == "normal"
        if not is_real or block in energy.colors[-1]:
            raise ValueError(
                f"Block {block} must have real units and not be of the last color, to "
                "have a slope: sample others by Gibbs."
            )
        self.energy, self.block, self.path = energy, block, path
        self.units = energy.units

    def value(self, params: Any, x: tuple) -> tuple[np.ndarray, np.ndarray]:
        received = self._received(params, x)
        log_p = self.energy.log_marginal(params, x, received=received, path=self.path)
        return -log_p, self._slope(params, x, received)

    def slope(self, params: Any, x: tuple) -> np.ndarray:
        return self._slope(params, x, self._received(params, x))

    def _received(self, params, x):
        """Inputs of the blocks of the last color."""
        energy = self.energy
        return {k: energy.received(params, x, k) for k in energy.colors[-1]}

    def _slope(self, params, x, received):
        """Gradient, given the inputs of the blocks of the last color."""
        energy, block, means = self.energy, self.block, list(x)
        for k, input_of_block in received.items():
            eta = energy.field(params, k, input_of_block, self.path)
            means[k] = energy.units[k].mean(eta)
        block_input = energy.received(params, tuple(means), block)
        eta = energy.field(params, block, block_input, self.path)
        return eta.precision * x[block] - eta.theta
