"""A model conditioned on clamped blocks."""

from typing import NamedTuple

import numpy as np

from skdgm.energies import plain
from skdgm.samplers import sweep
from skdgm.utils.lists import Lists


class Given(NamedTuple):
    """A model of rows with clamped blocks, whose input to others is computed once.

    :func:`~skdgm.samplers.sweep` takes it in the place of the energy.

    Parameters
    ----------
    energy : Energy
    params : Params
        With ndarrays for couplings, as values are dense.
    clamp : tuple
        As for :func:`mean_field`.
    moving : tuple of int
        The numbers of blocks that are not clamped as a whole.
    known : tuple of ndarray of shape (n_rows, size)
        The input of each of them from the clamped blocks.
    colours : tuple of tuples of int
        The blocks of each colour, as the energy has them.
    """

    energy: object
    params: tuple
    clamp: tuple
    moving: tuple
    known: tuple
    colours: tuple

    @classmethod
    def of(cls, energy, params, x, clamp):
        """Condition a model on the clamped part of some values."""
        moving = tuple(b for b, clamped in enumerate(clamp) if clamped is not True)
        still = [b for b, clamped in enumerate(clamp) if clamped is True]
        known = [None] * len(x)
        for block in moving:
            known[block] = energy.received(params, x, block, among=still)
        return cls(energy, plain(params), clamp, moving, tuple(known), energy.colours)

    def sweep(self, x, update):
        """Update the colours from the last to the first."""
        given = {"colours": self.energy.backwards, "clamp": self.clamp}
        return sweep(self, self.params, x, update, **given)

    def received(self, params, x, block):
        """Sum of the inputs to a block, (n_rows, size)."""
        moved = self.energy.received(params, x, block, among=self.moving)
        return self.known[block] + moved

    def field(self, params, block, received, path=None):
        """Natural parameter of a block with input ``received`` from its neighbours."""
        return self.energy.field(params, block, received, path)

    def take(self, rows):
        """The same model for some of the rows."""
        clamp, known = take(self.clamp, rows), take(self.known, rows)
        params = self.params.take(rows)
        return self._replace(params=params, clamp=clamp, known=known)


def take(tree, rows):
    """Select rows of every array or Lists of a tuple, and keep its other entries."""
    return tuple(
        part[rows] if isinstance(part, np.ndarray | Lists) else part for part in tree
    )
