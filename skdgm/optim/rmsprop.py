r"""RMSProp: steps in units of the gradient's recent size, with momentum.

.. math:: s \leftarrow \rho s + (1 - \rho) g^2, \qquad
   u \leftarrow \mu u + \epsilon \, \frac{g}{\sqrt{s} + \delta}, \qquad
   \theta \leftarrow \theta + u

number by number [1]_, uphill.

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
    """Velocities, and running means of the squares of gradients."""

    u: tuple
    s: tuple


def init(params):
    """Nothing seen yet."""
    return Memory(*(tree_map(np.zeros_like, params) for _ in range(2)))


def step(params, memory, grad, *, rate, momentum=0.0, l1=0.0, l2=0.0):
    """Move params and memory, in place; penalties are for gradients that know how to
    be followed, as of :mod:`skdgm.optim.sgd`."""
    numbers = rate, momentum, RHO, DELTA
    walk(kernel, numbers, params, memory.u, memory.s, grad, l1=l1, l2=l2)
