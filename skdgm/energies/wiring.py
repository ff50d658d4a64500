"""The graph of blocks and couplings of a layered model."""

from itertools import pairwise, product
from typing import NamedTuple

from skdgm.couplings import Dense
from skdgm.distributions import Bernoulli, Gaussian

EVEN, ODD = 0, 1


class Link(NamedTuple):
    """A coupling and the numbers of the two blocks that it joins."""

    below: int
    above: int
    coupling: object


class Wiring(NamedTuple):
    """The blocks of a chain of layers, numbered from the bottom up.

    Parameters
    ----------
    units : tuple
        The unit of each block.
    layers : tuple of tuples of int
        The blocks of each layer.
    colours : pair of tuples of int
        The blocks of the even and of the odd layers.
    links : tuple of Link
    is_binary_chain : bool
        True if each layer is one block of binary units.
    """

    units: tuple
    layers: tuple
    colours: tuple
    links: tuple
    is_binary_chain: bool

    @classmethod
    def chain(cls, layers):
        """Wiring with full couplings between all blocks of neighbouring layers.

        Parameters
        ----------
        layers : sequence of sequences of units
            The blocks of each layer, from the bottom up.

        Returns
        -------
        wiring : Wiring
        """
        units = tuple(unit for layer in layers for unit in layer)
        numbers = iter(range(len(units)))
        layers = tuple(tuple(next(numbers) for _ in layer) for layer in layers)
        colours = tuple(sum(layers[parity::2], ()) for parity in (EVEN, ODD))
        links = tuple(
            Link(i, j, Dense(units[i].size, units[j].size))
            for below, above in pairwise(layers)
            for i, j in product(below, above)
        )
        binary = all(isinstance(unit, Bernoulli) for unit in units)
        return cls(units, layers, colours, links, binary and len(units) == len(layers))

    @property
    def hidden(self):
        """The blocks of binary units above the bottom layer, a tuple of int."""
        above = range(len(self.layers[0]), len(self.units))
        return tuple(i for i in above if isinstance(self.units[i], Bernoulli))

    @property
    def has_real_units(self):
        """True if a block has real values."""
        return any(isinstance(unit, Gaussian) for unit in self.units)

    def neighbours(self, block):
        """Iterate over the links of a block.

        Yields
        ------
        link : int
            Number of the link.
        other : int
            Number of the block at its other end.
        up : bool
            True if the other block is below, so that its input goes up.
        """
        for number, link in enumerate(self.links):
            if link.above == block:
                yield number, link.below, True
            elif link.below == block:
                yield number, link.above, False
