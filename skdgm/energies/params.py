"""What a layered model consists of, and the models on the way to it."""

from typing import NamedTuple

from skdgm.couplings import Weights


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


def tiled(params):
    """Parameters as kernels want them; see :class:`~skdgm.couplings.Weights`."""
    return Params(params.units, tuple(map(Weights.of, params.couplings)))


def plain(params):
    """Parameters with arrays for couplings."""
    couplings = (getattr(W, "W", W) for W in params.couplings)
    return Params(params.units, tuple(couplings))
