"""What a machine is where some of its blocks are held."""

from typing import NamedTuple

import numpy as np

from skdgm.energies import plain
from skdgm.utils.lists import Lists


class Given(NamedTuple):
    """A machine for rows of which whole blocks are held: what these send is sent once.

    For :func:`~skdgm.samplers.sweep` it is the energy.

    Parameters
    ----------
    energy : LayeredEnergy
    params : Params
        With plain arrays, as products are of dense ones.
    x, clamp : tuple
        Values of the blocks that are not held as a whole, and what of these is.
    moving : tuple of int
        The numbers of these blocks.
    known : tuple
        What each of them receives from the others.
    """

    energy: object
    params: tuple
    x: tuple
    clamp: tuple
    moving: tuple
    known: tuple

    @classmethod
    def of(cls, energy, params, x, clamp):
        """The machine for given values, of which some are held."""
        moving = tuple(b for b, hold in enumerate(clamp) if hold is not True)
        still = [b for b, hold in enumerate(clamp) if hold is True]
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
        """The energy's."""
        return self.energy.colours

    def received(self, params, x, block):
        """The sum of what a block's neighbours send it."""
        moved = self.energy.received(params, x, block, among=self.moving)
        return self.known[block] + moved

    def field(self, params, block, received, path=None):
        """The energy's."""
        return self.energy.field(params, block, received, path)

    def take(self, rows):
        """The same for some of the rows."""
        clamp, known = take(self.clamp, rows), take(self.known, rows)
        return self._replace(x=None, clamp=clamp, known=known)


def take(tree, rows):
    """Some rows of every array of a tuple."""
    return tuple(
        part[rows] if isinstance(part, np.ndarray | Lists) else part for part in tree
    )
