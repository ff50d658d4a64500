"""Gradients of weights in plain arrays, which penalties apply to."""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.sgd import sgd as kernel
from skdgm.utils.parallel import run

# What a number costs, in multiply-adds.
_WORK = 5


class Penalised(NamedTuple):
    """A gradient that knows how to be followed, in one pass with its penalties.

    Parameters
    ----------
    slope : ndarray
    """

    slope: np.ndarray

    def ascend(self, weights, velocity, *, rate, momentum=0.0, l1=0.0, l2=0.0):
        """Move weights and velocity, in place, as :mod:`skdgm.optim.sgd` says."""
        # Of others a copy would learn.
        assert weights.flags.c_contiguous
        assert velocity.flags.c_contiguous
        flat = [np.reshape(part, -1) for part in (weights, velocity, self.slope)]
        real = [weights.dtype.type(number) for number in (rate, momentum, l1, l2)]
        run(kernel, *flat, *real, n=weights.size, work=_WORK * weights.size)

    def follow(self, weights, memory, rule):
        """Move weights and the optimiser's memory, in place, by a rule of its own."""
        rule(weights, *memory, self.slope)
