r"""Energies over a graph of blocks, in any number of colours.

A model is a graph: its nodes are blocks of units of one kind, its links couplings of
two blocks. With natural parameters :math:`\eta_i` of block i without neighbours, log
weights :math:`w_i` and statistics :math:`T_i`,

.. math:: -E(x) = \sum_i \log w_i(x_i; \eta_i) + \sum_{i \sim j} T_i(x_i)^\top W_{ij} \,
   T_j(x_j), \qquad p(x) = e^{-E(x)} / Z.

A three-way link joins three blocks by factors, and adds :math:`\sum_f (T_i^\top A)_f
(T_j^\top B)_f (T_k^\top C)_f`: the weights between two of them depend on the third
[4]_. The input of each from the two others is linear in its own statistic.

The input from neighbours is added to :math:`\eta_i`, in which :math:`\log w_i` is
linear. So interpolating natural parameters interpolates energies.

The graph is coloured: no two blocks of one colour are linked, so that the blocks of a
colour are independent given all others, can be drawn or updated together, and be summed
out in closed form. A restricted Boltzmann machine [1]_ and a deep one [2]_ have two
colours, the even and the odd layers; a fully connected one has as many as blocks [3]_.

There are builders for chains of layers, fully connected blocks and any graph.

References
----------
.. [1] Smolensky (1986). Information processing in dynamical systems: foundations
   of harmony theory.
.. [2] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
.. [3] Ackley, Hinton and Sejnowski (1985). A learning algorithm for Boltzmann
   machines. Cognitive Science.
.. [4] Memisevic and Hinton (2010). Learning to represent spatial transformations with
   factored higher-order Boltzmann machines. Neural Computation.
"""

from collections.abc import Collection
from itertools import combinations, pairwise, product

import numpy as np

from skdgm.couplings import Dense
from skdgm.energies.blocks import Graph
from skdgm.energies.params import Params, Path, between
from skdgm.typing import Any
from skdgm.utils.lists import Values


