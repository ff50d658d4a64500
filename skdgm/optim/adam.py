r"""Adam: gradient ascent with step sizes scaled by running moments of the gradient.

.. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
   s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \qquad
   \theta \leftarrow \theta + \epsilon \, \frac{m / (1 - \beta_1^t)}
   {\sqrt{s / (1 - \beta_2^t)} + \delta}

for each entry, at update t [1]_. The sign is that of ascent.

References
----------
.. [1] Kingma and Ba (2015). Adam: a method for stochastic optimization. ICLR.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.adam import adam as kernel
from skdgm.optim.elementwise import walk
from skdgm.utils.tree import tree_map

BETA_1, BETA_2, DELTA = 0.9, 0.999, 1e-8


class Memory(NamedTuple):
    """Optimiser state of Adam.

    Parameters
    ----------
    m, s : tuple
        Running means of gradients and of squared gradients, trees like the parameters.
    t : ndarray of shape (1,), float64
        Number of updates.
    """

    m: tuple
    s: tuple
    t: np.ndarray


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
    return Memory(*(tree_map(np.zeros_like, params) for _ in range(2)), np.zeros(1))


def step(params, optimiser, grad, *, rate, momentum=BETA_1, l1=0.0, l2=0.0):
    r"""Update parameters and optimiser state in place by one step of Adam.

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
        The decay rate :math:`\beta_1`.
    l1, l2 : float
        Penalties, for such leaves only: l1 sign(theta) + l2 theta is subtracted from
        the gradient.
    """
    optimiser.t[0] += 1
    t = optimiser.t[0]
    size = np.sqrt(1 - BETA_2**t)
    numbers = rate * size / (1 - momentum**t), momentum, BETA_2, DELTA * size

    walk(kernel, numbers, params, optimiser.m, optimiser.s, grad, l1=l1, l2=l2)
