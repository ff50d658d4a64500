r"""Running average of the parameters, weighted towards late updates.

.. math:: m_t = m_{t-1} + \frac{k}{t + k - 1} (\theta_t - m_{t-1})

averages about the last t / k of t updates, without knowing their number beforehand
[1]_; k is 10. With a learning rate so large that parameters oscillate around an
optimum, the average is closer to it than they are.

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
# Cost of one entry, in multiply-adds.
_WORK = 3


class Mean(NamedTuple):
    """Running average of parameters.

    Parameters
    ----------
    params : tuple
        The average, a tree like the parameters.
    t : ndarray of shape (1,), float64
        Number of updates averaged.
    """

    params: tuple
    t: np.ndarray


def init(params):
    """Average before the first update: a copy of the parameters.

    Parameters
    ----------
    params : tuple
        Tree of arrays.

    Returns
    -------
    mean : Mean
    """
    return Mean(copy(params), np.zeros(1))


def follow(mean, params):
    """Include the parameters after an update in the average, in place.

    Parameters
    ----------
    mean : Mean
    params : tuple
        Tree of arrays of the same shapes and dtypes.
    """
    mean.t[0] += 1
    weight = _SHARE / (mean.t[0] + _SHARE - 1)
    for own, leaf in zip(leaves(mean.params), leaves(params), strict=True):
        # Reshaping a non-contiguous array would update a copy of it.
        assert own.flags.c_contiguous
        flat = own.reshape(-1), leaf.reshape(-1), own.dtype.type(weight)
        run(average, *flat, n=own.size, work=_WORK * own.size)
