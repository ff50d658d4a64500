r"""The gradient by the means of real units, in units of what it can know.

How much a unit's value tells of its mean, the Fisher information, is its precision
:math:`\lambda`, to which the gradient is proportional; so the more precise the unit,
the longer the steps, and the shorter those under which learning is stable. Divided by
the information [1]_,

.. math:: \Delta b_n = \lambda^{-1} \odot \Delta b, \qquad \Delta W_n = \lambda^{-1}
   \odot \Delta W,

steps are as long at any precision. But what a step does to a field, and through the
hidden units to a mean, adds up over all units: its curvature is of the order of

.. math:: L = \tfrac18 \sum_i \lambda_i + \tfrac1{16} n_h,

by which steps are to be shortened, :math:`\epsilon / (1 + \epsilon L)`, so that none
overshoots.

References
----------
.. [1] Amari (1998). Natural gradient works efficiently in learning. Neural Computation.
"""

import numpy as np

from skdgm.energies import Params
from skdgm.units import Gaussian


def natural(energy, params, grad):
    """A gradient by the biases and weights of the real units of a bottom layer, divided
    by the units' precisions."""
    units, couplings = list(grad.units), list(grad.couplings)
    for block, (unit, own) in enumerate(zip(energy.units, params.units)):
        if isinstance(unit, Gaussian):
            variance = np.exp(-own.log_precision)
            units[block] = units[block]._replace(mean=units[block].mean * variance)
            for link, _, _ in energy.wiring.neighbours(block):
                couplings[link] = _scaled(couplings[link], variance)
    return Params(tuple(units), tuple(couplings))


def damped(energy, params, rate):
    """A learning rate, shortened where real units and their neighbours add up."""
    for block, (unit, own) in enumerate(zip(energy.units, params.units)):
        if isinstance(unit, Gaussian):
            beside = energy.wiring.neighbours(block)
            n_hidden = sum(energy.units[other].size for _, other, _ in beside)
            total = np.exp(own.log_precision).sum(dtype=float)
            rate = rate / (1 + rate * (total / 8 + n_hidden / 16))
    return rate


def _scaled(part, factor):
    """The gradient of a coupling with each row times its factor."""
    thin = (part.thin[0] * factor, part.thin[1]) if part.thin else ()
    return part._replace(x=part.x * factor, x_model=part.x_model * factor, thin=thin)
