"""Parameters of energies, and paths between models."""

from typing import NamedTuple

from skdgm.couplings import Weights
from skdgm.utils.tree import leaves, tree_map


class Params(NamedTuple):
    """Parameters of a model, or a gradient by them.

    Parameters
    ----------
    units : tuple
        For each block its biases of shape (size,), or tree of arrays. In a conditional
        model biases may have the shape (n_rows, size): each row has its own, so that
        natural parameters, marginals, samples, means and log Z differ by row.
    couplings : tuple
        For each coupling an ndarray of shape (n_below, n_above) or a
        :class:`~skdgm.couplings.Weights`; in gradients a
        :class:`~skdgm.couplings.Contrast`.
    """

    units: tuple
    couplings: tuple

    @property
    def dtype(self):
        """Data type of the arrays, float32 or float64."""
        return leaves(self.units)[0].dtype

    @property
    def n_conditions(self):
        """Number of rows of biases that differ by row; None if all rows share them."""
        return next((len(a) for a in leaves(self.units) if a.ndim > 1), None)

    def take(self, rows):
        """Parameters of some rows: a slice or an index array, or a number for one row
        that has the form of parameters without rows."""
        return self._replace(
            units=tree_map(lambda a: a[rows] if a.ndim > 1 else a, self.units)
        )


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


def n_rows(x):
    """Number of rows of a state, in which values of some blocks may be None."""
    return max(len(part) for part in x if part is not None)


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
