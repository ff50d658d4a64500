r"""The gradient by parameters of an energy in which strong units are held back.

.. math:: E'(v, h) = E(v, h) + \sum_j h_j \, \tfrac12 \sum_i \beta_i W_{ij}^2

is what is left of :math:`\tfrac12 (v - W h)^\top \beta (v - W h)` without the terms of
two hidden units [1]_: units with large weights on precise columns tend to be off. It is
the plain energy with other biases, so what differs is how it learns. While the bias
:math:`c' = c + \tfrac12 \sum_i \beta_i W_{ij}^2` is as it is, the plain energy's keeps
up with weights and precisions:

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
from skdgm.units import Gaussian


def shift(energy, params):
    """How far the biases of each block are apart: c' - c; zero for most."""
    shifts = [np.zeros((), params.dtype)] * len(energy.units)
    for _, (_, j), W, precision in _links(energy, params):
        shifts[j] = shifts[j] + 0.5 * precision @ (W * W)
    return shifts


def pull(energy, params, grad):
    """The gradient by the other energy's parameters."""
    units, couplings = list(grad.units), list(grad.couplings)
    for number, (i, j), W, precision in _links(energy, params):
        unit, above = energy.units[i], energy.units[j].bias_of(grad.units[j])
        lost = precision[:, None] * W * above
        couplings[number] = Contrast.of(np.asarray(couplings[number]) - lost)
        by_precision = -0.5 * (lost * W).sum(axis=1)
        slope = units[i].log_precision + unit.learned(by_precision)
        units[i] = units[i]._replace(log_precision=slope)
    return grad._replace(units=tuple(units), couplings=tuple(couplings))


def keep(energy, params, before):
    """Let the plain biases follow, in place, so that the other energy's are as they
    are after an update, given their distance before it."""
    for block, (old, new) in enumerate(zip(before, shift(energy, params))):
        if np.ndim(new):
            params.units[block][...] += old - new


def _links(energy, params):
    """The couplings of real blocks: number, both blocks, weights and precisions."""
    links = zip(energy.wiring.links, params.couplings)
    for number, ((i, j, _), W) in enumerate(links):
        if isinstance(energy.units[i], Gaussian):
            yield number, (i, j), W, np.exp(params.units[i].log_precision)
