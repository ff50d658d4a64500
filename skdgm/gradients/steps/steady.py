r"""Steps that change no rate by more than a factor.

The log partition function of counts without a limit, :math:`A(\eta) = e^\eta`, has no
highest curvature: a step of the length that serves where rates are low overshoots where
they are high, and rates above each other grow without end. So a step is shortened where
it would change the log rate of a unit by more than :math:`\delta` in any state of
either phase,

.. math:: \epsilon' = \epsilon \min\left(1, \frac{\delta}{\epsilon \max |\Delta b_j +
   \sum_i T_i(x_i) \, \Delta W_{ij}|}\right) .
"""

import numpy as np

# Highest change of a log rate in one step.
MOST = 0.5


def steady(energy, grad, rate):
    """Learning rate with which a step along the gradient changes no log rate by more
    than ``MOST``."""
    for block, unit in enumerate(energy.units):
        if not unit.exponential:
            continue
        moved = grad.units[block]
        gated = [(link, None, False) for link, _ in energy.gated(block)]
        for link, _, below in [*energy.neighbours(block), *gated]:
            part = grad.couplings[link]
            W = np.asarray(part)
            x, W = (
                ((part.x, part.x_model), W) if below else ((part.y, part.y_model), W.T)
            )
            moved = moved + np.concatenate(list(map(np.asarray, x))) @ W
        highest = rate * float(np.abs(unit.field(0.0, moved)).max(initial=0.0))
        if highest > MOST:
            rate *= MOST / highest
    return rate
