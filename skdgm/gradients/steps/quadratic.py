r"""The gradient by the parameters of an energy with a quadratic penalty of weights.

.. math:: E'(v, h) = E(v, h) + \sum_j h_j \, \tfrac12 \sum_i \beta_i W_{ij}^2

is :math:`\tfrac12 (v - W h)^\top \beta (v - W h)` without the terms of two hidden
units [1]_: units with large weights to precise columns tend to be off. It is the plain
energy with other biases, so only learning differs. While the bias :math:`c' = c +
\tfrac12 \sum_i \beta_i W_{ij}^2` is fixed, that of the plain energy changes with
weights and precisions:

.. math:: \Delta W'_{ij} = \Delta W_{ij} - \beta_i W_{ij} \Delta c_j, \qquad
   \Delta \log\beta'_i = \Delta \log\beta_i - \tfrac12 \beta_i \sum_j W_{ij}^2
   \Delta c_j.

References
----------
.. [1] Goodfellow, Bengio and Courville (2016). Deep Learning, equation 20.41. MIT
   Press.
"""

import numpy as np

from skdgm.couplings import Contrast


def shift(energy, params):
    """Differences of the two energies' biases, c' - c: a dictionary with an array of
    shape (size,) for each block above real units."""
    shifts = {}
    for _, _, j, W, precision in _links(energy, params):
        shifts[j] = shifts.get(j, 0) + 0.5 * precision @ (W * W)
    return shifts


def convert(energy, params, grad):
    """Convert the gradient by plain parameters to one by those of the other energy.
    Weights in ``params`` are ndarrays."""
    units, couplings = list(grad.units), list(grad.couplings)
    for number, i, j, W, precision in _links(energy, params):
        lost = precision[:, None] * W * energy.units[j].bias_of(grad.units[j])
        couplings[number] = Contrast.of(np.asarray(couplings[number]) - lost)
        step = energy.units[i].learned(-0.5 * (lost * W).sum(axis=1))
        step = units[i].log_precision + step
        units[i] = units[i]._replace(log_precision=step)
    return grad._replace(units=tuple(units), couplings=tuple(couplings))


def correct(energy, params, before):
    """Correct the plain biases after an update, in place, so that it changes those of
    the other energy by as much as it changed the plain ones. ``before`` is what
    :func:`shift` returned before it."""
    for block, new in shift(energy, params).items():
        params.units[block][...] += before[block] - new


def _links(energy, params):
    """Iterate over the couplings of real blocks: number, both blocks, weights and
    precisions."""
    for i, j, number in energy.own_links:
        if energy.units[i].form == "normal":
            precision = np.exp(params.units[i].log_precision)
            yield number, i, j, params.couplings[number], precision
