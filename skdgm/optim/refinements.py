r"""Refinements of gradient ascent: weight penalties, gradient clipping, averaging.

Clipping limits the norm of the gradient with respect to all parameters [1]_,

.. math:: g \leftarrow g \, \min(1, c / \lVert g \rVert).

The running average of the parameters is weighted toward late updates,

.. math:: m_t = m_{t-1} + \frac{k}{t + k - 1} (\theta_t - m_{t-1}),

with k = 10. It averages about the last t / k of t updates, and does not need their
number in advance [2]_. If the learning rate is so large that parameters oscillate
around an optimum, the average is closer to it.

References
----------
.. [1] Pascanu, Mikolov and Bengio (2013). On the difficulty of training recurrent
   neural networks. ICML.
.. [2] Shamir and Zhang (2013). Stochastic gradient descent for non-smooth optimization:
   convergence results and optimal averaging schemes. ICML.
"""

from typing import Any, NamedTuple

import numpy as np

from skdgm._kernels.nets.steps import GradientStep, average
from skdgm._kernels.nets.steps import sgd as kernel
from skdgm.utils.threading.parallel import run
from skdgm.utils.tree import copy, leaves, tree_map

# Costs of a step and of averaging for each entry, in multiply-adds.
_WORK, _AVERAGE_WORK = 5, 3
# The number k of the average.
_SHARE = 10


class Penalized(NamedTuple):
    """Gradient with the shape of the weights; the update adds the penalties in the
    same pass."""

    grad: np.ndarray

    def ascend(self, weights, velocity, *, rate, momentum, l1, l2):
        r"""Take a step of gradient ascent with momentum, in place, on C-contiguous
        arrays.

        .. math:: u \leftarrow \mu u + \epsilon (g
           - \lambda_1 \operatorname{sign}\theta - \lambda_2 \theta), \qquad
           \theta \leftarrow \theta + u
        """
        # Reshaping a non-contiguous array would update a copy of it.
        assert weights.flags.c_contiguous
        assert velocity.flags.c_contiguous
        flat, speeds, grad = (a.reshape(-1) for a in (weights, velocity, self.grad))
        real = weights.dtype.type
        step = GradientStep(real(rate), real(momentum), l1=real(l1), l2=real(l2))
        n, work = weights.size, _WORK * weights.size
        run(kernel, flat, speeds, grad, step, n=n, work=work)

    def apply(self, weights, optimizer, rule):
        """Update weights and optimizer state in place by
        ``rule(weights, optimizer, grad)``."""
        rule(weights, optimizer, self.grad)


def clip_norm(grad, limit):
    """Scale a tree of gradients down to a norm of at most ``limit``, if not None."""
    if limit is None:
        return grad
    norm = np.sqrt(sum(np.square(leaf, dtype=float).sum() for leaf in leaves(grad)))
    if not norm > limit:
        return grad
    return tree_map(lambda leaf: leaf * leaf.dtype.type(limit / norm), grad)


class Mean(NamedTuple):
    """Running average of parameters, a tree like them, and the number of averaged
    updates, (1,), float64."""

    params: Any
    t: np.ndarray

    @classmethod
    def of(cls, params):
        """Average before the first update: a copy of the parameters."""
        return cls(copy(params), np.zeros(1))

    def update(self, params):
        """Include the parameters after an update in the average, in place."""
        self.t[0] += 1
        weight = _SHARE / (self.t[0] + _SHARE - 1)
        for averaged, leaf in zip(leaves(self.params), leaves(params), strict=True):
            # Reshaping a non-contiguous array would update a copy of it.
            assert averaged.flags.c_contiguous
            flat, leaf = averaged.reshape(-1), leaf.reshape(-1)
            n, work = averaged.size, _AVERAGE_WORK * averaged.size
            share = averaged.dtype.type(weight)
            run(average, flat, leaf, share, n=n, work=work)
