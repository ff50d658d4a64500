r"""Refinements of gradient ascent: penalties of weights, clipping, averaging.

A gradient g is clipped by the norm of that of all parameters together [1]_,

.. math:: g \leftarrow g \, \min(1, c / \lVert g \rVert).

The running average of the parameters is weighted towards late updates,

.. math:: m_t = m_{t-1} + \frac{k}{t + k - 1} (\theta_t - m_{t-1}),

and averages about the last t / k of t updates, without knowing their number beforehand
[2]_; k is 10. With a learning rate so large that parameters oscillate around an
optimum, the average is closer to it than they are.

References
----------
.. [1] Pascanu, Mikolov and Bengio (2013). On the difficulty of training recurrent
   neural networks. ICML.
.. [2] Shamir and Zhang (2013). Stochastic gradient descent for non-smooth optimization:
   convergence results and optimal averaging schemes. ICML.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.nets.steps import average
from skdgm._kernels.nets.steps import sgd as kernel
from skdgm.utils.threading.parallel import run
from skdgm.utils.tree import copy, leaves, tree_map

# Costs of one entry, in multiply-adds: of a step, and of averaging.
_WORK, _AVERAGE_WORK = 5, 3
# The number k of the average.
_SHARE = 10


class Penalised(NamedTuple):
    """Gradient to which penalties apply, in one pass over the weights.

    Parameters
    ----------
    grad : ndarray
        Gradient of the objective, of the shape of the weights.
    """

    grad: np.ndarray

    def ascend(self, weights, velocity, *, rate, momentum=0.0, l1=0.0, l2=0.0):
        r"""Take a step of gradient ascent with momentum, in place.

        .. math:: u \leftarrow \mu u + \epsilon (g
           - \lambda_1 \operatorname{sign}\theta - \lambda_2 \theta), \qquad
           \theta \leftarrow \theta + u

        Parameters
        ----------
        weights, velocity : ndarray
            C-contiguous, of the shape of the gradient.
        rate : float
            Learning rate.
        momentum : float
            Momentum coefficient.
        l1, l2 : float
            Penalties.
        """
        # Reshaping a non-contiguous array would update a copy of it.
        assert weights.flags.c_contiguous
        assert velocity.flags.c_contiguous
        flat = [part.reshape(-1) for part in (weights, velocity, self.grad)]
        real = [weights.dtype.type(number) for number in (rate, momentum, l1, l2)]
        run(kernel, *flat, *real, n=weights.size, work=_WORK * weights.size)

    def follow(self, weights, optimiser, rule):
        """Update weights and optimiser state in place by an optimiser's rule.

        Parameters
        ----------
        weights : ndarray
        optimiser : tuple of ndarray
            Optimiser state, arrays of the shape of the weights.
        rule : callable
            ``rule(weights, *optimiser, grad)`` updates its arguments in place.
        """
        rule(weights, *optimiser, self.grad)


def clip_norm(grad, limit):
    """Scale a gradient down to at most a given norm.

    Parameters
    ----------
    grad : tuple
        Tree of arrays.
    limit : float or None
        Largest norm of all arrays together; None leaves the gradient unchanged.

    Returns
    -------
    grad : tuple
        Tree of arrays of the same shapes and dtypes.
    """
    if limit is None:
        return grad
    norm = np.sqrt(sum(np.square(leaf, dtype=float).sum() for leaf in leaves(grad)))
    if not norm > limit:
        return grad
    return tree_map(lambda leaf: leaf * leaf.dtype.type(limit / norm), grad)


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

    @classmethod
    def of(cls, params):
        """Average before the first update: a copy of the parameters.

        Parameters
        ----------
        params : tuple
            Tree of arrays.

        Returns
        -------
        mean : Mean
        """
        return cls(copy(params), np.zeros(1))

    def follow(self, params):
        """Include the parameters after an update in the average, in place.

        Parameters
        ----------
        params : tuple
            Tree of arrays of the same shapes and dtypes.
        """
        self.t[0] += 1
        weight = _SHARE / (self.t[0] + _SHARE - 1)
        for own, leaf in zip(leaves(self.params), leaves(params), strict=True):
            # Reshaping a non-contiguous array would update a copy of it.
            assert own.flags.c_contiguous
            flat = own.reshape(-1), leaf.reshape(-1), own.dtype.type(weight)
            run(average, *flat, n=own.size, work=_AVERAGE_WORK * own.size)
