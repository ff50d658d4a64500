r"""The gradient by the standardised weights of real units.

The effect of a hidden unit on a real one is best measured in the conditional standard
deviations of the real one. In the coordinates

.. math:: \tilde b = \sqrt\lambda \odot b, \qquad \tilde W = \sqrt\lambda \odot W,
   \qquad \log\lambda

a step along the gradient is, in the plain parameters,

.. math:: \Delta_n b = \lambda^{-1} \odot \Delta b, \qquad \Delta_n W = \lambda^{-1}
   \odot \Delta W, \qquad \Delta_n \log\lambda = \Delta \log\lambda - \tfrac12
   \Big(b \odot \Delta b + \sum_j W_{:j} \odot \Delta W_{:j}\Big),

after which b and W are multiplied by :math:`\sqrt{\lambda_{\text{old}} /
\lambda_{\text{new}}}`. The division is by the Fisher information of a mean [1]_: steps
are of equal length at any precision. (Adam rescales steps itself, and fast weights
learn in plain coordinates.) If visible and hidden units of the chains are in
equilibrium or at a fixed point together, the gradient of a log precision becomes

.. math:: \tfrac12 - \tfrac12 \lambda \, \mathbb{E}_{\text{data}}[v (v - W h - b)],

which does not depend on the chains, whose estimates lag where units are precise.

The effects of a step on a field, and through the hidden units on a mean, add up over
all units: its curvature is of the order of

.. math:: L = \tfrac18 \sum_i \lambda_i + \tfrac1{16} n_h,

so steps are shortened to :math:`\epsilon / (1 + \epsilon L)`, and do not overshoot.
Without centring the means of hidden units, of about 1/2, add up as well: their part is
:math:`\tfrac14 n_h` then.
The effects of a filter add up over its positions, and its steps are shortened likewise.

Counts have such precisions as well: statistics are divided by the deviation of all
rows, and have the variance :math:`1 / \lambda` given the hidden units. Without the
division high counts would learn :math:`\lambda` times as slowly.

References
----------
.. [1] Amari (1998). Natural gradient works efficiently in learning. Neural Computation.
"""

import numpy as np

from skdgm.couplings import Conv
from skdgm.energies import Params


def natural(energy, params, grad, counts=True):
    r"""Divide the gradient by biases and weights of visible real units, and of counts,
    by the units' information: :math:`\Delta_n b` and :math:`\Delta_n W`."""
    units, couplings = list(grad.units), list(grad.couplings)
    for block, factor in longer(energy, params, counts).items():
        unit, own = energy.units[block], units[block]
        units[block] = unit.with_bias(own, unit.bias_of(own) * factor)
        for link in energy.weights_of(block):
            couplings[link] = couplings[link].scaled(factor)
    return Params(tuple(units), tuple(couplings))


def longer(energy, params, counts=True):
    """Factors of :func:`natural`, the inverse information of biases: a dictionary with
    an array of shape (size,) for each block of real units, and of ``counts`` beside
    units with limits."""
    found = {}
    for block in energy.layers[0]:
        unit = energy.units[block]
        factor = unit.inverse_information(params.units[block])
        if factor is None:
            continue
        # Above counts, units without limits are pushed far by long steps.
        beside = (energy.units[other] for other in energy.beside(block))
        if unit.form == "normal" or (counts and all(map(_bounded, beside))):
            found[block] = factor
    return found if found and energy.own_links else {}


def standardised(energy, params, grad):
    r"""Gradient by log precisions with standardised weights fixed,
    :math:`\Delta_n \log\lambda`, and by other parameters as it is.

    Call it before centring, which it ignores. Weights in ``params`` are ndarrays.
    """
    units = list(grad.units)
    for block, own in _real(energy, params):
        along = own.mean * units[block].mean
        for link in energy.weights_of(block):
            coupling, W = energy.couplings[link], params.couplings[link]
            along += _along(coupling, W, grad.couplings[link])
        step = energy.units[block].learned(-0.5 * along)
        step += units[block].log_precision
        units[block] = units[block]._replace(log_precision=step)
    return grad._replace(units=tuple(units))


def deviations(energy, params):
    """Conditional standard deviations of real units: a dictionary with an array of
    shape (size,) for each block."""
    real = _real(energy, params)
    return {block: np.exp(-0.5 * own.log_precision) for block, own in real}


def rescale(energy, params, before):
    """Limit precisions and rescale means and weights of real units, in place, so that
    the standardised ones do not change by an update of precisions. ``before`` are the
    :func:`deviations` before it."""
    for block, own in _real(energy, params):
        energy.units[block].constrain(own)
        factor = np.exp(-0.5 * own.log_precision) / before[block]
        np.multiply(own.mean, factor, out=own.mean)
        for link in energy.weights_of(block):
            energy.couplings[link].stretch(params.couplings[link], factor)


def damped(energy, params, rate, centred=True):
    r"""Learning rate reduced for numbers, :math:`\epsilon / (1 + \epsilon L)`, and
    so for filters, with a tenth of the number of their positions in the place of L;
    ``centred`` says whether the gradient is."""
    shared = (c.window.n_positions for c in energy.couplings if isinstance(c, Conv))
    rate = rate / (1 + rate * max(shared, default=0) / 10)
    # Real blocks first: the order of factors matters to the last bit.
    units = energy.units
    for block in sorted(range(len(units)), key=lambda b: units[b].form != "normal"):
        unit = units[block]
        total = unit.curvature(params.units[block])
        if total is None:
            continue
        beside = [units[other] for other in energy.beside(block)]
        n_hidden = sum(unit.size for unit in beside)
        # A unit below a filter has few of the maps' units beside it.
        if not centred and not convolved(energy, block):
            n_hidden *= 4
        if any(o.exponential if unit.scaled else not _bounded(o) for o in beside):
            # Nothing saturates: effects of correlated units add up in neighbours, too.
            total *= unit.size
        rate = rate / (1 + rate * (total / 8 + n_hidden / 16))
    return rate


def _bounded(unit):
    """Whether a statistic of a block has limits on both sides."""
    return all(np.isfinite(end).all() for end in unit.ends)


def convolved(energy, block):
    """Whether filters are learned from a block."""
    links = energy.neighbours(block)
    return any(isinstance(energy.couplings[link], Conv) for link, _, _ in links)


def _real(energy, params):
    """Iterate over the real blocks' numbers and parameters."""
    for block, (unit, own) in enumerate(zip(energy.units, params.units)):
        if unit.form == "normal" and energy.own_links:
            yield block, own


def _along(coupling, W, part):
    """Sum over j of W times its gradient, not centred, for each unit below."""
    data, model = (
        (x * coupling.send(W, y, up=False)).sum(axis=0) / x.dtype.type(max(1, len(x)))
        for x, y in ((part.x, part.y), (part.x_model, part.y_model))
    )
    return data - model
