r"""Energies on a colored graph of blocks of units.

The nodes of the graph are blocks of units of one type, its links are couplings of two
blocks. Block i without its neighbors has natural parameters :math:`\eta_i`, log weights
:math:`w_i` and statistics :math:`T_i`:

.. math:: -E(x) = \sum_i \log w_i(x_i; \eta_i) + \sum_{i \sim j} T_i(x_i)^\top W_{ij} \,
   T_j(x_j), \qquad p(x) = e^{-E(x)} / Z.

A three-way link joins three blocks by factors, and adds :math:`\sum_f (T_i^\top A)_f
(T_j^\top B)_f (T_k^\top C)_f`: the weights between two blocks depend on the third
block [4]_. The input of a block from the other two is linear in its own statistic.

Inputs from neighbors are added to :math:`\eta_i`. Since :math:`\log w_i` is linear in
:math:`\eta_i`, interpolating natural parameters interpolates energies.

Blocks of one color are not linked. Given all other blocks they are independent, so that
they can be sampled or updated together, or marginalized in closed form. Restricted [1]_
and deep [2]_ Boltzmann machines have two colors, the even and the odd layers. A fully
connected machine has as many colors as blocks [3]_.

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
    """Energy function on a graph of blocks of units.

    :func:`layered`, :func:`full` and :func:`graph` build the common graphs. In all
    methods, a state ``x`` is a tuple with an array or Lists of shape (n_rows, size) for
    each block. The argument ``path`` is a :class:`Path`, or None for the model itself.

    Parameters
    ----------
    units : sequence
        The unit of each block; see :mod:`skdgm.distributions`.
    links : sequence of Link or of (int, int, int)
        Numbers of two blocks and of their coupling. Links with the same coupling share
        its weights.
    couplings : sequence
        See :mod:`skdgm.couplings`.
    colors : sequence of sequences of int, optional
        The blocks of each color. By default, blocks are colored greedily: each block
        has the first color that none of its neighbors has. Algorithms marginalize the
        blocks of the last color, or represent them by means given all others. The
        gradient of their parameters must therefore be linear in their values, which
        excludes real units.
    layers : sequence of sequences of int, optional
        The blocks of each layer, beginning with the visible blocks, in the order in
        which inference initializes them. By default each block is a layer.
    triples : sequence of Triple or of (blocks, couplings), optional
        Three-way links: the numbers of three blocks, and of their couplings to the same
        factors, which are :class:`~skdgm.couplings.Factors`. A block that is always
        clamped may occur twice. Links and triples may share couplings.

    Raises
    ------
    ValueError
        Two blocks of one color are linked, a block has no color or several colors, or a
        coupling has no link.
    """

    def received(
        self, params: Params, x: tuple, block: int, among: Collection | None = None
    ) -> float | np.ndarray:
        r"""Input of a block from its neighbors.

        .. math:: r_i = \sum_{j \sim i} W_{ij} T_j(x_j)

        Parameters
        ----------
        params : Params
        x : tuple
            Values of all neighbors; other elements are ignored.
        block : int
            Number of the block i.
        among : collection of int, optional
            Numbers of the neighbors to sum over; by default all neighbors.

        Returns
        -------
        received : ndarray of shape (n_rows, size), or 0 if there are no neighbors
        """
        total = None
        for number, other, up in self._ends[block]:
            if among is None or other in among:
                statistic = self.statistic(params, x, other)
                weights = params.couplings[number]
                from_neighbor = self.couplings[number].send(weights, statistic, up)
                total = from_neighbor if total is None else total + from_neighbor
        for number, others in self._gated[block]:
            if among is None or all(other in among for other, _ in others):
                weights = params.couplings[number]
                projected = self._factors(params, x, others[0])
                projected = projected * self._factors(params, x, others[1])
                from_neighbor = self.couplings[number].send(weights, projected, False)
                total = from_neighbor if total is None else total + from_neighbor
        return 0 if total is None else total

    def product_input(
        self, params: Params, x: tuple, given: tuple, block: int, outer: bool = False
    ) -> float | np.ndarray:
        """Input of a block through three-way links to a block of ``x`` and a block of
        ``given``.

        :meth:`received` from ``x`` or from ``given`` alone does not include this input.

        Parameters
        ----------
        params : Params
        x, given : tuple
            Values of disjoint sets of blocks; None for all other blocks.
        block : int
            Number of the block.
        outer : bool, default=False
            If True, combine each row of ``given`` with each row of x; if False, combine
            rows with the same number.

        Returns
        -------
        received : ndarray of shape (n_rows, size), or 0 if there are no such links
            If ``outer``, of shape (n_given * n_rows, size): all rows of x with the
            first row of ``given``, then with the second, and so on.
        """
        total = 0
        for number, (first, second) in self._gated[block]:
            if x[first[0]] is None:
                first, second = second, first
            if (
                x[first[0]] is None
                or x[second[0]] is not None
                or given[second[0]] is None
            ):
                continue
            projected = self._factors(params, given, second)
            projected = projected[:, None] if outer else projected
            projected = projected * self._factors(params, x, first)
            projected = projected.reshape(-1, projected.shape[-1])
            part = self.couplings[number].send(
                params.couplings[number], projected, False
            )
            total = total + part
        return total

    def _factors(self, params, x, end):
        """Projection of a block on the factors, (n_rows, n_factors). ``end`` has the
        numbers of the block and of its coupling."""
        block, number = end
        statistic = self.statistic(params, x, block)
        return self.couplings[number].send(params.couplings[number], statistic, True)

    def field(
        self, params: Params, block: int, received: Any, path: Path | None = None
    ) -> Any:
        """Natural parameters of a block, given the input from its neighbors. They are
        an ndarray, or a tree of arrays, of shape (n_rows, size)."""
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
        r"""Log weight of all links, or of the links among some blocks.

        .. math:: \beta \sum_{i \sim j} T_i(x_i)^\top W_{ij} T_j(x_j)

        Its shape is (n_rows,); it is 0 without such links.
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
                first, second, third = (self._factors(params, x, end) for end in ends)
                log_weight = log_weight + np.einsum("if,if,if->i", first, second, third)
        return log_weight if path is None else np.ravel(path.beta) * log_weight

    def energy(self, params: Params, x: tuple, path: Path | None = None) -> np.ndarray:
        """E(x) of each row, in float64."""
        log_weight = np.asarray(self.interaction(params, x, path=path))
        for block in range(len(self.units)):
            log_weight = log_weight + self.unit_log_weight(params, x, block, path)
        return -log_weight

    def log_marginal(
        self,
        params: Params,
        x: tuple,
        summed: int = -1,
        received: dict | None = None,
        path: Path | None = None,
    ) -> np.ndarray:
        r"""Log of the sum of exp(-E) over the blocks of one color, given all other
        blocks.

        .. math:: \sum_{i \in \text{rest}} \log w_i(x_i) + \sum_{i \sim j \in
           \text{rest}} T_i^\top W_{ij} T_j + \sum_{k \in \text{summed}} A_k(\eta_k)

        Parameters
        ----------
        params : Params
        x : tuple
            Values of all blocks; those of the summed color are ignored.
        summed : int, default=-1
            Number of the color to sum over; by default the last color.
        received : dict, optional
            Inputs of the summed blocks, by number, if already known.
        path : Path, optional

        Returns
        -------
        log_marginal : ndarray of shape (n_rows,), float64
        """
        total, remaining = 0.0, self.rest(summed)
        for block in self.colors[summed]:
            block_input = (
                received[block] if received else self.received(params, x, block)
            )
            eta = self.field(params, block, block_input, path)
            total = total + self.units[block].log_partition(eta)
        for block in remaining:
            total = total + self.unit_log_weight(params, x, block, path)
        return np.asarray(total + self.interaction(params, x, remaining, path))

    def base(self, params: Params, means: tuple) -> tuple[tuple, float]:
        """Parameters of the units, and log Z, of a model without couplings that has
        given means.

        Parameters
        ----------
        params : Params
        means : tuple
            The means (or other moments) of each block, as the ``init`` of its unit
            takes them; None for a block that keeps its own parameters.

        Returns
        -------
        units : tuple
            Parameters of each block.
        log_Z : float

        Raises
        ------
        ValueError
            Biases, and hence log Z, differ between rows.
        """
        if params.n_conditions:
            raise ValueError("A base model is that of one row: see Params.take.")
        units = tuple(
            unit_params if mean is None else unit.init(mean, params.dtype)
            for unit, unit_params, mean in zip(self.units, params.units, means)
        )
        log_Z = sum(
            unit.log_partition(unit.field(unit_params))
            for unit, unit_params in zip(self.units, units)
        )
        return units, float(log_Z)

    def unit_log_weight(
        self, params: Params, x: tuple, block: int, path: Path | None = None
    ) -> np.ndarray:
        """Log weight of the values of a block without its neighbors, (n_rows,)."""
        eta = self.field(params, block, 0.0, path)
        return self.units[block].log_weight(eta, x[block])

    def statistic(self, params: Params, x: tuple, block: int) -> Values:
        """Sufficient statistic of a block, which its couplings multiply."""
        return self.units[block].statistic(params.units[block], x[block])

    def constrain(self, params: Params, max_norm: float | None = None) -> None:
        """Project parameters onto the allowed set, in place.

        Parameters
        ----------
        params : Params
        max_norm : float, optional
            Maximum norm of the weights between a unit and a block below, and between a
            factor and a block. Weights of real units are measured in standard
            deviations.
        """
        for unit, unit_params in zip(self.units, params.units):
            unit.constrain(unit_params)
        if max_norm is not None:
            ends = [(i, number) for i, _, number in self.links]
            for triple in self.triples:
                ends += zip(*triple)
            for i, number in ends:
                scale = self.units[i].scale(params.units[i])
                self.couplings[number].limit(params.couplings[number], max_norm, scale)


