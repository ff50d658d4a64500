r"""RMSProp: gradient ascent scaled by the gradient's recent size, with momentum.

.. math:: s \leftarrow \rho s + (1 - \rho) g^2, \qquad
   u \leftarrow \mu u + \epsilon \, \frac{g}{\sqrt{s} + \delta}, \qquad
   \theta \leftarrow \theta + u

for each entry [1]_. The sign is that of ascent.

References
----------
.. [1] Tieleman and Hinton (2012). Lecture 6.5: RMSProp. Coursera: Neural networks for
   machine learning.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.rmsprop import rmsprop as kernel
from skdgm.optim.elementwise import walk
from skdgm.utils.tree import tree_map

RHO, DELTA = 0.9, 1e-8


class Memory(NamedTuple):
    """Optimiser state of RMSProp.

    Parameters
    ----------
    u, s : tuple
        Velocities, and running means of squared gradients; trees like the parameters.
    """

    u: tuple
    s: tuple


def init(params):
    """Optimiser state before the first update.

    Parameters
    ----------
    params : tuple
        Tree of arrays.

    Returns
    -------
    optimiser : Memory
    """
    return Memory(*(tree_map(np.zeros_like, params) for _ in range(2)))


def step(params, optimiser, grad, *, rate, momentum=0.0, l1=0.0, l2=0.0):
    """Update parameters and optimiser state in place by one step of RMSProp.

    Parameters
    ----------
    params : tuple
        Tree of arrays.
    optimiser : Memory
        Optimiser state.
    grad : tuple
        Gradient of the objective, a tree like ``params``. Leaves may be objects with
        a method ``follow``, such as :class:`~skdgm.optim.Penalised`.
    rate : float
        Learning rate.
    momentum : float
        Momentum coefficient.
    l1, l2 : float
        Penalties, for such leaves only: l1 sign(theta) + l2 theta is subtracted from
        the gradient.
    """
    numbers = rate, momentum, RHO, DELTA
    walk(kernel, numbers, params, optimiser.u, optimiser.s, grad, l1=l1, l2=l2)
