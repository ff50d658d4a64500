r"""Shorter steps by the parameters of real columns that have values far out.

A single value z of a column adds :math:`\tfrac12 z^2` to the curvature by its log
precision, and :math:`z^2` to that by a field. It is in a batch of n rows at some
updates only, which overshoot from :math:`\epsilon z^2 / n = 4` on. So steps by the
parameters of a column with values up to z, and what penalties take from its weights,
are multiplied by

.. math:: \min\left(1, \frac{n}{\epsilon z^2}\right),

which changes how fast they are learned, and not what is learned. Adam, whose steps
are up to 30 times as long where a gradient is rarely large, takes 10 / z of them.
"""

import numpy as np

from skdgm.energies import Params
from skdgm.gradients.steps.natural import convolved
from skdgm.utils.tree import tree_map

# Values that Adam's steps fit, in standard deviations.
_ADAPTED = 10.0


def slowed(energy, rate, reach, n_rows):
    r"""Factors :math:`\min(1, n / (\epsilon z^2))` on steps by the parameters of units:
    a dictionary with an array of shape (size,) for each block with one below 1.

    ``rate`` is damped, before its schedule and, with momentum, of all steps that a
    gradient adds to; None for Adam. ``reach`` has for blocks of real units the largest
    value of each, and ``n_rows`` is the number of rows in a batch.
    """
    found = {}
    for block, z in reach.items():
        excess = z / _ADAPTED if rate is None else rate / n_rows * z**2
        if (excess > 1).any():
            shared = convolved(energy, block)
            excess = np.full_like(z, excess.max()) if shared else excess
            found[block] = 1 / np.maximum(1, excess)
    return found


def shortened(energy, grad, factors):
    """Multiply the gradient by parameters of real units, and by their weights, by a
    factor for each unit; call it before centring, which needs the factors, too."""
    units, couplings = list(grad.units), list(grad.couplings)
    for block, factor in factors.items():
        own = units[block]
        factor = factor.astype(own.mean.dtype)
        # The step by a precision that all units share has a share of each value.
        alike = energy.units[block].precision == "scalar"
        by_precision = min(1, len(factor) * factor.min()) if alike else factor
        units[block] = own._replace(
            mean=own.mean * factor, log_precision=own.log_precision * by_precision
        )
        for link in energy.weights_of(block):
            couplings[link] = couplings[link].scaled(factor)
    return Params(tuple(units), tuple(couplings))


def copied(energy, params, factors):
    """Copies of the parameters of blocks with a factor, and of their weights."""
    own = {block: tree_map(np.copy, params.units[block]) for block in factors}
    links = {link for block in factors for link in energy.weights_of(block)}
    return own, {link: params.couplings[link].copy() for link in links}


def eased(energy, params, velocity, factors, before, rate, momentum, l1, l2):
    """Give back, in place, what penalties took too much of weights in a step of
    stochastic gradient ascent: they are shortened as the gradient is. ``before`` are
    the parameters that :func:`copied` returned before it."""
    for block, factor in factors.items():
        for link in energy.weights_of(block):
            W, old = params.couplings[link], before[1][link]
            back = (rate * (l1 * np.sign(old) + l2 * old)).astype(W.dtype)
            energy.couplings[link].stretch(back, (1 - factor).astype(W.dtype))
            W += back
            if momentum:
                velocity.couplings[link][...] += back


def take_back(energy, params, factors, before):
    """Multiply the step of the parameters of units, and of their weights, by a factor
    for each unit, in place. ``before`` are the parameters that :func:`copied` returned
    before the step."""
    units, couplings = before
    for block, factor in factors.items():
        own, was = params.units[block], units[block]
        alike = energy.units[block].precision == "scalar"
        of_precision = factor.min() if alike else factor
        own.mean[:] = was.mean + factor * (own.mean - was.mean)
        step = own.log_precision - was.log_precision
        own.log_precision[:] = was.log_precision + of_precision * step
        for link in energy.weights_of(block):
            W, old = params.couplings[link], couplings[link]
            W -= old
            energy.couplings[link].stretch(W, factor.astype(W.dtype))
            W += old