class Energy(Graph):
    """The energy of a graph of blocks.

    A state x is a tuple with an array or Lists of shape (n_rows, size) for each block,
    ``path`` a :class:`Path`, or None for the model itself. Energies are (n_rows,).
    :func:`layered`, :func:`full` and :func:`graph` build the usual ones.

    Parameters
    ----------
    units : sequence
        The unit of each block; see :mod:`skdgm.distributions`.
    links : sequence of Link or of (int, int, int)
        Several links may name the same coupling: they share its weights.
    couplings : sequence
        See :mod:`skdgm.couplings`.
    colours : sequence of sequences of int, optional
        The blocks of each colour; by default each block takes the first colour that
        none of its neighbours has. The blocks of the last colour are those that
        algorithms sum out, or represent by means, given all others; so their own
        gradient must be linear in their values, as that of real units is not.
    layers : sequence of sequences of int, optional
        The blocks of each layer, the visible ones first, in the order in which
        inference initialises them; by default each block alone.
    triples : sequence of Triple or of (blocks, couplings), optional
        Three-way links: the numbers of three blocks, and of the coupling of each to the
        same factors, a :class:`~skdgm.couplings.Factors`. A block that is always
        clamped may be there twice. Links and triples may share couplings.

    Raises
    ------
    ValueError
        Two blocks of one colour are linked, a block has not exactly one colour, or a
        coupling no link.
    """

    def received(
        self, params: Params, x: tuple, block: int, among: Collection | None = None
    ) -> float | np.ndarray:
        r"""Input of a block from its neighbours.

        .. math:: r_i = \sum_{j \sim i} W_{ij} T_j(x_j)

        Parameters
        ----------
        x : tuple
            Values of all neighbours.
        block : int
        among : collection of int, optional
            The neighbours that count; by default all of them.

        Returns
        -------
        received : ndarray of shape (n_rows, size), or 0 if there are no neighbours
        """
        total = None
        for number, other, up in self._ends[block]:
            if among is None or other in among:
                statistic = self.statistic(params, x, other)
                weights = params.couplings[number]
                part = self.couplings[number].send(weights, statistic, up)
                total = part if total is None else total + part
        for number, others in self._gated[block]:
            if among is None or all(other in among for other, _ in others):
                weights = params.couplings[number]
                sent = self._factors(params, x, others[0])
                sent = sent * self._factors(params, x, others[1])
                part = self.couplings[number].send(weights, sent, False)
                total = part if total is None else total + part
        return 0 if total is None else total

    def received_across(
        self, params: Params, x: tuple, given: tuple, block: int, outer: bool = False
    ) -> float | np.ndarray:
        """Input of a block through its three-way links to a block of x and one of
        ``given``, which :meth:`received` from either alone lacks.

        Parameters
        ----------
        x : tuple
            Values of some blocks, None for all others.
        given : tuple
            Values of other blocks, None for all others.
        block : int
        outer : bool, default=False
            Pair each row of ``given`` with each of x, rather than row with row.

        Returns
        -------
        received : ndarray of shape (n_rows, size), or 0 if there are no such links
            If ``outer``, of (n_given * n_rows, size): all rows of x beside the first
            one of ``given`` first.
        """
        total = 0
        for number, (one, other) in self._gated[block]:
            if x[one[0]] is None:
                one, other = other, one
            if x[one[0]] is None or x[other[0]] is not None or given[other[0]] is None:
                continue
            sent = self._factors(params, given, other)
            sent = sent[:, None] if outer else sent
            sent = sent * self._factors(params, x, one)
            sent = sent.reshape(-1, sent.shape[-1])
            part = self.couplings[number].send(params.couplings[number], sent, False)
            total = total + part
        return total

    def _factors(self, params, x, end):
        """What a block sends to the factors, (n_rows, n_factors), for its number and
        that of its coupling."""
        block, number = end
        statistic = self.statistic(params, x, block)
        return self.couplings[number].send(params.couplings[number], statistic, True)

    def field(
        self, params: Params, block: int, received: Any, path: Path | None = None
    ) -> Any:
        """Natural parameters of a block with input ``received`` from its neighbours:
        an ndarray, or tree of arrays, of shape (n_rows, size)."""
        unit = self.units[block]
        eta = unit.field(params.units[block], received)
        if path is None:
            return eta
        return between(unit.field(path.base[block]), eta, path.beta)

    def interaction(
        self,
        params: Params,
        x: tuple,
        blocks: Collection | None = None,
        path: Path | None = None,
    ) -> float | np.ndarray:
        r"""Log weight of the links, or of those among some blocks.

        .. math:: \beta \sum_{i \sim j} T_i(x_i)^\top W_{ij} T_j(x_j)

        It has the shape (n_rows,), or is 0 if there are no such links.
        """
        log_weight = sum(
            self.couplings[number].log_weight(
                params.couplings[number],
                self.statistic(params, x, i),
                self.statistic(params, x, j),
            )
            for i, j, number in self.links
            if blocks is None or (i in blocks and j in blocks)
        )
        for triple in self.triples:
            if blocks is None or all(block in blocks for block in triple.blocks):
                ends = zip(*triple, strict=True)
                one, two, three = (self._factors(params, x, end) for end in ends)
                log_weight = log_weight + np.einsum("if,if,if->i", one, two, three)
        return log_weight if path is None else np.ravel(path.beta) * log_weight

    def energy(self, params: Params, x: tuple, path: Path | None = None) -> np.ndarray:
        """E(x) of each row, in float64."""
        log_weight = np.asarray(self.interaction(params, x, path=path))
        for block in range(len(self.units)):
            log_weight = log_weight + self.lone_weight(params, x, block, path)
        return -log_weight

    def log_marginal(
        self,
        params: Params,
        x: tuple,
        summed: int = -1,
        received: dict | None = None,
        path: Path | None = None,
    ) -> np.ndarray:
        r"""Log of the sum of exp(-E) over the blocks of one colour, given all others.

        .. math:: \sum_{i \in \text{rest}} \log w_i(x_i) + \sum_{i \sim j \in
           \text{rest}} T_i^\top W_{ij} T_j + \sum_{k \in \text{summed}} A_k(\eta_k)

        Parameters
        ----------
        x : tuple
            The values of the summed colour are ignored.
        summed : int, default=-1
            The colour to sum out; the last one by default.
        received : dict, optional
            The input of each summed block, if known already.
        path : Path, optional

        Returns
        -------
        log_marginal : ndarray of shape (n_rows,), float64
        """
        total, rest = 0.0, self.rest(summed)
        for block in self.colours[summed]:
            known = received[block] if received else self.received(params, x, block)
            eta = self.field(params, block, known, path)
            total = total + self.units[block].log_partition(eta)
        for block in rest:
            total = total + self.lone_weight(params, x, block, path)
        return np.asarray(total + self.interaction(params, x, rest, path))

    def base(self, params: Params, means: tuple) -> tuple[tuple, float]:
        """Model without couplings with given means: its units' parameters and log Z.

        Parameters
        ----------
        means : tuple
            The means (or other moments) of each block, as ``init`` of its unit takes
            them, or None for a block that keeps its own parameters.

        Raises
        ------
        ValueError
            Biases differ by row, and so would log Z.
        """
        if params.n_conditions:
            raise ValueError("A base model is that of one row: see Params.take.")
        units = tuple(
            own if m is None else unit.init(m, params.dtype)
            for unit, own, m in zip(self.units, params.units, means)
        )
        log_Z = sum(
            unit.log_partition(unit.field(own)) for unit, own in zip(self.units, units)
        )
        return units, float(log_Z)

    def lone_weight(
        self, params: Params, x: tuple, block: int, path: Path | None = None
    ) -> np.ndarray:
        """Log weight of the value of a block without its neighbours, (n_rows,)."""
        eta = self.field(params, block, 0.0, path)
        return self.units[block].log_weight(eta, x[block])

    def statistic(self, params: Params, x: tuple, block: int) -> Values:
        """Sufficient statistic of a block, by which its couplings multiply."""
        return self.units[block].statistic(params.units[block], x[block])

    def constrain(self, params: Params, max_norm: float | None = None) -> None:
        """Project parameters onto the allowed set, in place.

        Parameters
        ----------
        max_norm : float, optional
            Highest norm of a unit's weights to a block below, and of those of a factor
            of a three-way link to any block; they count in standard deviations of real
            units.
        """
        for unit, own in zip(self.units, params.units):
            unit.constrain(own)
        if max_norm is not None:
            ends = [(i, number) for i, _, number in self.links]
            for triple in self.triples:
                ends += zip(*triple)
            for i, number in ends:
                scale = self.units[i].scale(params.units[i])
                self.couplings[number].limit(params.couplings[number], max_norm, scale)


