r"""The gradient by the standardised weights of real units.

What a hidden unit does to a real one is best counted in the standard deviations that
the real one has then. In the coordinates

.. math:: \tilde b = \sqrt\lambda \odot b, \qquad \tilde W = \sqrt\lambda \odot W,
   \qquad \log\lambda

a step along the gradient is, in the plain parameters,

.. math:: \Delta_n b = \lambda^{-1} \odot \Delta b, \qquad \Delta_n W = \lambda^{-1}
   \odot \Delta W, \qquad \Delta_n \log\lambda = \Delta \log\lambda - \tfrac12
   \Big(b \odot \Delta b + \sum_j W_{:j} \odot \Delta W_{:j}\Big),

after which b and W take on the factor :math:`\sqrt{\lambda_{\text{old}} /
\lambda_{\text{new}}}`. The division is by the Fisher information of a mean [1]_: steps
are as long at any precision. (Adam counts steps in units of their own, and fast weights
learn in plain coordinates.) Where the chains' units go together, in equilibrium or
standing still, the slope of a precision comes to

.. math:: \tfrac12 - \tfrac12 \lambda \, \mathbb{E}_{\text{data}}[v (v - W h - b)],

in which chains, which fall behind where units are precise, have no say.

What a step does to a field, and through the hidden units to a mean, adds up over all
units: its curvature is of the order of

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
from skdgm.utils.products import matmul


def natural(energy, params, grad):
    """A gradient by the biases and weights of the real units of a bottom layer, divided
    by the units' precisions."""
    units, couplings = list(grad.units), list(grad.couplings)
    for block, own in _real(energy, params):
        variance = np.exp(-own.log_precision)
        units[block] = units[block]._replace(mean=units[block].mean * variance)
        for link, _, _ in energy.wiring.neighbours(block):
            couplings[link] = _scaled(couplings[link], variance)
    return Params(tuple(units), tuple(couplings))


def standardised(energy, params, grad):
    """A gradient by the log precisions while standardised weights are held, and by all
    else as it is."""
    units = list(grad.units)
    for block, own in _real(energy, params):
        along = own.mean * units[block].mean
        for link, _, _ in energy.wiring.neighbours(block):
            along += _along(grad.couplings[link], params.couplings[link])
        slope = energy.units[block].learned(-0.5 * along)
        slope += units[block].log_precision
        units[block] = units[block]._replace(log_precision=slope)
    return grad._replace(units=tuple(units))


def deviations(energy, params):
    """The real units' standard deviations given the hidden ones, by block."""
    real = _real(energy, params)
    return {block: np.exp(-0.5 * own.log_precision) for block, own in real}


def rescale(energy, params, before):
    """Let plain weights follow their units' deviations, kept within their limits, in
    place, so that standardised ones are what they were, given the deviations before
    an update."""
    for block, own in _real(energy, params):
        energy.units[block].constrain(own)
        factor = np.exp(-0.5 * own.log_precision) / before[block]
        np.multiply(own.mean, factor, out=own.mean)
        for link, _, _ in energy.wiring.neighbours(block):
            params.couplings[link][...] *= factor[:, None]


def damped(energy, params, rate):
    """A learning rate, shortened where real units and their neighbours add up."""
    for block, own in _real(energy, params):
        beside = energy.wiring.neighbours(block)
        n_hidden = sum(energy.units[other].size for _, other, _ in beside)
        total = np.exp(own.log_precision).sum(dtype=float)
        rate = rate / (1 + rate * (total / 8 + n_hidden / 16))
    return rate


def _real(energy, params):
    """The real blocks, and their own parameters."""
    for block, (unit, own) in enumerate(zip(energy.units, params.units)):
        if isinstance(unit, Gaussian):
            yield block, own


def _along(part, W):
    """The sums of each row of a coupling's gradient, not centred, times its weights."""
    data, model = (
        (x * matmul(np.asarray(y), W.T)).sum(axis=0) / x.dtype.type(max(1, len(x)))
        for x, y in ((part.x, part.y), (part.x_model, part.y_model))
    )
    return data - model


def _scaled(part, factor):
    """The gradient of a coupling with each row times its factor."""
    thin = (part.thin[0] * factor, part.thin[1]) if part.thin else ()
    return part._replace(x=part.x * factor, x_model=part.x_model * factor, thin=thin)
