r"""Gradient with respect to the standardized weights of real units.

The influence of a hidden unit on a real unit is measured in conditional standard
deviations of the real unit. In the coordinates

.. math:: \tilde b = \sqrt\lambda \odot b, \qquad \tilde W = \sqrt\lambda \odot W,
   \qquad \log\lambda

a step along the gradient is, in the plain parameters,

.. math:: \Delta_n b = \lambda^{-1} \odot \Delta b, \qquad \Delta_n W = \lambda^{-1}
   \odot \Delta W, \qquad \Delta_n \log\lambda = \Delta \log\lambda - \tfrac12
   \Big(b \odot \Delta b + \sum_j W_{:j} \odot \Delta W_{:j}\Big),

after which b and W are multiplied by :math:`\sqrt{\lambda_{\text{old}} /
\lambda_{\text{new}}}`. The division is by the Fisher information of a mean [1]_, so
that the length of steps does not depend on the precision. (Adam rescales steps itself,
and fast weights learn in the plain coordinates.) If visible and hidden units of the
chains are jointly in equilibrium, or at a fixed point, the gradient of a log precision
becomes

.. math:: \tfrac12 - \tfrac12 \lambda \, \mathbb{E}_{\text{data}}[v (v - W h - b)],

which does not depend on the chains. Estimates from chains lag behind for high
precisions.

The effects of a step on fields, and through hidden units on means, add up over all
units. The curvature is of the order of

.. math:: L = \tfrac18 \sum_i \lambda_i + \tfrac1{16} n_h,

so that steps are shortened to :math:`\epsilon / (1 + \epsilon L)`, which prevents
overshooting. Without centering, the means of hidden units, about 1/2, also add up, and
their term is :math:`\tfrac14 n_h`. The effects of a filter add up over its positions,
and its steps are shortened in the same way.

Counts have precisions as well: their statistics are divided by the standard deviation
of all rows, and have the variance :math:`1 / \lambda` given the hidden units. Without
the division, high counts would learn :math:`\lambda` times as slowly.

References
----------
.. [1] Amari (1998). Natural gradient works efficiently in learning. Neural Computation.
"""

import numpy as np

from skdgm.couplings import Conv
from skdgm.energies import Params


def natural(energy, params, grad, counts=True):
    r"""Divide the gradient of visible real units and counts by their Fisher
    information. This gives :math:`\Delta_n b` and :math:`\Delta_n W`."""
    units, couplings = list(grad.units), list(grad.couplings)
    for block, factor in longer(energy, params, counts).items():
        unit, unit_grad = energy.units[block], units[block]
        units[block] = unit.with_bias(unit_grad, unit.bias_of(unit_grad) * factor)
        for link in energy.weights_of(block):
            couplings[link] = couplings[link].scaled(factor)
    return Params(tuple(units), tuple(couplings))


def longer(energy, params, counts=True):
    """Inverse information of biases, by which :func:`natural` multiplies the gradient.
    Returns a dictionary with an array of shape (size,) for each block of real units.
    With ``counts``, blocks of counts are included if their neighbors are bounded."""
    factors = {}
    for block in energy.layers[0]:
        unit = energy.units[block]
        factor = unit.inverse_information(params.units[block])
        if factor is None:
            continue
        # Long steps for counts would push unbounded neighbors too far.
        neighbors = (energy.units[other] for other in energy.neighbor_blocks(block))
        if unit.form == "normal" or (counts and all(map(_bounded, neighbors))):
            factors[block] = factor
    return factors if factors and energy.unshared_links else {}


def standardized(energy, params, grad):
    r"""Gradient of log precisions with standardized weights fixed, :math:`\Delta_n
    \log\lambda`. The gradient of all other parameters is unchanged. Call it before
    centering. Weights in ``params`` are ndarrays."""
    units = list(grad.units)
    for block, unit_params in _real(energy, params):
        inner = unit_params.mean * units[block].mean
        for link in energy.weights_of(block):
            coupling, W = energy.couplings[link], params.couplings[link]
            inner += _along(coupling, W, grad.couplings[link])
        step = energy.units[block].learned(-0.5 * inner)
        step += units[block].log_precision
        units[block] = units[block]._replace(log_precision=step)
    return grad._replace(units=tuple(units))


def deviations(energy, params):
    """Conditional standard deviations of real units. Returns a dictionary with an array
    of shape (size,) for each block."""
    real_blocks = _real(energy, params)
    return {
        block: np.exp(-0.5 * unit_params.log_precision)
        for block, unit_params in real_blocks
    }


def rescale(energy, params, before):
    """Limit precisions, and rescale means and weights of real units, in place. The
    standardized means and weights stay fixed during the update of precisions.
    ``before`` is the result of :func:`deviations` before the update."""
    for block, unit_params in _real(energy, params):
        energy.units[block].constrain(unit_params)
        factor = np.exp(-0.5 * unit_params.log_precision) / before[block]
        np.multiply(unit_params.mean, factor, out=unit_params.mean)
        for link in energy.weights_of(block):
            energy.couplings[link].stretch(params.couplings[link], factor)


def damped(energy, params, rate, centered=True):
    r"""Learning rate reduced for real units and counts, :math:`\epsilon / (1 + \epsilon
    L)`. For filters, L is a tenth of the number of positions. ``centered`` says whether
    the gradient is centered."""
    shared = (c.window.n_positions for c in energy.couplings if isinstance(c, Conv))
    rate = rate / (1 + rate * max(shared, default=0) / 10)
    # Real blocks first, since the order of factors changes the rounding.
    units = energy.units
    for block in sorted(range(len(units)), key=lambda b: units[b].form != "normal"):
        unit = units[block]
        total = unit.curvature(params.units[block])
        if total is None:
            continue
        neighbors = [units[other] for other in energy.neighbor_blocks(block)]
        n_hidden = sum(unit.size for unit in neighbors)
        # A unit below filters is linked to few units of the maps.
        if not centered and not convolved(energy, block):
            n_hidden *= 4
        if any(
            neighbor.exponential if unit.scaled else not _bounded(neighbor)
            for neighbor in neighbors
        ):
            # Without saturation, effects of correlated units also add up in neighbors.
            total *= unit.size
        rate = rate / (1 + rate * (total / 8 + n_hidden / 16))
    return rate


def _bounded(unit):
    """Return whether the statistics of a unit are bounded on both sides."""
    return all(np.isfinite(end).all() for end in unit.ends)


def convolved(energy, block):
    """Return whether a block is linked by filters."""
    links = energy.neighbors(block)
    return any(isinstance(energy.couplings[link], Conv) for link, _, _ in links)


def _real(energy, params):
    """Iterate over the numbers and parameters of real blocks."""
    for block, (unit, unit_params) in enumerate(zip(energy.units, params.units)):
        if unit.form == "normal" and energy.unshared_links:
            yield block, unit_params


def _along(coupling, W, part):
    """Sum over j of W times its plain gradient, for each unit below."""
    data, model = (
        (x * coupling.send(W, y, up=False)).sum(axis=0) / x.dtype.type(max(1, len(x)))
        for x, y in ((part.x, part.y), (part.x_model, part.y_model))
    )
    return data - model
