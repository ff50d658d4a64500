"""A machine conditioned on clamped blocks."""

from typing import NamedTuple

import numpy as np

from skdgm.energies import plain
from skdgm.utils.lists import Lists


class Given(NamedTuple):
    """A machine for rows with clamped blocks, which send their input to others once.

    :func:`~skdgm.samplers.sweep` takes it in the place of the energy.

    Parameters
    ----------
    energy : Energy
    params : Params
        With ndarrays for couplings, as values are dense.
    x, clamp : tuple
        Values of the blocks that are not clamped as a whole, and for each block its
        clamped entries: None, True or a boolean array.
    moving : tuple of int
        The numbers of the blocks that are not clamped as a whole.
    known : tuple
        The input of each of them from the clamped blocks, (n_rows, size).
    """

    energy: object
    params: tuple
    x: tuple
    clamp: tuple
    moving: tuple
    known: tuple

    @classmethod
    def of(cls, energy, params, x, clamp):
        """Condition a machine on the clamped part of some values."""
        moving = tuple(b for b, clamped in enumerate(clamp) if clamped is not True)
        still = [b for b, clamped in enumerate(clamp) if clamped is True]
        known = [None] * len(x)
        for block in moving:
            known[block] = energy.received(params, x, block, among=still)
        dense = tuple(
            np.asarray(part) if block in moving and part is not None else None
            for block, part in enumerate(x)
        )
        return cls(energy, plain(params), dense, clamp, moving, tuple(known))

    @property
    def colours(self):
        """The blocks of each colour, as the energy has them."""
        return self.energy.colours

    def received(self, params, x, block):
        """Sum of the inputs to a block from its neighbours, (n_rows, size)."""
        moved = self.energy.received(params, x, block, among=self.moving)
        return self.known[block] + moved

    def field(self, params, block, received, path=None):
        """Natural parameter of a block with input ``received`` from its neighbours."""
        return self.energy.field(params, block, received, path)

    def take(self, rows):
        """The same machine for some of the rows."""
        clamp, known = take(self.clamp, rows), take(self.known, rows)
        params = self.params.take(rows)
        return self._replace(params=params, x=None, clamp=clamp, known=known)


def take(tree, rows):
    """Select rows of every array or Lists of a tuple, and keep its other entries."""
    return tuple(
        part[rows] if isinstance(part, np.ndarray | Lists) else part for part in tree
    )
