"""What a layered model consists of, and the models on the way to it."""

from typing import NamedTuple


class Params(NamedTuple):
    """What is learned: a tree for each block, and one for each coupling."""

    units: tuple
    couplings: tuple


class Path(NamedTuple):
    """A model between a base model without couplings and the model itself.

    Couplings are multiplied by beta; each unit goes from its base parameters
    (beta = 0) to its own (beta = 1). Beta is a number, or one per row: (n_rows, 1).
    """

    base: tuple
    beta: object


def both_ways(wiring, params, pairs=False):
    """Parameters that are as quick to use downwards as upwards.

    With ``pairs``, so are data whose neighbouring columns go together.
    """
    couplings = tuple(
        link.coupling.both_ways(W, pairs and link.below == 0)
        for link, W in zip(wiring.links, params.couplings)
    )
    return Params(params.units, couplings)
