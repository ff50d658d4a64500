r"""Parameters of energies, paths between models, and gradients.

The gradient of the log-likelihood is

.. math:: \left\langle -\frac{\partial E}{\partial\theta} \right\rangle_x -
   \left\langle -\frac{\partial E}{\partial\theta} \right\rangle_{x'}

for states x of the positive phase and x' of the negative phase.
"""

from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np

from skdgm.couplings import Weights
from skdgm.utils.tree import leaves, tree_map


class Params(NamedTuple):
    """Parameters of a model, or a gradient with respect to them.

    Parameters
    ----------
    units : tuple
        For each block its biases of shape (size,), or a tree of arrays. In a
        conditional model, biases may have the shape (n_rows, size). Natural parameters,
        marginals, samples, means and log Z then differ between rows.
    couplings : tuple
        For each coupling an ndarray of shape (n_below, n_above) or a
        :class:`~skdgm.couplings.Weights`; in gradients a
        :class:`~skdgm.couplings.Contrast`.
    """

    units: tuple
    couplings: tuple

    @property
    def dtype(self) -> np.dtype:
        """Data type of the arrays, float32 or float64."""
        return leaves(self.units)[0].dtype

    @property
    def n_conditions(self) -> int | None:
        """Number of rows of biases that differ between rows; None if all rows share
        them."""
        return next((len(a) for a in leaves(self.units) if a.ndim > 1), None)

    def take(self, rows: slice | np.ndarray | int) -> Self:
        """Parameters of the rows in a slice or index array; for an int, without a row
        axis."""
        return self._replace(
            units=tree_map(lambda a: a[rows] if a.ndim > 1 else a, self.units)
        )


class Path(NamedTuple):
    r"""A model between a base model without couplings and the model itself.

    .. math:: \eta_i(\beta) = \eta_i^0 + \beta (\eta_i - \eta_i^0)

    Couplings are multiplied by beta. Natural parameters of units are interpolated
    linearly, from the base model (beta = 0) to the model (beta = 1).

    Parameters
    ----------
    base : tuple
        Parameters of each block in the base model.
    beta : float or ndarray of shape (n_rows, 1)
        Inverse temperature, of all rows or of each row.
    """

    base: tuple
    beta: Any


def n_rows(x):
    """Number of rows of a state, in which values of some blocks may be None."""
    return max(len(part) for part in x if part is not None)


def between(base, eta, beta):
    """Natural parameters interpolated between a base model (beta = 0) and ``eta`` (beta
    = 1)."""
    return tree_map(lambda start, end: start + beta * (end - start), base, eta)


def tiled(params):
    """Convert couplings to :class:`~skdgm.couplings.Weights`, which kernels need."""
    return Params(params.units, tuple(map(Weights.of, params.couplings)))


def plain(params):
    """Convert couplings to ndarrays."""
    couplings = (getattr(W, "W", W) for W in params.couplings)
    return Params(params.units, tuple(couplings))


def forms(params):
    """Tiles of the weights of all couplings, and tiles of their transposes: two
    tuples."""
    return tuple(zip(*params.couplings))


def n_weights(params):
    """Number of weights of all couplings, which must be tiled."""
    return sum(weights.size for weights in params.couplings)


def contrast(energy, params, x, x_model):
    """Mean of -dE/dtheta over the rows of x, minus its mean over the rows of x_model.
    ``x`` and ``x_model`` are tuples of {ndarray, Lists} of shape (n_rows, size): values
    or means of each block in the positive and in the negative phase. The result is a
    Params with a :class:`~skdgm.couplings.Contrast` for each coupling, whose product is
    only computed when it is needed."""
    blocks = range(len(energy.units))
    T, T_model = (
        [energy.statistic(params, state, block) for block in blocks]
        for state in (x, x_model)
    )
    means, means_model = (
        tuple(_unit_gradient(energy, params, state, block) for block in blocks)
        for state in (x, x_model)
    )
    couplings = {}
    for i, j, number in energy.links:
        coupling = energy.couplings[number]
        gradient = coupling.contrast(T[i], T[j], T_model[i], T_model[j])
        earlier = couplings.get(number)
        couplings[number] = gradient if earlier is None else earlier.plus(gradient, 1.0)
    for number, gradient in _of_factors(energy, params, T, T_model):
        earlier = couplings.get(number)
        couplings[number] = gradient if earlier is None else earlier.plus(gradient, 1.0)
    return Params(
        tree_map(np.subtract, means, means_model),
        tuple(couplings[number] for number in range(len(energy.couplings))),
    )


def _of_factors(energy, params, T, T_model):
    """Number and gradient of the coupling of each block to the factors of three-way
    links. The other two blocks act on it like a neighbor whose values are their
    product."""
    for blocks, numbers in energy.triples:
        sent = [
            [
                energy.couplings[k].send(params.couplings[k], stats[block], True)
                for block, k in zip(blocks, numbers)
            ]
            for stats in (T, T_model)
        ]
        for place, (block, number) in enumerate(zip(blocks, numbers)):
            first, second = (end for end in range(3) if end != place)
            data, model = (stats[first] * stats[second] for stats in sent)
            coupling = energy.couplings[number]
            yield number, coupling.contrast(T[block], data, T_model[block], model)


def _unit_gradient(energy, params, x, block):
    """Mean of -dE/dtheta for the parameters of a block."""
    received = partial(energy.received, params, x, block)
    grad = energy.units[block].param_grad(params.units[block], x[block], received)
    return tree_map(mean_row, grad)


def mean_row(x):
    """Mean over rows; ``ndarray.mean`` takes three times as long for few rows."""
    if isinstance(x, np.ndarray):
        return np.add.reduce(x, axis=0) * x.dtype.type(1 / len(x))
    return x.mean(axis=0)
