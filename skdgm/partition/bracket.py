"""One log Z from the two sides that annealed importance sampling gives.

The forward estimate tends to be too low, the reverse one too high.
"""

import numpy as np

from skdgm.exceptions import LikelihoodWarning
from skdgm.utils.warn import warn

MAX_GAP, MIN_ESS = 1.0, 10.0


def agree(up, down):
    """Whether both sides tell the same, from enough chains to be believed."""
    return abs(up.log_Z - down.log_Z) < MAX_GAP / 2 and min(up.ess, down.ess) > MIN_ESS


def settle(up, down):
    """Log Z and its standard error from both sides.

    Their biases have opposite signs, so their mean is taken; but where they differ by
    more than a nat the higher one, with a warning: the other would flatter the model.

    Parameters
    ----------
    up, down : Estimate
        From :func:`~skdgm.partition.ais.forward` and
        :func:`~skdgm.partition.ais.reverse`.
    """
    gap = abs(up.log_Z - down.log_Z)
    if gap <= MAX_GAP:
        return (up.log_Z + down.log_Z) / 2, np.hypot(up.se, down.se) / 2
    warn(
        f"forward and reverse annealed importance sampling differ by {gap:.1f} nats "
        f"(log Z {up.log_Z:.1f} and {down.log_Z:.1f}): the model mixes badly. The "
        "higher one is taken, so that likelihoods are not overestimated.",
        LikelihoodWarning,
    )
    higher = max(up, down, key=lambda estimate: estimate.log_Z)
    return higher.log_Z, higher.se
