r"""Potentials: energies of real numbers with their slopes, as samplers follow them.

.. math:: U(v) = -\log \sum_h e^{-E(v, h)}, \qquad
   \frac{\partial U}{\partial v} = \mathbb{E}_{p(h \mid v)} \left[
   \frac{\partial E(v, h)}{\partial v} \right]

As E is linear in the statistics of hidden units, their means take their place.
"""

from abc import ABC, abstractmethod

import numpy as np

from skdgm.energies.energy import Energy
from skdgm.energies.params import Path
from skdgm.typing import Any


class Potential(ABC):
    """Role: an energy of real numbers, differentiable by them.

    A state x is a tuple of blocks, whose ``units`` are a tuple, and ``block`` is the
    number of the real one. Others are drawn given it by ``energy`` and ``path``, if
    there is an :class:`Energy`.
    """

    units: tuple
    block = 0
    energy: Any = None
    path: Path | None = None

    @abstractmethod
    def value(self, params: Any, x: tuple) -> tuple[np.ndarray, np.ndarray]:
        """Potential, -log p up to a constant, and its slope by the real block.

        Parameters
        ----------
        params : tuple
            Of the energy, or of the potential's own kind.
        x : tuple
            Blocks of shape (n_rows, size).

        Returns
        -------
        value : ndarray of shape (n_rows,), float64
            In nats.
        slope : ndarray of shape (n_rows, size)
        """


class Marginal(Potential):
    """Potential of a real block, given all blocks but those of the last colour, which
    are summed out.

    Parameters
    ----------
    energy : Energy
    block : int, default=0
        A block of :class:`~skdgm.distributions.Gaussian` units, not of the last colour.
    path : Path, optional
        Potential of a model on the way from a base model.

    Raises
    ------
    ValueError
        The block has no real units, or is of the last colour.
    """

    def __init__(self, energy: Energy, block: int = 0, path: Path | None = None):
        is_real = getattr(energy.units[block], "form", None) == "normal"
        if not is_real or block in energy.colours[-1]:
            raise ValueError(
                f"Block {block} must have real units and not be of the last colour, to "
                "have a slope: sample others by Gibbs."
            )
        self.energy, self.block, self.path = energy, block, path
        self.units = energy.units

    def value(self, params: Any, x: tuple) -> tuple[np.ndarray, np.ndarray]:
        """As :meth:`Potential.value`."""
        energy, block, means = self.energy, self.block, list(x)
        last = energy.colours[-1]
        received = {k: energy.received(params, x, k) for k in last}
        for k in last:
            eta = energy.field(params, k, received[k], self.path)
            means[k] = energy.units[k].mean(eta)
        value = -energy.log_marginal(params, x, received=received, path=self.path)
        known = energy.received(params, tuple(means), block)
        eta = energy.field(params, block, known, self.path)
        return value, eta.precision * x[block] - eta.theta
