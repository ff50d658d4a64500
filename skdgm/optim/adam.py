r"""Adam: steps in units of the gradient's recent size.

.. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
   s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \qquad
   \theta \leftarrow \theta + \epsilon \, \frac{m / (1 - \beta_1^t)}
   {\sqrt{s / (1 - \beta_2^t)} + \delta}

number by number [1]_, uphill.

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
    """Running means of gradients and of their squares, and how many there were."""

    m: tuple
    s: tuple
    t: np.ndarray


def init(params):
    """Nothing seen yet."""
    return Memory(*(tree_map(np.zeros_like, params) for _ in range(2)), np.zeros(1))


def step(params, memory, grad, *, rate, momentum=BETA_1, l1=0.0, l2=0.0):
    """Move params and memory, in place. ``momentum`` is the first beta; penalties are
    for gradients that know how to be followed, as of :mod:`skdgm.optim.sgd`."""
    memory.t[0] += 1
    t = memory.t[0]
    size = np.sqrt(1 - BETA_2**t)
    numbers = rate * size / (1 - momentum**t), momentum, BETA_2, DELTA * size

    walk(kernel, numbers, params, memory.m, memory.s, grad, l1=l1, l2=l2)
