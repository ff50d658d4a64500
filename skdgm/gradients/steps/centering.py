r"""The centered gradient.

If offsets are subtracted from the statistics, :math:`(T(v) - \mu)^\top W (h -
\lambda)`, the gradient of the weights consists of covariances instead of joint means.
It does not depend on the coding of units as zeros and ones, and the gradient of the
biases no longer contains that of the weights [1]_ [2]_. Without centering, all weights
of a unit shift its field like a bias does, :math:`\lambda^\top \lambda` times as far.
Step sizes that suit few units then overshoot with many units; :func:`overshoots`
detects this. With the parameters of the plain energy, the centered gradient is

.. math:: \Delta W_c = \Delta W - \mu \, \Delta c^\top - \Delta b \, \lambda^\top,
   \qquad \Delta b_c = \Delta b - \Delta W_c \lambda,
   \qquad \Delta c_c = \Delta c - \Delta W_c^\top \mu .

The corrections of the biases must match the step of the weights.
:func:`~skdgm.gradients.steps.natural.natural` later divides this step by the
information of real units and counts. In the last term, the offset :math:`\mu` times the
precision or gain is therefore divided by the information, too. Gradients of three-way
couplings are not centered.

An adaptive optimizer scales each coordinate separately, which undoes these corrections.
It receives the plain gradient of the biases, and :func:`recenter` then corrects the
biases by the actual steps of the weights, :math:`b \leftarrow b - (W_\text{new} -
W_\text{old}) \lambda`.

References
----------
.. [1] Montavon and Müller (2012). Deep Boltzmann machines and the centering trick.
   Neural Networks: Tricks of the Trade.
.. [2] Melchior, Fischer and Wiskott (2016). How to center deep Boltzmann machines.
   JMLR.
"""

import numpy as np

from skdgm.couplings import Conv
from skdgm.energies import Params, mean_row
from skdgm.gradients.steps.natural import longer

# Weight of the last batch's means in the running means.
RATE = 0.01
# Largest shift of a field by the weights, in nats, from which units recover; largest
# difference between the means of a unit in both phases.
_MAX_SHIFT, _MAX_DIFFERENCE = 8.0, 0.5


def overshoots(energy, offsets, rate, adaptive):
    r"""Return whether a step of the plain gradient is too long for a wide layer. The
    step may shift a field by :math:`\tfrac12 \epsilon \lambda^\top \lambda`, for
    offsets :math:`\lambda` of the units of a neighbor. Steps of an ``adaptive``
    optimizer have about the same length in all coordinates, and may shift it by
    :math:`\epsilon \sum_j |\lambda_j|`."""
    size = np.abs if adaptive else np.square
    for i, j, number in energy.links:
        for block, up in ((i, True), (j, False)):
            coupling, weight = energy.couplings[number], size(offsets[block])[None]
            if isinstance(coupling, Conv):
                ones = np.ones((coupling.window.n_numbers, coupling.n_maps))
                weight = coupling.send(ones, weight, up)[0].max(keepdims=True)
            if rate * float(weight.sum()) > (
                _MAX_SHIFT if adaptive else _MAX_SHIFT / _MAX_DIFFERENCE
            ):
                return True
    return False


def center(energy, params, grad, offsets, factors=None, counts=True):
    """Center the plain gradient; call before
    :func:`~skdgm.gradients.steps.natural.natural`. ``offsets`` has the offset of each
    block. ``factors`` are the arguments of ``outliers.shortened``, by which the
    gradient was multiplied. ``counts`` says whether the gradient of counts will be
    divided by their information."""
    T = [
        unit.statistic(unit_params, offset)
        for unit, unit_params, offset in zip(energy.units, params.units, offsets)
    ]
    biases = [
        unit.bias_of(unit_params) for unit, unit_params in zip(energy.units, grad.units)
    ]
    corrections, couplings = (
        [np.zeros_like(bias) for bias in biases],
        list(grad.couplings),
    )
    later_factors = longer(energy, params, counts)
    for i, j, number in energy.unshared_links:
        part = couplings[number]
        mu = shift = T[i]
        if factors and i in factors:
            mu = mu * factors[i].astype(mu.dtype)
        if i in later_factors:
            real = energy.units[i].form == "normal"
            shift = offsets[i] if real else shift * later_factors[i]
        part, of_below, of_above = part.center(biases[i], biases[j], mu, T[j], shift)
        corrections[i] += of_below
        corrections[j] += of_above
        couplings[number] = part
    units = tuple(
        unit.with_bias(unit_params, bias - correction)
        for unit, unit_params, bias, correction in zip(
            energy.units, grad.units, biases, corrections
        )
    )
    return Params(units, tuple(couplings))


def weights_only(grad, centered):
    """Plain gradient of the biases, with the centered gradient of the weights."""
    return centered._replace(units=grad.units)


def recenter(energy, params, before, offsets):
    """Correct biases, in place, so that a step of the weights leaves fields at the
    offsets fixed. ``before`` are the weights before the step; weights are matrices."""
    T = [
        unit.statistic(unit_params, offset)
        for unit, unit_params, offset in zip(energy.units, params.units, offsets)
    ]
    for i, j, number in energy.unshared_links:
        step = params.couplings[number] - before[number]
        for block, correction in ((i, step @ T[j]), (j, T[i] @ step)):
            bias = energy.units[block].bias_of(params.units[block])
            bias -= correction.astype(bias.dtype)


def running_means(offsets, data, model=None):
    """Update offsets as running means of the positive phase, or of the mean of both
    phases."""
    targets = [mean_row(x) for x in data]
    if model is not None:
        targets = [(a + mean_row(x)) / 2 for a, x in zip(targets, model)]
    return tuple(
        offset + offset.dtype.type(RATE) * (target - offset)
        for offset, target in zip(offsets, targets)
    )
