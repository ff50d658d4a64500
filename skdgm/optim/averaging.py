r"""The mean of what parameters were after late updates.

.. math:: m_t = m_{t-1} + \frac{k}{t + k - 1} (\theta_t - m_{t-1})

of about the last t / k of t updates, however many there are to be [1]_. Where steps are
so large that parameters go around what they look for, it is nearer than they are.

References
----------
.. [1] Shamir and Zhang (2013). Stochastic gradient descent for non-smooth optimization:
   convergence results and optimal averaging schemes. ICML.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.average import average
from skdgm.utils.parallel import run
from skdgm.utils.tree import copy, leaves

_SHARE = 10
# What a number costs, in multiply-adds.
_WORK = 3


class Mean(NamedTuple):
    """The mean, a tree, and how many updates there were."""

    params: tuple
    t: np.ndarray


def init(params):
    """No updates yet."""
    return Mean(copy(params), np.zeros(1))


def follow(mean, params):
    """Move a mean, in place, to where params are after an update."""
    mean.t[0] += 1
    weight = _SHARE / (mean.t[0] + _SHARE - 1)
    for own, leaf in zip(leaves(mean.params), leaves(params), strict=True):
        # A copy would learn of others.
        assert own.flags.c_contiguous
        flat = own.reshape(-1), leaf.reshape(-1), own.dtype.type(weight)
        run(average, *flat, n=own.size, work=_WORK * own.size)
