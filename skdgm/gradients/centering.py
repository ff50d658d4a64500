r"""The centred gradient.

With statistics counted from offsets, :math:`(T(v) - \mu)^\top W (h - \lambda)`, the
weights' gradient is that of correlations, not of joint means: it does not change when
units' zeros and ones are called differently, and the biases no longer learn what the
weights must unlearn [1]_ [2]_. In the parameters of the plain energy it is

.. math:: \Delta W_c = \Delta W - \mu \, \Delta c^\top - \Delta b \, \lambda^\top,
   \qquad \Delta b_c = \Delta b - \Delta W_c \lambda,
   \qquad \Delta c_c = \Delta c - \Delta W_c^\top \mu .

What the biases lose is for the step that the weights take: where :func:`natural` will
divide it by real units' precisions, :math:`\mu`, the offset times the precision, is
divided in the last term already.

References
----------
.. [1] Montavon and Müller (2012). Deep Boltzmann machines and the centering trick.
   Neural Networks: Tricks of the Trade.
.. [2] Melchior, Fischer and Wiskott (2016). How to center deep Boltzmann machines.
   JMLR.
"""

import numpy as np

from skdgm.energies import Params, mean_row

# How much of the last batch's means enters the running ones.
RATE = 0.01


def center(energy, params, grad, offsets):
    """A gradient, in the plain parameters, of the centred ones, for ``natural``.

    Parameters
    ----------
    grad : Params
    offsets : tuple of ndarray
        For each block the value that counts as zero.
    """
    T = [
        unit.statistic(own, offset)
        for unit, own, offset in zip(energy.units, params.units, offsets)
    ]
    biases = [unit.bias_of(own) for unit, own in zip(energy.units, grad.units)]
    lost, couplings = [np.zeros_like(bias) for bias in biases], []
    for (i, j, _), part in zip(energy.wiring.links, grad.couplings):
        given = biases[i], biases[j], T[i], T[j], offsets[i]
        part, of_below, of_above = part.center(*given)
        lost[i] += of_below
        lost[j] += of_above
        couplings.append(part)
    units = tuple(
        unit.with_bias(own, bias - less)
        for unit, own, bias, less in zip(energy.units, grad.units, biases, lost)
    )
    return Params(units, tuple(couplings))


def follow(offsets, data, model=None):
    """Offsets that move along with the means of the data's phase, or with the mean of
    those of both phases."""
    targets = [mean_row(x) for x in data]
    if model is not None:
        targets = [(a + mean_row(x)) / 2 for a, x in zip(targets, model)]
    return tuple(
        offset + offset.dtype.type(RATE) * (target - offset)
        for offset, target in zip(offsets, targets)
    )
