"""Graphs of blocks of units, with couplings and colors."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from skdgm.couplings import Dense
from skdgm.energies.params import Params


class Link(NamedTuple):
    """Numbers of two blocks, and of the coupling that joins them. Rows of the weights
    belong to ``below``, columns to ``above``."""

    below: int
    above: int
    coupling: int


class Triple(NamedTuple):
    """Numbers of three blocks, and of their three couplings to the factors. Each block
    gates the weights between the other two; see :class:`~skdgm.couplings.Factors`."""

    blocks: tuple
    couplings: tuple


class Graph:
    """Blocks, links and colors: an energy without its formulas; see :class:`Energy`.

    Attributes
    ----------
    units, links, couplings, colors, layers, triples : tuple
        As given to :class:`Energy`.
    is_binary_chain : bool
        True for a chain of layers, each one block of binary units, whose couplings are
        dense and not shared. Kernels exist for such graphs.
    is_labeled_chain : bool
        True for such a chain with a label as its last block.
    has_matrices : bool
        True if all couplings are dense and there are no triples, so that weights may be
        tiled.
    is_sitewise : bool
        True if blocks are linked to themselves, so that their units are drawn one by
        one, as in a :class:`~skdgm.energies.Connected`.
    """

    is_sitewise = False

    def __init__(
        self,
        units: Sequence,
        links: Sequence,
        couplings: Sequence,
        colors: Sequence | None = None,
        layers: Sequence | None = None,
        triples: Sequence = (),
    ):
        self.units, self.couplings = tuple(units), tuple(couplings)
        self.links, blocks = (
            tuple(Link._make(link) for link in links),
            range(len(units)),
        )
        ends = tuple([] for _ in blocks)
        for i, j, number in self.links:
            ends[i].append((number, j, False))
            if i != j:
                ends[j].append((number, i, True))
        self._ends = tuple(map(tuple, ends))
        self.triples = tuple(Triple._make(map(tuple, triple)) for triple in triples)
        self._gated = tuple(tuple(self._others(block)) for block in blocks)
        self.layers = tuple(map(tuple, layers or ((block,) for block in blocks)))
        self.colors = tuple(map(tuple, colors or self._greedy()))
        self._check()
        *below, last = self.units
        matrices = all(type(coupling) is Dense for coupling in self.couplings)
        self.has_matrices = matrices and not self.triples
        is_chain = (
            len(self.links) > 0
            and all(unit.form == "bits" for unit in below)
            and self.has_matrices
            and self.links == tuple((b, b + 1, b) for b in blocks[:-1])
            and self.colors == (tuple(blocks[::2]), tuple(blocks[1::2]))
        )
        self.is_binary_chain = is_chain and last.form == "bits"
        is_deep = len(below) > 1
        self.is_labeled_chain = is_chain and is_deep and last.form == "one"

    def _others(self, block):
        """Three-way links of a block; see :meth:`gated`."""
        for blocks, couplings in self.triples:
            ends = tuple(zip(blocks, couplings, strict=True))
            for place, (end, number) in enumerate(ends):
                if end == block:
                    yield number, ends[:place] + ends[place + 1 :]

    def _greedy(self):
        colors = []
        for block in range(len(self.units)):
            taken = {
                colors[other] for other in self.neighbor_blocks(block) if other < block
            }
            colors.append(min(set(range(len(colors) + 1)) - taken))
        return [
            [block for block, color in enumerate(colors) if color == number]
            for number in range(max(colors) + 1)
        ]

    def _check(self):
        colors = {
            b: number for number, members in enumerate(self.colors) for b in members
        }
        if sorted(sum(self.colors, ())) != list(range(len(self.units))):
            raise ValueError(f"Each block must have one color; got {self.colors}.")
        for i, j, _ in self.links:
            if colors[i] == colors[j] and not (i == j and self.is_sitewise):
                raise ValueError(f"Linked blocks {i} and {j} have the same color.")
        for blocks in {triple.blocks for triple in self.triples}:
            for i, j in combinations(set(blocks), 2):
                if colors[i] == colors[j]:
                    raise ValueError(f"Linked blocks {i} and {j} have the same color.")
        used = {link.coupling for link in self.links}
        used.update(*(triple.couplings for triple in self.triples))
        if used != set(range(len(self.couplings))):
            raise ValueError("Each coupling must belong to at least one link.")

    @property
    def unshared_links(self) -> tuple[Link, ...]:
        """All links; ValueError if several links share a coupling. Algorithms that
        transform the gradient of a coupling by its blocks need this property."""
        if len(self.links) > len({link.coupling for link in self.links}):
            raise ValueError("A coupling is shared by several links.")
        return self.links

    @property
    def backwards(self) -> tuple:
        """Numbers of the colors from last to first, a tuple."""
        return tuple(range(len(self.colors)))[::-1]

    def rest(self, color: int = -1) -> tuple:
        """Blocks of all colors except one, by default the last: a tuple."""
        number = color % len(self.colors)
        return sum(self.colors[:number] + self.colors[number + 1 :], ())

    @property
    def hidden(self) -> tuple:
        """Blocks of binary units outside the first layer: a tuple."""
        above, forms = range(len(self.layers[0]), len(self.units)), ("bits", "pooled")
        return tuple(i for i in above if self.units[i].form in forms)

    @property
    def has_real_units(self) -> bool:
        """True if the units of a block are numbers rather than bits or categories."""
        return any(unit.numbers for unit in self.units)

    def neighbors(self, block: int) -> tuple:
        """Links of a block: a tuple of (coupling, other block, whether the other is
        below)."""
        return self._ends[block]

    def gated(self, block: int) -> tuple:
        """Three-way links of a block, a tuple. Each element has the number of the
        block's coupling to the factors, and a pair (block, coupling) for both other
        ends."""
        return self._gated[block]

    def neighbor_blocks(self, block: int) -> list:
        """Numbers of the blocks that are linked to a block, a list."""
        pairs = [other for _, other, _ in self._ends[block]]
        gated = [other for _, ends in self._gated[block] for other, _ in ends]
        return list(dict.fromkeys(pairs + gated))

    def weights_of(self, block: int) -> list:
        """Numbers of the couplings that have weights of a block, a list."""
        pairs = [number for number, _, _ in self._ends[block]]
        return list(dict.fromkeys(pairs + [number for number, _ in self._gated[block]]))

    def init(
        self,
        rng: np.random.Generator,
        means: tuple | None = None,
        scale: float = 0.01,
        dtype: type = np.float64,
    ) -> Params:
        """Initial parameters: normal weights of a scale, and biases that give known
        means. ``means`` has the means of each block, or other moments that the ``init``
        of its unit takes; None if they are unknown."""
        means = means or (None,) * len(self.units)
        return Params(
            tuple(u.init(m, dtype) for u, m in zip(self.units, means)),
            tuple(c.init(rng, scale, dtype) for c in self.couplings),
        )
