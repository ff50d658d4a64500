"""Graphs of blocks of units, joined by couplings and coloured."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from skdgm.couplings import Dense
from skdgm.energies.params import Params


class Link(NamedTuple):
    """Numbers of two blocks, and of the coupling that joins them.

    Weights are oriented: their rows belong to ``below``, their columns to ``above``.
    """

    below: int
    above: int
    coupling: int


class Triple(NamedTuple):
    """Numbers of three blocks, of which each gates the weights between the other two,
    and of the coupling of each to the factors: three each. See
    :class:`~skdgm.couplings.Factors`."""

    blocks: tuple
    couplings: tuple


class Graph:
    """Blocks, links and colours: an energy without its formulas; see :class:`Energy`.

    Attributes
    ----------
    units, links, couplings, colours, layers, triples : tuple
        As :class:`Energy` was given them.
    is_binary_chain : bool
        True if kernels can serve the graph: a chain of layers of one block of binary
        units each, with dense couplings of their own.
    is_labelled_chain : bool
        True for such a chain under a label, the last block.
    has_matrices : bool
        True if all couplings are dense, and of two blocks, so that weights may be in
        tiles.
    is_sitewise : bool
        True if blocks are linked with themselves, so that their units are drawn one
        after another: a :class:`~skdgm.energies.Connected`.
    """

    is_sitewise = False

    def __init__(
        self,
        units: Sequence,
        links: Sequence,
        couplings: Sequence,
        colours: Sequence | None = None,
        layers: Sequence | None = None,
        triples: Sequence = (),
    ):
        self.units, self.couplings = tuple(units), tuple(couplings)
        self.links, blocks = tuple(Link(*link) for link in links), range(len(units))
        ends = tuple([] for _ in blocks)
        for i, j, number in self.links:
            ends[i].append((number, j, False))
            if i != j:
                ends[j].append((number, i, True))
        self._ends = tuple(map(tuple, ends))
        self.triples = tuple(Triple(*map(tuple, triple)) for triple in triples)
        self._gated = tuple(tuple(self._others(block)) for block in blocks)
        self.layers = tuple(map(tuple, layers or ((block,) for block in blocks)))
        self.colours = tuple(map(tuple, colours or self._greedy()))
        self._check()
        *below, top = self.units
        matrices = all(type(own) is Dense for own in self.couplings)
        self.has_matrices = matrices and not self.triples
        is_chain = (
            len(self.links) > 0
            and all(unit.form == "bits" for unit in below)
            and self.has_matrices
            and self.links == tuple((b, b + 1, b) for b in blocks[:-1])
            and self.colours == (tuple(blocks[::2]), tuple(blocks[1::2]))
        )
        self.is_binary_chain = is_chain and top.form == "bits"
        deep = len(below) > 1
        self.is_labelled_chain = is_chain and deep and top.form == "one"

    def _others(self, block):
        """The three-way links of a block; see :meth:`gated`."""
        for blocks, couplings in self.triples:
            ends = tuple(zip(blocks, couplings, strict=True))
            for place, (own, number) in enumerate(ends):
                if own == block:
                    yield number, ends[:place] + ends[place + 1 :]

    def _greedy(self):
        own = []
        for block in range(len(self.units)):
            taken = {own[other] for other in self.beside(block) if other < block}
            own.append(min(set(range(len(own) + 1)) - taken))
        return [
            [block for block, colour in enumerate(own) if colour == number]
            for number in range(max(own) + 1)
        ]

    def _check(self):
        own = {b: number for number, part in enumerate(self.colours) for b in part}
        if sorted(sum(self.colours, ())) != list(range(len(self.units))):
            raise ValueError(f"Each block must have one colour; got {self.colours}.")
        for i, j, _ in self.links:
            if own[i] == own[j] and not (i == j and self.is_sitewise):
                raise ValueError(f"Linked blocks {i} and {j} have the same colour.")
        for blocks in {triple.blocks for triple in self.triples}:
            for i, j in combinations(set(blocks), 2):
                if own[i] == own[j]:
                    raise ValueError(f"Linked blocks {i} and {j} have the same colour.")
        used = {link.coupling for link in self.links}
        used.update(*(triple.couplings for triple in self.triples))
        if used != set(range(len(self.couplings))):
            raise ValueError("Each coupling must belong to at least one link.")

    @property
    def own_links(self) -> tuple[Link, ...]:
        """The links, if each has a coupling of its own, as algorithms that transform
        the gradient of a coupling by its blocks need it; else a ``ValueError``."""
        if len(self.links) > len({link.coupling for link in self.links}):
            raise ValueError("A coupling is shared by several links.")
        return self.links

    @property
    def backwards(self) -> tuple:
        """Numbers of the colours from the last to the first, a tuple."""
        return tuple(range(len(self.colours)))[::-1]

    def rest(self, colour: int = -1) -> tuple:
        """The blocks of all colours but one, by default but the last: a tuple."""
        number = colour % len(self.colours)
        return sum(self.colours[:number] + self.colours[number + 1 :], ())

    @property
    def hidden(self) -> tuple:
        """The blocks of binary units outside the first layer: a tuple."""
        above, forms = range(len(self.layers[0]), len(self.units)), ("bits", "pooled")
        return tuple(i for i in above if self.units[i].form in forms)

    @property
    def has_real_units(self) -> bool:
        """True if a block has values that are no lists of ones: numbers."""
        return any(unit.numbers for unit in self.units)

    def neighbours(self, block: int) -> tuple:
        """Links of a block, in their order: triples of the number of the coupling, that
        of the block at the other end, and whether that is below, so that its input goes
        up."""
        return self._ends[block]

    def gated(self, block: int) -> tuple:
        """Three-way links of a block: pairs of the number of its own coupling to the
        factors, and of both other ends, which are pairs of the number of a block and
        that of its coupling."""
        return self._gated[block]

    def beside(self, block: int) -> list:
        """Numbers of all blocks that a block is linked with, a list."""
        pairs = [other for _, other, _ in self._ends[block]]
        more = [other for _, ends in self._gated[block] for other, _ in ends]
        return list(dict.fromkeys(pairs + more))

    def weights_of(self, block: int) -> list:
        """Numbers of all couplings with weights of a block's units, a list."""
        pairs = [number for number, _, _ in self._ends[block]]
        return list(dict.fromkeys(pairs + [number for number, _ in self._gated[block]]))

    def init(
        self,
        rng: np.random.Generator,
        means: tuple | None = None,
        scale: float = 0.01,
        dtype: type = np.float64,
    ) -> Params:
        """Initial parameters: normal weights, and biases that give known means, or
        other moments, as ``init`` of a block's unit takes them; None where they are
        unknown."""
        means = means or (None,) * len(self.units)
        return Params(
            tuple(u.init(m, dtype) for u, m in zip(self.units, means)),
            tuple(c.init(rng, scale, dtype) for c in self.couplings),
        )
