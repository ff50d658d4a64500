r"""Stochastic gradient ascent with momentum.

.. math:: u \leftarrow \mu u + \epsilon g, \qquad \theta \leftarrow \theta + u
"""

import numpy as np

from skdgm.utils.tree import tree_map


def init(params):
    """Velocities of zero."""
    return tree_map(np.zeros_like, params)


def step(params, velocity, grad, *, rate, momentum=0.0):
    """Move params and velocity, in place: they are the largest arrays there are."""

    def move(theta, u, g):
        u *= theta.dtype.type(momentum)
        u += theta.dtype.type(rate) * g
        theta += u

    tree_map(move, params, velocity, grad)
