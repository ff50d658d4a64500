"""Builders of energies: chains of layers, fully connected blocks, any graph."""

from itertools import combinations, pairwise, product

from skdgm.couplings import Dense
from skdgm.energies.energy import Energy


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
