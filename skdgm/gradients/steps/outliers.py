r"""Shorter steps for the parameters of real columns with outliers.

A single value z of a column adds :math:`\tfrac12 z^2` to the curvature with respect to
its log precision, and :math:`z^2` to the curvature with respect to a field. It occurs
in a batch of n rows only at some updates, which overshoot if :math:`\epsilon z^2 / n >
4`. The steps of all parameters of a column with values up to z, including the steps by
penalties on its weights, are therefore multiplied by

.. math:: \min\left(1, \frac{n}{\epsilon z^2}\right),

which changes the speed of learning, but not its limit. Steps of Adam are up to 30 times
longer if a gradient is rarely large; they are multiplied by 10 / z.
"""

from typing import NamedTuple

import numpy as np

from skdgm.energies import Params
from skdgm.gradients.steps.natural import convolved
from skdgm.utils.tree import tree_map

# Largest value for which Adam's steps are not shortened, in standard deviations.
_ADAPTED = 10.0


class Before(NamedTuple):
    """Copies of the parameters of blocks and of their weights before a step, by number;
    ``factors`` shorten the steps of the blocks."""

    factors: dict
    units: dict
    couplings: dict


def step_factors(energy, rate, reach, n_rows):
    r"""Factors :math:`\min(1, n / (\epsilon z^2))` on the steps of the parameters of
    units. Returns a dictionary with an array of shape (size,) for each block with a
    factor below 1. ``rate`` is the damped learning rate before its schedule; with
    momentum, the sum of the rates of all steps to which a gradient contributes; None
    for Adam. ``reach`` has the largest value of each unit in blocks of real units, and
    ``n_rows`` is the batch size."""
    factors = {}
    for block, z in reach.items():
        excess = z / _ADAPTED if rate is None else rate / n_rows * z**2
        if (excess > 1).any():
            is_shared = convolved(energy, block)
            excess = np.full_like(z, excess.max()) if is_shared else excess
            factors[block] = 1 / np.maximum(1, excess)
    return factors


def shortened(energy, grad, factors):
    """Multiply the gradient of real units and of their weights by a factor for each
    unit. Call it before centering, which also needs the factors."""
    units, couplings = list(grad.units), list(grad.couplings)
    for block, factor in factors.items():
        unit_grad = units[block]
        factor = factor.astype(unit_grad.mean.dtype)
        # The step of a precision that all units share averages over units.
        is_shared = energy.units[block].precision == "scalar"
        by_precision = min(1, len(factor) * factor.min()) if is_shared else factor
        units[block] = unit_grad._replace(
            mean=unit_grad.mean * factor,
            log_precision=unit_grad.log_precision * by_precision,
        )
        for link in energy.weights_of(block):
            couplings[link] = couplings[link].scaled(factor)
    return Params(tuple(units), tuple(couplings))


def copied(energy, params, factors):
    """Copy the parameters of blocks that have a factor, as :class:`Before`."""
    of_units = {block: tree_map(np.copy, params.units[block]) for block in factors}
    links = {link for block in factors for link in energy.weights_of(block)}
    return Before(
        factors, of_units, {link: params.couplings[link].copy() for link in links}
    )


def refund_penalty(energy, params, velocity, before, rate, l1, l2):
    """Undo, in place, the excess of penalty steps in stochastic gradient ascent, so
    that penalty steps of the weights are shortened like their gradient. ``velocity`` is
    None without momentum."""
    for block, factor in before.factors.items():
        for link in energy.weights_of(block):
            W, old = params.couplings[link], before.couplings[link]
            excess = (rate * (l1 * np.sign(old) + l2 * old)).astype(W.dtype)
            energy.couplings[link].stretch(excess, (1 - factor).astype(W.dtype))
            W += excess
            if velocity is not None:
                velocity.couplings[link][...] += excess


def scale_step(energy, params, before):
    """Multiply the step of units and of their weights by a factor for each unit, in
    place."""
    for block, factor in before.factors.items():
        current, previous = params.units[block], before.units[block]
        is_shared = energy.units[block].precision == "scalar"
        of_precision = factor.min() if is_shared else factor
        current.mean[:] = previous.mean + factor * (current.mean - previous.mean)
        step = current.log_precision - previous.log_precision
        current.log_precision[:] = previous.log_precision + of_precision * step
        for link in energy.weights_of(block):
            W, old = params.couplings[link], before.couplings[link]
            W -= old
            energy.couplings[link].stretch(W, factor.astype(W.dtype))
            W += old
