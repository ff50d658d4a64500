r"""The centred gradient.

With statistics counted from offsets, :math:`(T(v) - \mu)^\top W (h - \lambda)`, the
gradient of the weights is that of correlations, not of joint means: it does not change
if zeros and ones of units are exchanged, and the gradient of the biases no longer
contains that of the weights [1]_ [2]_. Else all weights of a unit push its field as a
bias does, :math:`\lambda^\top \lambda` times as far: steps that suit few units
overshoot where these are many, and :func:`overshoots` says so. In the
parameters of the plain energy it is

.. math:: \Delta W_c = \Delta W - \mu \, \Delta c^\top - \Delta b \, \lambda^\top,
   \qquad \Delta b_c = \Delta b - \Delta W_c \lambda,
   \qquad \Delta c_c = \Delta c - \Delta W_c^\top \mu .

The corrections of the biases belong to the step that the weights take: since
:func:`natural` divides it by the information of real units and counts afterwards,
:math:`\mu`, the offset times the precision or the gain, is divided by it in the last
term already. The gradient of three-way couplings stays as it is.

An adaptive optimiser, which scales each coordinate by itself, undoes these corrections:
it takes the plain gradient of the biases, and :func:`recentre` moves these by what the
weights' own steps are, :math:`b \leftarrow b - (W_\text{new} - W_\text{old}) \lambda`.

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
# Change of a field, in nats, by what the weights of a step have of a bias, that units
# recover from; and largest difference of the means of a unit in both phases.
_MOST, _GAP = 8.0, 0.5


def overshoots(energy, offsets, rate, adaptive):
    r"""Return whether a step by the plain gradient is too long for a wide layer.

    It may change a field by :math:`\tfrac12 \epsilon \lambda^\top \lambda`, for
    offsets :math:`\lambda` of the units of a neighbour; by an ``adaptive`` optimiser,
    all steps of which are about as long, by :math:`\epsilon \sum_j |\lambda_j|`.
    """
    size = np.abs if adaptive else np.square
    for i, j, number in energy.links:
        for block, up in ((i, True), (j, False)):
            coupling, weight = energy.couplings[number], size(offsets[block])[None]
            if isinstance(coupling, Conv):
                ones = np.ones((coupling.window.n_numbers, coupling.n_maps))
                weight = coupling.send(ones, weight, up)[0].max(keepdims=True)
            if rate * weight.sum() > (_MOST if adaptive else _MOST / _GAP):
                return True
    return False


def center(energy, params, grad, offsets, factors=None, counts=True):
    """Centre the plain gradient; apply before :func:`natural`. Offsets are the values
    of each block that count as zero; ``factors`` those by which the gradient of blocks
    below was :func:`~skdgm.gradients.steps.far.shortened`; ``counts`` whether
    :func:`natural` divides that of counts."""
    T = [
        unit.statistic(own, offset)
        for unit, own, offset in zip(energy.units, params.units, offsets)
    ]
    biases = [unit.bias_of(own) for unit, own in zip(energy.units, grad.units)]
    lost, couplings = [np.zeros_like(bias) for bias in biases], list(grad.couplings)
    afterwards = longer(energy, params, counts)
    for i, j, number in energy.own_links:
        part = couplings[number]
        mu = shift = T[i]
        if factors and i in factors:
            mu = mu * factors[i].astype(mu.dtype)
        if i in afterwards:
            real = energy.units[i].form == "normal"
            shift = offsets[i] if real else shift * afterwards[i]
        given = biases[i], biases[j], mu, T[j], shift
        part, of_below, of_above = part.center(*given)
        lost[i] += of_below
        lost[j] += of_above
        couplings[number] = part
    units = tuple(
        unit.with_bias(own, bias - less)
        for unit, own, bias, less in zip(energy.units, grad.units, biases, lost)
    )
    return Params(units, tuple(couplings))


def weights_only(grad, centred):
    """Plain gradient of the biases, and centred gradient of the weights."""
    return centred._replace(units=grad.units)


def recentre(energy, params, before, offsets):
    """Move biases, in place, so that fields at the offsets stay as they were with the
    weights ``before`` a step; of weights that are matrices."""
    T = [
        unit.statistic(own, offset)
        for unit, own, offset in zip(energy.units, params.units, offsets)
    ]
    for i, j, number in energy.own_links:
        step = params.couplings[number] - before[number]
        for block, less in ((i, step @ T[j]), (j, T[i] @ step)):
            bias = energy.units[block].bias_of(params.units[block])
            bias -= less.astype(bias.dtype)


def running_means(offsets, data, model=None):
    """Offsets as running means of the units, given values of the blocks in the positive
    phase; with those in the negative phase, of the mean of both."""
    targets = [mean_row(x) for x in data]
    if model is not None:
        targets = [(a + mean_row(x)) / 2 for a, x in zip(targets, model)]
    return tuple(
        offset + offset.dtype.type(RATE) * (target - offset)
        for offset, target in zip(offsets, targets)
    )