def graph(units, pairs, coupling=Dense, colours=None, layers=None):
    """Energy with a coupling of its own for each pair of linked blocks.

    Parameters
    ----------
    units : sequence
        The unit of each block.
    pairs : iterable of (int, int)
        Numbers of linked blocks, ``below`` and ``above``.
    coupling : callable, default=Dense
        ``coupling(n_below, n_above)`` returns the coupling of two blocks of so many
        units.
    colours, layers : sequence of sequences of int, optional
        As for :class:`Energy`.

    Returns
    -------
    energy : Energy
    """
    pairs = tuple(pairs)
    links = [(i, j, number) for number, (i, j) in enumerate(pairs)]
    couplings = [coupling(units[i].size, units[j].size) for i, j in pairs]
    return Energy(units, links, couplings, colours, layers)


def layered(layers, coupling=Dense):
    """Energy of a chain of layers, in which the blocks of neighbouring layers are
    linked: that of a restricted or deep Boltzmann machine.

    Its colours are the even and the odd layers.

    Parameters
    ----------
    layers : sequence of sequences of units
        The blocks of each layer, from the bottom up.
    coupling : callable, default=Dense
        As for :func:`graph`.

    Returns
    -------
    energy : Energy
    """
    units = [unit for layer in layers for unit in layer]
    numbers = iter(range(len(units)))
    layers = [tuple(next(numbers) for _ in layer) for layer in layers]
    pairs = [pair for two in pairwise(layers) for pair in product(*two)]
    colours = [sum(layers[parity::2], ()) for parity in (0, 1)]
    return graph(units, pairs, coupling, colours, layers)


def full(units, coupling=Dense):
    """Energy of fully connected blocks, each of its own colour: with blocks of one
    binary unit, that of the general Boltzmann machine.

    Parameters
    ----------
    units : sequence
        The unit of each block.
    coupling : callable, default=Dense
        As for :func:`graph`.

    Returns
    -------
    energy : Energy
    """
    return graph(units, combinations(range(len(units)), 2), coupling)