def graph(units, pairs, coupling=Dense, colors=None, layers=None):
    """Energy in which each pair of linked blocks has its own coupling.

    Parameters
    ----------
    units : sequence
        The unit of each block.
    pairs : iterable of (int, int)
        Numbers of linked blocks, ``below`` and ``above``.
    coupling : callable, default=Dense
        ``coupling(n_below, n_above)`` returns the coupling of two blocks with these
        numbers of units.
    colors, layers : sequence of sequences of int, optional
        As for :class:`Energy`.

    Returns
    -------
    energy : Energy
    """
    pairs = tuple(pairs)
    links = [(i, j, number) for number, (i, j) in enumerate(pairs)]
    couplings = [coupling(units[i].size, units[j].size) for i, j in pairs]
    return Energy(units, links, couplings, colors, layers)


def layered(layers, coupling=Dense):
    """Energy of a chain of layers, such as a restricted or deep Boltzmann machine.

    All blocks of neighboring layers are linked. The two colors are the even and the odd
    layers.

    Parameters
    ----------
    layers : sequence of sequences of units
        The blocks of each layer, from bottom to top.
    coupling : callable, default=Dense
        As for :func:`graph`.

    Returns
    -------
    energy : Energy
    """
    units = [unit for layer in layers for unit in layer]
    numbers = iter(range(len(units)))
    layers = [tuple(next(numbers) for _ in layer) for layer in layers]
    pairs = [pair for neighbors in pairwise(layers) for pair in product(*neighbors)]
    colors = [sum(layers[parity::2], ()) for parity in (0, 1)]
    return graph(units, pairs, coupling, colors, layers)


def full(units, coupling=Dense):
    """Energy of fully connected blocks, each with its own color.

    With blocks of one binary unit it is a general Boltzmann machine.

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
