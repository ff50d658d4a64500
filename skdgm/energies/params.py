"""What a layered model consists of, and the models on the way to it."""

from typing import NamedTuple

from skdgm.couplings import Weights
from skdgm.utils.tree import leaves, tree_map


class Params(NamedTuple):
    """What is learned: a tree for each block, and one for each coupling."""

    units: tuple
    couplings: tuple

    @property
    def dtype(self):
        """The type of all of them."""
        return leaves(self.units)[0].dtype


class Path(NamedTuple):
    """A model between a base model without couplings and the model itself.

    Couplings are multiplied by beta; each unit goes from its base parameters
    (beta = 0) to its own (beta = 1), along natural parameters. Beta is a number, or
    one per row: (n_rows, 1).
    """

    base: tuple
    beta: object


def between(base, eta, beta):
    """Natural parameters on the way from a base model's (beta = 0)."""
    return tree_map(lambda start, end: start + beta * (end - start), base, eta)


def tiled(params):
    """Parameters as kernels want them; see :class:`~skdgm.couplings.Weights`."""
    return Params(params.units, tuple(map(Weights.of, params.couplings)))


def plain(params):
    """Parameters with arrays for couplings."""
    couplings = (getattr(W, "W", W) for W in params.couplings)
    return Params(params.units, tuple(couplings))


def forms(params):
    """Weights in the tiles that send upwards, and in those that send downwards."""
    return tuple(zip(*params.couplings))


def n_weights(params):
    """How many tiled weights there are."""
    return sum(weights.size for weights in params.couplings)
