r"""Stochastic gradient ascent with momentum.

.. math:: u \leftarrow \mu u + \epsilon g, \qquad \theta \leftarrow \theta + u
"""

import numpy as np

from skdgm.utils.tree import tree_map


def init(params):
    """Velocities of zero."""
    return tree_map(np.zeros_like, params)


def step(params, velocity, grad, *, rate, momentum=0.0, l1=0.0, l2=0.0):
    """Move params and velocity, in place: they are the largest arrays there are.

    A gradient may know how to be followed by itself, in one pass over the parameters
    (``ascend``). These, and only these, are subject to penalties: they belong to
    couplings, and the rest are biases.
    """
    if hasattr(grad, "ascend"):
        grad.ascend(params, velocity, rate=rate, momentum=momentum, l1=l1, l2=l2)
    elif isinstance(grad, tuple):
        for branch in zip(params, velocity, grad, strict=True):
            step(*branch, rate=rate, momentum=momentum, l1=l1, l2=l2)
    else:
        velocity *= params.dtype.type(momentum)
        velocity += params.dtype.type(rate) * grad
        params += velocity
