"""Parameters of layered models, and paths between models."""

from typing import NamedTuple

from skdgm.couplings import Weights
from skdgm.utils.tree import leaves, tree_map


class Params(NamedTuple):
    """Parameters of a model, or a gradient by them.

    Parameters
    ----------
    units : tuple
        For each block its array of biases, or tree of arrays.
    couplings : tuple
        For each link an ndarray of shape (n_below, n_above) or a
        :class:`~skdgm.couplings.Weights`; in gradients a
        :class:`~skdgm.couplings.Contrast`.
    """

    units: tuple
    couplings: tuple

    @property
    def dtype(self):
        """Data type of the arrays, float32 or float64."""
        return leaves(self.units)[0].dtype


class Path(NamedTuple):
    r"""A model between a base model without couplings and the model itself.

    .. math:: \eta_i(\beta) = \eta_i^0 + \beta (\eta_i - \eta_i^0)

    Couplings are multiplied by beta; each unit goes from its base parameters
    (beta = 0) to its own (beta = 1), linearly in natural parameters.

    Parameters
    ----------
    base : tuple
        Parameters of each block in the base model.
    beta : float or ndarray of shape (n_rows, 1)
        One for all rows, or one per row.
    """

    base: tuple
    beta: object


def between(base, eta, beta):
    """Interpolate natural parameters from those of a base model (beta = 0)."""
    return tree_map(lambda start, end: start + beta * (end - start), base, eta)


def tiled(params):
    """Convert couplings to :class:`~skdgm.couplings.Weights`, which kernels need."""
    return Params(params.units, tuple(map(Weights.of, params.couplings)))


def plain(params):
    """Convert couplings to ndarrays."""
    couplings = (getattr(W, "W", W) for W in params.couplings)
    return Params(params.units, tuple(couplings))


def forms(params):
    """Tiles of the weights of all couplings, and of their transposes: two tuples."""
    return tuple(zip(*params.couplings))


def n_weights(params):
    """Number of weights of all couplings, which are tiled."""
    return sum(weights.size for weights in params.couplings)
