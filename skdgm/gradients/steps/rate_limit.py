r"""Steps that change the rates of counts by at most a constant factor.

The log partition function of unbounded counts, :math:`A(\eta) = e^\eta`, has unbounded
curvature. A step length that suits low rates overshoots where rates are high, and rates
of linked blocks would then grow without bound. A step is therefore shortened if it
would change the log rate of a unit by more than :math:`\delta` in any state of either
phase,

.. math:: \epsilon' = \epsilon \min\left(1, \frac{\delta}{\epsilon \max |\Delta b_j +
   \sum_i T_i(x_i) \, \Delta W_{ij}|}\right) .
"""

import numpy as np

# Largest change of a log rate in one step.
MOST = 0.5


def limit_rate(energy, grad, rate):
    """Learning rate with which a step changes log rates by at most ``MOST``."""
    for block, unit in enumerate(energy.units):
        if not unit.exponential:
            continue
        change = grad.units[block]
        gated = [(link, None, False) for link, _ in energy.gated(block)]
        for link, _, below in [*energy.neighbors(block), *gated]:
            gradient = grad.couplings[link]
            W = np.asarray(gradient)
            x, W = (
                ((gradient.x, gradient.x_model), W)
                if below
                else ((gradient.y, gradient.y_model), W.T)
            )
            change = change + np.concatenate(list(map(np.asarray, x))) @ W
        largest = rate * float(np.abs(unit.field(0.0, change)).max(initial=0.0))
        if largest > MOST:
            rate *= MOST / largest
    return rate
