r"""Stochastic gradient ascent with momentum.

.. math:: u \leftarrow \mu u + \epsilon g, \qquad \theta \leftarrow \theta + u
"""

import numpy as np

from skdgm.utils.tree import tree_map


def init(params):
    """Optimiser state before the first update: velocities of zero.

    Parameters
    ----------
    params : tuple
        Tree of arrays.

    Returns
    -------
    velocity : tuple
        Tree like the parameters.
    """
    return tree_map(np.zeros_like, params)


def step(params, velocity, grad, *, rate, momentum=0.0, l1=0.0, l2=0.0):
    """Update parameters and velocity in place by one step of gradient ascent.

    In place because they are the largest arrays in memory. Penalties are meant for
    couplings, whose gradients have ``ascend``; the rest are biases.

    Parameters
    ----------
    params : tuple
        Tree of arrays.
    velocity : tuple
        Optimiser state, a tree like ``params``.
    grad : tuple
        Gradient of the objective, a tree like ``params``. Leaves may be objects with
        a method ``ascend``, such as :class:`~skdgm.optim.Penalised`.
    rate : float
        Learning rate.
    momentum : float
        Momentum coefficient.
    l1, l2 : float
        Penalties, for such leaves only: l1 sign(theta) + l2 theta is subtracted from
        the gradient.
    """
    rule = {"rate": rate, "momentum": momentum, "l1": l1, "l2": l2}
    for theta, u, g in _together(params, velocity, grad):
        if hasattr(g, "ascend"):
            g.ascend(theta, u, **rule)
        else:
            u *= theta.dtype.type(momentum)
            u += theta.dtype.type(rate) * g
            theta += u


def _together(params, velocity, grad):
    """Iterate over the leaves of trees whose shape is that of the gradient."""
    if hasattr(grad, "ascend") or not isinstance(grad, tuple):
        yield params, velocity, grad
        return
    for branch in zip(params, velocity, grad, strict=True):
        yield from _together(*branch)
