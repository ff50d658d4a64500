r"""Gradient of the log-likelihood from states of the data and of the model.

.. math:: \left\langle -\frac{\partial E}{\partial\theta} \right\rangle_x -
   \left\langle -\frac{\partial E}{\partial\theta} \right\rangle_{x'}
"""

from functools import partial

import numpy as np

from skdgm.energies.params import Params
from skdgm.utils.tree import tree_map


def contrast(energy, params, x, x_model):
    """Mean of the derivative of -E over the rows of x, less that of x_model.

    Parameters
    ----------
    energy : Energy
    params : Params
    x : tuple of {ndarray, Lists} of shape (n_rows, size)
        A value of each block in the positive phase; values may be means.
    x_model : tuple of {ndarray, Lists} of shape (n_chains, size)
        The same in the negative phase.

    Returns
    -------
    grad : Params
        For units the derivatives by their own parameters, for couplings a
        :class:`~skdgm.couplings.Contrast`, which is not multiplied out.
    """
    blocks = range(len(energy.units))
    T, T_model = (
        [energy.statistic(params, state, block) for block in blocks]
        for state in (x, x_model)
    )
    means, means_model = (
        tuple(_own(energy, params, state, block) for block in blocks)
        for state in (x, x_model)
    )
    couplings = {}
    for i, j, number in energy.links:
        coupling = energy.couplings[number]
        part = coupling.contrast(T[i], T[j], T_model[i], T_model[j])
        shared = couplings.get(number)
        couplings[number] = part if shared is None else shared.plus(part, 1.0)
    return Params(
        tree_map(np.subtract, means, means_model),
        tuple(couplings[number] for number in range(len(energy.couplings))),
    )


def _own(energy, params, x, block):
    """Mean derivative of -E by the parameters of a block."""
    received = partial(energy.received, params, x, block)
    grad = energy.units[block].param_grad(params.units[block], x[block], received)
    return tree_map(mean_row, grad)


def mean_row(x):
    """Mean over rows; ``ndarray.mean`` takes three times as long for few rows."""
    if isinstance(x, np.ndarray):
        return np.add.reduce(x, axis=0) * x.dtype.type(1 / len(x))
    return x.mean(axis=0)
