"""Gradients of weights stored as plain arrays, to which penalties apply."""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.sgd import sgd as kernel
from skdgm.utils.parallel import run
from skdgm.utils.tree import tree_map

# Cost of one entry, in multiply-adds.
_WORK = 5


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


def penalise_weights(grads):
    """Mark the gradients of matrices for penalties, and not those of vectors.

    Parameters
    ----------
    grads : tuple
        Tree of arrays, of layers of a net.

    Returns
    -------
    grads : tuple
        Tree of arrays and :class:`Penalised`.
    """
    return tree_map(lambda leaf: Penalised(leaf) if leaf.ndim == 2 else leaf, grads)
