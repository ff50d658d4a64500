r"""Gradient of an energy with a quadratic penalty on weights.

.. math:: E'(v, h) = E(v, h) + \sum_j h_j \, \tfrac12 \sum_i \beta_i W_{ij}^2

The quadratic terms of E' are :math:`\tfrac12 (v - W h)^\top \beta (v - W h)` without
the products of two hidden units [1]_. Units with large weights to precise columns tend
to be off. E' is the plain energy with other hidden biases, so that only learning
differs. For a fixed bias :math:`c' = c + \tfrac12 \sum_i \beta_i W_{ij}^2`, the bias c
of the plain energy changes with weights and precisions:

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
    """Differences c' - c between the biases of both energies. Returns a dictionary with
    an array of shape (size,) for each block above real units."""
    shifts = {}
    for _, _, j, W, precision in _links(energy, params):
        shifts[j] = shifts.get(j, 0) + 0.5 * precision @ (W * W)
    return shifts


def convert(energy, params, grad):
    """Convert the gradient from the parameters of E to those of E'. Weights in
    ``params`` are ndarrays."""
    units, couplings = list(grad.units), list(grad.couplings)
    for number, i, j, W, precision in _links(energy, params):
        of_bias = precision[:, None] * W * energy.units[j].bias_of(grad.units[j])
        couplings[number] = Contrast.of(np.asarray(couplings[number]) - of_bias)
        step = energy.units[i].learned(-0.5 * (of_bias * W).sum(axis=1))
        step = units[i].log_precision + step
        units[i] = units[i]._replace(log_precision=step)
    return grad._replace(units=tuple(units), couplings=tuple(couplings))


def correct(energy, params, before):
    """Correct the biases c after an update, in place, such that c' has taken their
    step. ``before`` is the result of :func:`shift` before the update."""
    for block, new in shift(energy, params).items():
        params.units[block][...] += before[block] - new


def _links(energy, params):
    """Iterate over couplings of real blocks: their number, both blocks, weights and
    precisions."""
    for i, j, number in energy.unshared_links:
        if energy.units[i].form == "normal":
            precision = np.exp(params.units[i].log_precision)
            yield number, i, j, params.couplings[number], precision
